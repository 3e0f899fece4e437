import type { Selectable } from 'kysely';
import { readOrganizationFlows } from '../../proto/definition/shared-flows.ts';
import { withoutSecrets } from '../../proto/model/secrets/scrub.ts';
import { encodeOrganizationFlows } from '../../proto/wire/payloads.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Trx } from '../storage/storage.ts';
import type { OrganizationTable } from '../storage/tables.ts';
import type { DataKeys } from './data-keys.ts';
import { DefinitionSecrets, type SecretsOwner } from './definition-secrets.ts';
import type { PublishChange } from './publisher.ts';

type OrganizationRow = Selectable<OrganizationTable>;
type FlowsOfOrganization = Pick<
  OrganizationRow,
  'id' | 'flow_mode' | 'match_required' | 'flows' | 'flows_version'
>;

/** Whether there is something in them that requests pass. */
export function hasFlows({ flows, match_required }: Omit<FlowsOfOrganization, 'id'>): boolean {
  return flows !== '[]' || match_required === 1;
}

/** Whose secrets those in an organization's flows are. */
export const flowsOwner = (id: string): SecretsOwner => ({ kind: 'organization-flows', id });

/** Flows of an organization, read. */
export interface OpenedFlows {
  /** Their record for one of its environments, whose key seals what is secret in it. */
  changeIn(secrets: DefinitionSecrets): Promise<PublishChange>;
}

/**
 * Reads an organization's flows for its environments; none when there is nothing in them.
 *
 * Errors: request.invalid naming what gateways cannot run.
 */
export async function openOrganizationFlows(
  row: FlowsOfOrganization,
  own: DefinitionSecrets,
): Promise<OpenedFlows | undefined> {
  const { id } = row;
  const owner = flowsOwner(id);
  const written = { flows: JSON.parse(row.flows) as unknown };
  const { definition, secrets } = await own.open(written, owner);
  const read = withoutSecrets(secrets, () =>
    readOrganizationFlows({
      flowMode: row.flow_mode,
      matchRequired: row.match_required === 1,
      ...definition,
    }),
  );
  if (!hasFlows(row)) return undefined;
  return {
    async changeIn(theirs) {
      const sealed = await theirs.seal(read, owner);
      const payload = encodeOrganizationFlows({ id, definition: JSON.stringify(sealed) });
      return { kind: 'organization-flows', id, revision: String(row.flows_version), tags: [], payload };
    },
  };
}

/** The record of them for an environment that is new: no gateway may serve it yet, and who may from now on gets its keys. */
export async function flowsOfNew(
  row: FlowsOfOrganization,
  { trx, at, dataKeys }: { readonly trx: Trx; readonly at: EnvironmentRef; readonly dataKeys: DataKeys },
): Promise<PublishChange | undefined> {
  const secretsIn = (environment: string): DefinitionSecrets =>
    new DefinitionSecrets({ trx, at: { ...at, environment }, dataKeys, onMade: async () => undefined });
  const opened = await openOrganizationFlows(row, secretsIn(''));
  return opened?.changeIn(secretsIn(at.environment));
}
