import {
  type Expression,
  type ExpressionBuilder,
  type Insertable,
  type Selectable,
  sql,
  type SqlBool,
  type Updateable,
} from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import type { Database } from '../../storage/tables.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import { likePattern } from '../pages.ts';
import type { TakenPath } from './definition.ts';

/** An API as its authors see it now; what gateways serve is the newest row of api_deployment. */
interface ApiTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  /** Lower case, for search. */
  name_key: string;
  api_version: string;
  description: string;
  /** The definition in the management API's spelling, JSON. */
  definition: string;
  /** JSON list of sharding tags, sorted. */
  tags: string;
  visibility: string;
  lifecycle_state: string;
  /** STARTED or STOPPED. */
  state: string;
  readonly created_at_ms: number;
  /** Rises with every change, so it is the ETag. */
  updated_at_ms: number;
  /** 1 when something that gateways serve changed since the last deployment. */
  is_out_of_sync: number;
  /** Number of the newest deployment; 0 before the first. */
  deployed_number: number;
  deployed_at_ms: number | null;
  /** JSON list: the tags under which its subscriptions and keys are published. */
  deployed_tags: string;
}

/** Host and context path that an API takes in its environment; the primary key decides races. */
interface ApiPathTable {
  readonly environment: string;
  /** Lower case; empty for any host. */
  readonly host: string;
  /** Ends with a slash. */
  readonly path: string;
  readonly organization: string;
  readonly api_id: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api: ApiTable;
    api_path: ApiPathTable;
  }
}

/** A row of api. */
export type ApiRow = Selectable<ApiTable>;

/** What a list of APIs may be narrowed by. */
export interface ApiFilter {
  readonly query?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly string[] | undefined;
  readonly visibilities?: readonly string[] | undefined;
  readonly lifecycleStates?: readonly string[] | undefined;
}

/** How a list of APIs may be sorted. */
export const apiSorts = ['name', '-name', 'status', '-status', 'visibility', '-visibility'] as const;
/** One of {@link apiSorts}. */
export type ApiSort = (typeof apiSorts)[number];

/** The API in its environment. */
export function findApi(db: Queries, at: EnvironmentRef, id: string): Promise<ApiRow | undefined> {
  return inTenant(db.selectFrom('api'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * The API with its row locked until the transaction ends.
 *
 * Everything below an API (plans, subscriptions, keys, deployments) takes this lock first, so that what is published
 * agrees with the rows. SQLite has one writer at a time and needs no lock.
 */
export function lockApi(trx: Trx, at: EnvironmentRef, id: string): Promise<ApiRow | undefined> {
  return inTenant(trx.updateTable('api'), at)
    .set((row) => ({ state: row.ref('state') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** A page of APIs. */
export function listApis(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: {
    readonly filter: ApiFilter;
    readonly visible: Visible;
    readonly sort: ApiSort;
    readonly bounds: PageBounds;
  },
): Promise<Rows<ApiRow>> {
  const selected = inTenant(storage.db.selectFrom('api'), at).where((where) =>
    where.and([isVisible(where, wish.visible), matches(where, wish.filter)]),
  );
  const direction = wish.sort.startsWith('-') ? 'desc' : 'asc';
  const column = ({ name: 'name_key', status: 'state', visibility: 'visibility' } as const)[
    wish.sort.replace('-', '') as 'name' | 'status' | 'visibility'
  ];
  return readPage(selected.selectAll().orderBy(column, direction).orderBy('id'), wish.bounds);
}

/** Public APIs, and those that the user is a member of. */
function isVisible(where: ExpressionBuilder<Database, 'api'>, visible: Visible): Expression<SqlBool> {
  if (visible.kind === 'all') return where.lit(true);
  return where.or([where('visibility', '=', 'PUBLIC'), isMemberOf(where.ref('api.id'), 'api', visible)]);
}

function matches(where: ExpressionBuilder<Database, 'api'>, filter: ApiFilter) {
  const conditions = [];
  if (filter.query !== undefined && filter.query !== '') {
    const pattern = likePattern(filter.query);
    conditions.push(
      where.or([
        where('id', '=', filter.query),
        where.exists(
          where
            .selectFrom('api_path')
            .select('path')
            .whereRef('api_path.api_id', '=', 'api.id')
            .where((path) => like(path.ref('api_path.path'), pattern)),
        ),
        like(where.ref('name_key'), pattern),
      ]),
    );
  }
  if (filter.ids !== undefined) conditions.push(where('id', 'in', filter.ids));
  if (filter.states !== undefined) conditions.push(where('state', 'in', filter.states));
  if (filter.visibilities !== undefined) conditions.push(where('visibility', 'in', filter.visibilities));
  if (filter.lifecycleStates !== undefined)
    conditions.push(where('lifecycle_state', 'in', filter.lifecycleStates));
  return where.and(conditions);
}

/** Adds an API. */
export async function insertApi(trx: Trx, row: Insertable<ApiTable>): Promise<void> {
  await trx.insertInto('api').values(row).execute();
}

/** Changes an API. */
export async function updateApi(
  trx: Trx,
  row: Pick<ApiRow, 'organization' | 'environment' | 'id'>,
  set: Updateable<ApiTable>,
): Promise<ApiRow> {
  return inTenant(trx.updateTable('api'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes an API with everything below it but its history. */
export async function deleteApi(trx: Trx, at: EnvironmentRef, id: string): Promise<void> {
  await inTenant(trx.deleteFrom('api'), at).where('id', '=', id).execute();
}

/** Takes host and paths for an API instead of those it had; says which one another API has, and which API that is, if any. */
export async function takePaths(
  trx: Trx,
  api: Pick<ApiRow, 'organization' | 'environment' | 'id'>,
  wish: { readonly paths: readonly TakenPath[]; readonly nowMs: number },
): Promise<(TakenPath & { readonly by: ApiRow | undefined }) | undefined> {
  await inTenant(trx.deleteFrom('api_path'), api).where('api_id', '=', api.id).execute();
  for (const { host, path } of wish.paths) {
    // doNothing instead of an error: a failed statement would end the transaction on PostgreSQL.
    const inserted = await trx
      .insertInto('api_path')
      .values({
        environment: api.environment,
        organization: api.organization,
        host,
        path,
        api_id: api.id,
        created_at_ms: wish.nowMs,
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0)
      return { host, path, by: await findByPath(trx, api, { host, path }) };
  }
  return undefined;
}

function findByPath(trx: Trx, at: EnvironmentRef, { host, path }: TakenPath): Promise<ApiRow | undefined> {
  const taker = inTenant(trx.selectFrom('api_path'), at)
    .select('api_id')
    .where('host', '=', host)
    .where('path', '=', path);
  return inTenant(trx.selectFrom('api'), at).selectAll().where('id', 'in', taker).executeTakeFirst();
}

/** LIKE with the same escape character on both dialects. */
function like(column: Expression<string>, pattern: string): Expression<SqlBool> {
  return sql<SqlBool>`${column} like ${pattern} escape '\\'`;
}
