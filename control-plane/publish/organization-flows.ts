import type { Selectable } from 'kysely';
import { readOrganizationFlows } from '../../proto/definition/shared-flows.ts';
import { encodeOrganizationFlows } from '../../proto/wire/payloads.ts';
import type { Trx } from '../storage/storage.ts';
import type { OrganizationTable } from '../storage/tables.ts';
import type { PublishChange } from './publisher.ts';

type OrganizationRow = Selectable<OrganizationTable>;
type FlowsOfOrganization = Pick<
  OrganizationRow,
  'id' | 'flow_mode' | 'match_required' | 'flows' | 'flows_version'
>;

/** The organization with its row locked until the transaction ends; it is taken before the rows of environments. */
export function lockOrganization(trx: Trx, id: string): Promise<OrganizationRow | undefined> {
  return trx
    .updateTable('organization')
    .set((row) => ({ hrid: row.ref('hrid') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Whether there is something in them that requests pass. */
export function hasFlows({ flows, match_required }: Omit<FlowsOfOrganization, 'id'>): boolean {
  return flows !== '[]' || match_required === 1;
}

/**
 * The record of an organization's flows for one of its environments; none when there is nothing in them.
 *
 * Errors: request.invalid naming what gateways cannot run.
 */
export function organizationFlowsChange(row: FlowsOfOrganization): PublishChange | undefined {
  const { id } = row;
  const definition = readOrganizationFlows({
    flowMode: row.flow_mode,
    matchRequired: row.match_required === 1,
    flows: JSON.parse(row.flows) as unknown,
  });
  if (!hasFlows(row)) return undefined;
  const payload = encodeOrganizationFlows({ id, definition: JSON.stringify(definition) });
  return { kind: 'organization-flows', id, revision: String(row.flows_version), tags: [], payload };
}
