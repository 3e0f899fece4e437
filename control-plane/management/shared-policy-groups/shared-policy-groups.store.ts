import { type Insertable, PostgresAdapter, type Selectable, sql, type Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import { likePattern } from '../pages.ts';

/** Steps that APIs of an environment share. */
interface SharedPolicyGroupTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** What steps name it by, and gateways know it by. */
  readonly cross_id: string;
  name: string;
  name_key: string;
  description: string;
  prerequisite_message: string;
  /** REQUEST or RESPONSE. */
  readonly phase: string;
  /** JSON, as they were written. */
  steps: string;
  lifecycle_state: string;
  /** 1, 2, 3 ... with each deployment. */
  version: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
  deployed_at_ms: number | null;
}

/** What a deployment of a group sent to gateways. */
interface GroupVersionTable {
  readonly organization: string;
  readonly environment: string;
  readonly group_id: string;
  readonly version: number;
  readonly name: string;
  readonly description: string;
  readonly prerequisite_message: string;
  /** JSON, with masks in place of secrets: what they were then nobody needs. */
  readonly steps: string;
  readonly updated_at_ms: number;
  readonly deployed_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    shared_policy_group: SharedPolicyGroupTable;
    shared_policy_group_version: GroupVersionTable;
  }
}

/** A row of shared_policy_group. */
export type SharedPolicyGroupRow = Selectable<SharedPolicyGroupTable>;

/** A row of shared_policy_group_version. */
export type GroupVersionRow = Selectable<GroupVersionTable>;

/** How the versions of a group may be sorted. */
export const versionSorts = [
  'version',
  '-version',
  'updatedAt',
  '-updatedAt',
  'deployedAt',
  '-deployedAt',
] as const;
/** One of {@link versionSorts}. */
export type VersionSort = (typeof versionSorts)[number];

/** How a list of groups may be sorted. */
export const groupSorts = [
  'name',
  '-name',
  'apiType',
  '-apiType',
  'phase',
  '-phase',
  'updatedAt',
  '-updatedAt',
  'deployedAt',
  '-deployedAt',
] as const;
/** One of {@link groupSorts}. */
export type GroupSort = (typeof groupSorts)[number];

/** The group in its environment, by id or cross id. */
export function findGroup(
  db: Queries,
  at: EnvironmentRef,
  by: { readonly column: 'id' | 'cross_id'; readonly value: string },
): Promise<SharedPolicyGroupRow | undefined> {
  return inTenant(db.selectFrom('shared_policy_group'), at)
    .selectAll()
    .where(by.column, '=', by.value)
    .executeTakeFirst();
}

/**
 * The group with its row locked until the transaction ends.
 *
 * Whoever deploys an API that uses it, and whoever withdraws it, take this lock: so none of the two misses the other. It is taken after
 * the API's; of several groups in the order of their cross ids.
 */
export function lockGroup(
  trx: Trx,
  at: EnvironmentRef,
  by: { readonly column: 'id' | 'cross_id'; readonly value: string },
): Promise<SharedPolicyGroupRow | undefined> {
  return inTenant(trx.updateTable('shared_policy_group'), at)
    .set((row) => ({ lifecycle_state: row.ref('lifecycle_state') }))
    .where(by.column, '=', by.value)
    .returningAll()
    .executeTakeFirst();
}

/** A page of groups. */
export function listGroupRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: { readonly query?: string | undefined; readonly sort: GroupSort; readonly bounds: PageBounds },
): Promise<Rows<SharedPolicyGroupRow>> {
  let selected = inTenant(storage.db.selectFrom('shared_policy_group'), at);
  if (wish.query !== undefined && wish.query !== '')
    selected = selected.where(sql<boolean>`name_key like ${likePattern(wish.query)} escape '\\'`);
  const columns = {
    name: 'name_key',
    // There is one type of API.
    apiType: 'name_key',
    phase: 'phase',
    updatedAt: 'updated_at_ms',
    deployedAt: 'deployed_at_ms',
  } as const;
  return readPage(
    selected
      .selectAll()
      .orderBy(
        columns[wish.sort.replace('-', '') as keyof typeof columns],
        wish.sort.startsWith('-') ? 'desc' : 'asc',
      )
      .orderBy('id'),
    wish.bounds,
  );
}

/** Adds a group; says whether none of the environment has its cross id. */
export async function insertGroup(trx: Trx, row: Insertable<SharedPolicyGroupTable>): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('shared_policy_group')
    .values(row)
    .onConflict((conflict) => conflict.columns(['environment', 'cross_id']).doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) === 1;
}

/** Changes a group. */
export function updateGroupRow(
  trx: Trx,
  row: SharedPolicyGroupRow,
  set: Updateable<SharedPolicyGroupTable>,
): Promise<SharedPolicyGroupRow> {
  return inTenant(trx.updateTable('shared_policy_group'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a group. */
export async function deleteGroupRow(trx: Trx, row: SharedPolicyGroupRow): Promise<void> {
  await inTenant(trx.deleteFrom('shared_policy_group'), row).where('id', '=', row.id).execute();
}

/** Definitions of deployed APIs, as JSON, that name the group, in a step that is disabled perhaps. */
export async function deployedNaming(
  trx: Trx,
  at: EnvironmentRef,
  crossId: string,
): Promise<readonly string[]> {
  const rows = await naming(trx, at, crossId).select('api_deployment.definition').orderBy('api.id').execute();
  return rows.map(({ definition }) => definition);
}

/**
 * A page of the APIs whose deployment says the id where it names groups, by name. Looking for it in texts is what it costs, so it is done once for
 * the page and how many there are.
 */
export async function listNaming(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  { crossId, bounds: { limit, offset } }: { readonly crossId: string; readonly bounds: PageBounds },
): Promise<Rows<{ readonly id: string; readonly name: string }>> {
  const all = await naming(storage.db, at, crossId)
    .select(['api.id', 'api.name'])
    .orderBy('api.name')
    .orderBy('api.id')
    .execute();
  return { rows: all.slice(offset, offset + limit), total: all.length };
}

/** What gateways have of APIs, as far as it names the group. */
function naming(db: Queries, at: EnvironmentRef, crossId: string) {
  const find = sql.raw(db.getExecutor().adapter instanceof PostgresAdapter ? 'strpos' : 'instr');
  const apis = inTenant(db.selectFrom('api'), at).select(['environment', 'id', 'name', 'deployed_number']);
  return (
    db
      .selectFrom(apis.as('api'))
      .innerJoin('api_deployment', (join) =>
        join
          .onRef('api_deployment.environment', '=', 'api.environment')
          .onRef('api_deployment.api_id', '=', 'api.id')
          .onRef('api_deployment.number', '=', 'api.deployed_number'),
      )
      // A text that is not a name has its quotes escaped.
      .where(sql<boolean>`${find}(api_deployment.definition, ${`"sharedPolicyGroupId":"${crossId}"`}) > 0`)
  );
}

/** Most groups that are listed for who designs an API. */
const pluginsMax = 1_000;
/** Most versions of a group that are kept; the oldest go first. */
const versionsMax = 100;

/** Keeps what a deployment sent. */
export async function insertVersion(trx: Trx, row: GroupVersionRow): Promise<void> {
  await trx.insertInto('shared_policy_group_version').values(row).execute();
  await inTenant(trx.deleteFrom('shared_policy_group_version'), row)
    .where('group_id', '=', row.group_id)
    .where('version', '<=', row.version - versionsMax)
    .execute();
}

/** A page of the versions of a group, the newest first unless sorted otherwise. */
export function listVersions(
  storage: Pick<Storage, 'db'>,
  group: SharedPolicyGroupRow,
  { sort = '-version', bounds }: { readonly sort?: VersionSort | undefined; readonly bounds: PageBounds },
): Promise<Rows<GroupVersionRow>> {
  const columns = {
    version: 'version',
    updatedAt: 'updated_at_ms',
    deployedAt: 'deployed_at_ms',
  } as const;
  const name = sort.replace('-', '') as keyof typeof columns;
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const all = inTenant(storage.db.selectFrom('shared_policy_group_version'), group)
    .selectAll()
    .where('group_id', '=', group.id);
  return readPage(all.orderBy(columns[name], direction).orderBy('version', direction), bounds);
}

/** The groups that APIs can use: those that gateways have. */
export function listDeployed(db: Queries, at: EnvironmentRef): Promise<SharedPolicyGroupRow[]> {
  return inTenant(db.selectFrom('shared_policy_group'), at)
    .selectAll()
    .where('lifecycle_state', '!=', 'UNDEPLOYED')
    .orderBy('name_key')
    .orderBy('id')
    .limit(pluginsMax)
    .execute();
}
