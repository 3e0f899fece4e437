import type { ApiDefinition, PlanDefinition } from '../../../proto/model/api.ts';
import type { DebugJob } from '../../../proto/model/records/debug-run.ts';
import { sharedGroupsOf } from '../../../proto/model/api/shared-policy-group.ts';
import { secretsIn } from '../../../proto/model/secrets/scrub.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  decodeOrganizationFlows,
  decodeSharedPolicyGroup,
  encodeApi,
  encodeOrganizationFlows,
  encodeSharedPolicyGroup,
} from '../../../proto/wire/payloads.ts';
import type { SecretsOwner } from '../../publish/definition-secrets.ts';
import { recordsInForce } from '../../publish/in-force.ts';
import { flowsOwner } from '../../publish/organization-flows.ts';
import { lockedApi } from '../apis/api-gate.ts';
import { withFetched } from '../apis/fetched-properties.ts';
import type { Change } from '../desk.ts';
import { readWritten } from '../deployments/publication.ts';
import { takeDraft } from '../drafts/drafts.ts';
import { wordsOf } from '../fetches/fetches.ts';
import { findFetched } from '../fetches/fetches.store.ts';
import { listPlansOf, type PlanRow } from '../plans/plans.store.ts';
import { groupOwner } from '../shared-policy-groups/shared-policy-groups.ts';

/** Most dictionaries that a run is given; an environment has no more. */
const dictionariesMax = 1_000;

/** An API as a deployment would make it, with what it needs of its environment, for somebody who is let in without a credential. */
export interface DraftRecords {
  readonly definition: ApiDefinition;
  readonly records: DebugJob['records'];
  /** What lies open in the records: nothing that is told of a run repeats it. */
  readonly secrets: readonly string[];
}

/**
 * The API as it is written now, or its draft, resolved as a deployment would resolve it; for a transaction that is taken back.
 *
 * plan: whose flows the request passes; by default the first that asks for no credential, else the first that is published, else the first; an
 * API without plans gets one that asks for nothing. Errors: those of {@link takeDraft}; request.invalid naming what gateways cannot run.
 */
export async function draftRecords(
  now: Change,
  { id, plan }: { readonly id: string; readonly plan: string | undefined },
): Promise<DraftRecords> {
  const api = await takeDraft(now, await lockedApi(now, id));
  const chosen = choosePlan(await listPlansOf(now.trx, now.at, api.id), plan);
  const written = await readWritten(now, api, chosen === undefined ? [] : [chosen]);
  const fetched = await findFetched(now.trx, { at: now.at, kind: 'api', id: api.id });
  const definition = watched(written, withFetched(written.properties, wordsOf(fetched)));
  const groups = [...new Set(sharedGroupsOf(definition).map(({ group }) => group))];
  const around = [
    ...(await openedRecords(now, { kind: 'organization-flows', ids: [now.at.organization] })),
    ...(await openedRecords(now, { kind: 'shared-policy-group', ids: groups })),
  ];
  const text = JSON.stringify(definition);
  const readsWords = [text, ...around.map((record) => record.text)].some((each) =>
    each.includes('dictionaries'),
  );
  const words = readsWords
    ? await recordsInForce(now.trx, now.at, { kind: 'dictionary', limit: dictionariesMax })
    : [];
  return {
    definition,
    records: [
      ...around.filter(({ kind }) => kind === 'organization-flows').map(encoded),
      ...words.map((word) => encoded({ kind: 'dictionary', ...word })),
      ...around.filter(({ kind }) => kind !== 'organization-flows').map(encoded),
      encoded({
        kind: 'api',
        id: api.id,
        payload: encodeApi({ id: api.id, name: definition.name, revision: 'draft', definition: text }),
      }),
    ],
    secrets: [...secretsIn(definition), ...around.flatMap(({ secrets }) => secrets)],
  };
}

function choosePlan(plans: readonly PlanRow[], wanted: string | undefined): PlanRow | undefined {
  const open = plans.filter(({ status }) => status !== 'CLOSED');
  if (wanted === undefined) {
    const served = open.filter(({ status }) => status !== 'STAGING');
    return served.find(isKeyless) ?? served[0] ?? open[0];
  }
  const found = open.find(({ id }) => id === wanted);
  if (found === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'plan', message: 'is no plan of the API that is open' }],
    });
  return found;
}

const isKeyless = ({ security_type }: PlanRow): boolean => security_type === 'KEY_LESS';

/** A plan that lets everybody in, in place of what the chosen one asks for. */
function letIn({ id, name, flows }: Pick<PlanDefinition, 'id' | 'name' | 'flows'>): PlanDefinition {
  return {
    id,
    name,
    security: { type: 'key-less', configuration: {} },
    mode: 'standard',
    status: 'published',
    tags: [],
    selectionRule: '',
    flows,
  };
}

const everything = {
  mode: { entrypoint: true, endpoint: true },
  phase: { request: true, response: true },
  content: {
    headers: true,
    payload: true,
    messageHeaders: false,
    messagePayload: false,
    messageMetadata: false,
  },
  condition: '',
  messageCondition: '',
} as const;

/** The definition for a run: all of what is said is taken down, its one server serves it, and one plan lets in. */
function watched(written: ApiDefinition, properties: ReturnType<typeof withFetched>): ApiDefinition {
  const [plan = { id: 'debug', name: 'Debug', flows: [] }] = written.plans;
  return {
    ...written,
    properties: [...properties] as ApiDefinition['properties'],
    listeners: written.listeners.map((listener) => ({ ...listener, servers: [] })),
    plans: [letIn(plan)],
    analytics: { ...written.analytics, enabled: true, logging: everything },
  };
}

interface OpenedRecord {
  readonly kind: 'organization-flows' | 'shared-policy-group';
  readonly id: string;
  readonly payload: Uint8Array;
  readonly text: string;
  readonly secrets: readonly string[];
}

/** What gateways have of them, with its secrets open. */
async function openedRecords(
  now: Change,
  wish: { readonly kind: OpenedRecord['kind']; readonly ids: readonly string[] },
): Promise<readonly OpenedRecord[]> {
  const found = await recordsInForce(now.trx, now.at, { ...wish, limit: wish.ids.length });
  return Promise.all(
    found.map(async ({ id, payload }) => {
      const isFlows = wish.kind === 'organization-flows';
      const read = isFlows
        ? { name: '', ...decodeOrganizationFlows(payload) }
        : decodeSharedPolicyGroup(payload);
      const owner: SecretsOwner = isFlows ? flowsOwner(id) : groupOwner(id);
      const { definition, secrets } = await now.secrets.open(JSON.parse(read.definition) as unknown, owner);
      const text = JSON.stringify(definition);
      const opened = isFlows
        ? encodeOrganizationFlows({ id, definition: text })
        : encodeSharedPolicyGroup({ id, name: read.name, definition: text });
      return { kind: wish.kind, id, payload: opened, text, secrets };
    }),
  );
}

const encoded = ({
  kind,
  id,
  payload,
}: {
  readonly kind: DebugJob['records'][number]['kind'];
  readonly id: string;
  readonly payload: Uint8Array;
}): DebugJob['records'][number] => ({ kind, id, payload: Buffer.from(payload).toString('base64') });
