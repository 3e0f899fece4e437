import { sql } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Storage } from '../../storage/storage.ts';
import type { AuditRow } from '../audit/audit.store.ts';
import type { DeploymentRow } from '../deployments/deployments.store.ts';

/** Types of events of an API, in the reference's words: a deployment, a start, a stop. */
export const apiEventTypes = ['PUBLISH_API', 'START_API', 'STOP_API'] as const;
/** One of them. */
export type ApiEventType = (typeof apiEventTypes)[number];

/** By what the audit tells of each; deployments have rows of their own. */
const auditEventOf = { START_API: 'API_STARTED', STOP_API: 'API_STOPPED' } as const;
const eventTypeOf: ReadonlyMap<string, ApiEventType> = new Map(
  (['START_API', 'STOP_API'] as const).map((type) => [auditEventOf[type], type]),
);

/** What happened to an API that its gateways learned of, without what they got. */
export interface ApiEventRow {
  /** `<api>_<number>` of a deployment; the id of its audit row of a start and a stop. */
  readonly id: string;
  readonly type: ApiEventType;
  /** The deployment that gateways were to have; undefined where a former version did not note it. */
  readonly number: number | undefined;
  readonly label: string | undefined;
  readonly userId: string;
  readonly atMs: number;
}

interface UnionRow {
  readonly created_at_ms: number;
  readonly user_id: string;
  readonly audit_id: string;
  readonly event: string;
  readonly properties: string;
  readonly number: number;
  readonly label: string | null;
}

type Api = EnvironmentRef & { readonly id: string };

/** A page of an API's events, newest first: deployments by their rows, starts and stops by what the audit tells. */
export async function listApiEventRows(
  storage: Pick<Storage, 'db'>,
  api: Api,
  wish: {
    readonly types: readonly ApiEventType[];
    /** Moments, ms since the epoch, both inclusive. */
    readonly from: number | undefined;
    readonly to: number | undefined;
    readonly bounds: PageBounds;
  },
): Promise<Rows<ApiEventRow>> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, types } = wish;
  const isDeployed = types.includes('PUBLISH_API');
  const told = types.flatMap((type) => (type === 'PUBLISH_API' ? [] : [auditEventOf[type]]));
  const deployed = inTenant(storage.db.selectFrom('api_deployment'), api)
    .where('api_id', '=', api.id)
    .where(sql<boolean>`${isDeployed ? 1 : 0} = 1`)
    .where('created_at_ms', '>=', from)
    .where('created_at_ms', '<=', to)
    .select([
      'created_at_ms',
      'user_id',
      sql<string>`''`.as('audit_id'),
      sql<string>`''`.as('event'),
      sql<string>`'{}'`.as('properties'),
      'number',
      'label',
    ]);
  const turned = auditOf(storage.db, api, told)
    .where('created_at_ms', '>=', from)
    .where('created_at_ms', '<=', to)
    .select([
      'created_at_ms',
      'user_id',
      'id as audit_id',
      'event',
      'properties',
      // Behind the deployment that came with the start, which has the same moment.
      sql<number>`2147483647`.as('number'),
      sql<string | null>`cast(null as text)`.as('label'),
    ]);
  const all = storage.db.selectFrom(deployed.unionAll(turned).as('event')).selectAll('event');
  const { rows, total } = await readPage(
    all.orderBy('created_at_ms', 'desc').orderBy('number', 'desc').orderBy('audit_id'),
    wish.bounds,
  );
  return { rows: rows.map((row) => eventRow(api, row)), total };
}

/** A start or a stop of an API, by the id of its event. */
export async function findTurn(db: Queries, api: Api, id: string): Promise<ApiEventRow | undefined> {
  const row = await auditOf(db, api, Object.values(auditEventOf))
    .where('id', '=', id)
    .selectAll()
    .executeTakeFirst();
  return row && turnRow(row);
}

function auditOf(db: Queries, api: Api, events: readonly string[]) {
  const rows = inTenant(db.selectFrom('audit'), api).where('reference_type', '=', 'API');
  // Nothing has no event at all.
  return rows.where('reference_id', '=', api.id).where('event', 'in', events.length === 0 ? [''] : events);
}

const eventRow = ({ id }: Api, row: UnionRow): ApiEventRow =>
  row.audit_id === '' ? deploymentEventRow({ ...row, api_id: id }) : turnRow({ ...row, id: row.audit_id });

/** A deployment as an event. */
export function deploymentEventRow(
  row: Pick<DeploymentRow, 'api_id' | 'number' | 'label' | 'user_id' | 'created_at_ms'>,
): ApiEventRow {
  return {
    id: `${row.api_id}_${row.number}`,
    type: 'PUBLISH_API',
    number: row.number,
    label: row.label ?? undefined,
    userId: row.user_id,
    atMs: Number(row.created_at_ms),
  };
}

function turnRow(
  row: Pick<AuditRow, 'id' | 'event' | 'properties' | 'user_id' | 'created_at_ms'>,
): ApiEventRow {
  const number = Number((JSON.parse(row.properties) as Readonly<Record<string, string>>)['DEPLOYMENT']);
  return {
    id: row.id,
    type: eventTypeOf.get(row.event) ?? 'START_API',
    number: Number.isInteger(number) ? number : undefined,
    label: undefined,
    userId: row.user_id,
    atMs: Number(row.created_at_ms),
  };
}
