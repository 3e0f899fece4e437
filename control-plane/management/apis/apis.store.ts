import type { Insertable, Selectable, Updateable } from 'kysely';
import { invariant } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import { writeFoundBy } from './api-search.store.ts';
import { isSamePlace, type TakenPath } from './paths.ts';

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

/** Host and context path that an API takes in its environment, on a server. A trigger leaves out a row whose place another one has. */
interface ApiPathTable {
  readonly environment: string;
  /** Lower case; empty for any host. */
  readonly host: string;
  /** Ends with a slash. */
  readonly path: string;
  /** Id of a server of gateways; empty for all. */
  readonly server: string;
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
/** What of it says whether and to whom gateways serve it. */
export type DeployedApi = Pick<ApiRow, 'id' | 'deployed_number' | 'deployed_tags'>;

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

/** What APIs of an environment are called, by id. */
export async function apiNames(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Pick<ApiRow, 'id' | 'name' | 'description'>>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('api'), at)
    .select(['id', 'name', 'description'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** How APIs are deployed, by id; what is published beside one goes by it. */
export async function deployedApis(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DeployedApi>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('api'), at)
    .select(['id', 'deployed_number', 'deployed_tags'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Adds an API. */
export async function insertApi(trx: Trx, row: Insertable<ApiTable>): Promise<void> {
  await trx.insertInto('api').values(row).execute();
  await writeFoundBy(trx, row);
}

/** Changes an API. */
export async function updateApi(
  trx: Trx,
  row: Pick<ApiRow, 'organization' | 'environment' | 'id'>,
  set: Updateable<ApiTable>,
): Promise<ApiRow> {
  const after = await inTenant(trx.updateTable('api'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (set.definition !== undefined) await writeFoundBy(trx, after);
  return after;
}

/** Removes an API with everything below it but its history. */
export async function deleteApi(trx: Trx, at: EnvironmentRef, id: string): Promise<void> {
  await inTenant(trx.deleteFrom('api'), at).where('id', '=', id).execute();
}

/** Takes places for an API instead of those it had; says which one another API has, and which API that is, if any. */
export async function takePaths<Path extends TakenPath>(
  trx: Trx,
  api: Pick<ApiRow, 'organization' | 'environment' | 'id'>,
  wish: { readonly paths: readonly Path[]; readonly nowMs: number },
): Promise<TakenBy<Path> | undefined> {
  await inTenant(trx.deleteFrom('api_path'), api).where('api_id', '=', api.id).execute();
  for (let from = 0; from < wish.paths.length; from += rowsPerInsert) {
    const paths = wish.paths.slice(from, from + rowsPerInsert);
    const rows = paths.map(({ host, path, server }) => ({
      environment: api.environment,
      organization: api.organization,
      host,
      path,
      server,
      api_id: api.id,
      created_at_ms: wish.nowMs,
    }));
    // What is taken is left out and no error: a failed statement would end the transaction on PostgreSQL.
    const inserted = await trx
      .insertInto('api_path')
      .values(rows)
      .returning(['host', 'path', 'server'])
      .execute();
    if (inserted.length === rows.length) continue;
    const own = new Set(inserted.map(keyOf));
    const path = paths.find((one) => !own.has(keyOf(one)));
    invariant(path !== undefined, 'a row that is left out is one of them');
    // Whoever had it may have left it since.
    return (
      (await findTaken(trx, api, { paths: [path], except: api.id })) ?? {
        path,
        server: path.server,
        by: undefined,
      }
    );
  }
  return undefined;
}

/** A place that somebody asked for, and the API that has it. */
interface TakenBy<Path extends TakenPath> {
  readonly path: Path;
  /** Where both would be; '' when both are on all servers. */
  readonly server: string;
  readonly by: ApiRow | undefined;
}

/** The first of these places that another API than `except` has, on a server that both name or on all of them. */
export async function findTaken<Path extends TakenPath>(
  db: Queries,
  at: EnvironmentRef,
  { paths, except }: { readonly paths: readonly Path[]; readonly except?: string | undefined },
): Promise<TakenBy<Path> | undefined> {
  for (let from = 0; from < paths.length; from += rowsPerInsert) {
    const some = paths.slice(from, from + rowsPerInsert);
    let rows = inTenant(db.selectFrom('api_path'), at)
      .select(['host', 'path', 'server', 'api_id'])
      .where('host', 'in', [...new Set(some.map(({ host }) => host))])
      .where('path', 'in', [...new Set(some.map(({ path }) => path))]);
    if (except !== undefined) rows = rows.where('api_id', '!=', except);
    const others = await rows.execute();
    for (const path of some) {
      const other = others.find((row) => isSamePlace(path, row));
      if (other === undefined) continue;
      const server = path.server === '' ? other.server : path.server;
      return { path, server, by: await findApi(db, at, other.api_id) };
    }
  }
  return undefined;
}

const keyOf = ({ host, path, server }: TakenPath): string => JSON.stringify([host, path, server]);

/** Far below the 32,766 values of a statement on SQLite. */
const rowsPerInsert = 500;

/** APIs that may have listeners of a type; gateways run none of TCP or Kafka yet, so that there are few. */
export function definitionsWith(
  db: Queries,
  at: EnvironmentRef,
  { listener, except }: { readonly listener: 'TCP' | 'KAFKA'; readonly except?: string | undefined },
): Promise<readonly ApiRow[]> {
  let query = inTenant(db.selectFrom('api'), at)
    .selectAll()
    .where('definition', 'like', `%"type":"${listener}"%`);
  if (except !== undefined) query = query.where('id', '!=', except);
  return query.orderBy('created_at_ms').limit(1_000).execute();
}
