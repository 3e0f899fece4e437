import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';

/** A category, under which the portal shows APIs; APIs name it by its key. */
interface CategoryTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly key: string;
  name: string;
  description: string;
  /** 1 when only who manages categories sees it. */
  is_hidden: number;
  position: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Where an API stands in a category; one without a row stands behind those that have one. */
interface CategoryApiTable {
  readonly organization: string;
  readonly environment: string;
  readonly category_id: string;
  readonly api_id: string;
  readonly position: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    category: CategoryTable;
    category_api: CategoryApiTable;
  }
}

/** A row of category. */
export type CategoryRow = Selectable<CategoryTable>;

/** An API as a category lists it. */
export interface CategoryApi {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly api_version: string;
}

/** All categories of an environment, in their order. */
export function listCategories(db: Queries, at: EnvironmentRef): Promise<CategoryRow[]> {
  return inTenant(db.selectFrom('category'), at)
    .selectAll()
    .orderBy('position')
    .orderBy('name')
    .orderBy('id')
    .execute();
}

/** Adds a category; says false when there is one of that key. */
export async function insertCategory(trx: Trx, row: Insertable<CategoryTable>): Promise<boolean> {
  const result = await trx
    .insertInto('category')
    .values(row)
    .onConflict((conflict) => conflict.columns(['environment', 'key']).doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Changes a category. */
export function updateCategory(
  trx: Trx,
  row: CategoryRow,
  set: Updateable<CategoryTable>,
): Promise<CategoryRow> {
  return inTenant(trx.updateTable('category'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a category. */
export async function deleteCategory(trx: Trx, row: CategoryRow): Promise<void> {
  await inTenant(trx.deleteFrom('category'), row).where('id', '=', row.id).execute();
}

/** How many APIs name each category, by key. */
export async function countApis(db: Queries, at: EnvironmentRef): Promise<ReadonlyMap<string, number>> {
  const rows = await inTenant(db.selectFrom('api_word'), at)
    .select((select) => ['word', select.fn.countAll<number>().as('total')])
    .where('kind', '=', 'category')
    .groupBy('word')
    .execute();
  return new Map(rows.map(({ word, total }) => [word, Number(total)]));
}

/** Ids of the APIs that name a category, in its order. */
export async function apisIn(db: Queries, category: CategoryRow): Promise<readonly string[]> {
  const rows = await inCategory(db, category).select('api.id').execute();
  return rows.map(({ id }) => id);
}

/** A page of them, of those that somebody may see. */
export function listCategoryApis(
  storage: Pick<Storage, 'db'>,
  category: CategoryRow,
  { visible, bounds }: { readonly visible: Visible; readonly bounds: PageBounds },
): Promise<Rows<CategoryApi>> {
  let selected = inCategory(storage.db, category);
  if (visible.kind === 'member')
    selected = selected.where((where) =>
      where.or([where('api.visibility', '=', 'PUBLIC'), isMemberOf(where.ref('api.id'), 'api', visible)]),
    );
  return readPage(selected.select(['api.id', 'api.name', 'api.description', 'api.api_version']), bounds);
}

function inCategory(db: Queries, category: CategoryRow) {
  const named = inTenant(db.selectFrom('api_word'), category)
    .select('api_id')
    .where('kind', '=', 'category')
    .where('word', '=', category.key);
  return inTenant(db.selectFrom('api'), category)
    .where('id', 'in', named)
    .orderBy(
      sql`coalesce((select position from category_api
        where category_api.category_id = ${category.id} and category_api.api_id = api.id), 1000000000)`,
    )
    .orderBy('name_key')
    .orderBy('id');
}

/** Rows of one insert. */
const rowsPerInsert = 500;

/** Writes the order of a category anew. */
export async function orderApis(trx: Trx, category: CategoryRow, ids: readonly string[]): Promise<void> {
  const { organization, environment, id: category_id } = category;
  await inTenant(trx.deleteFrom('category_api'), category).where('category_id', '=', category_id).execute();
  for (let from = 0; from < ids.length; from += rowsPerInsert) {
    const rows = ids
      .slice(from, from + rowsPerInsert)
      .map((api_id, n) => ({ organization, environment, category_id, api_id, position: from + n }));
    await trx.insertInto('category_api').values(rows).execute();
  }
}

/** The paths of APIs, by id. */
export async function pathsByApi(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('api_path'), at)
    .select(['api_id', 'host', 'path'])
    .where('api_id', 'in', ids)
    .orderBy('host')
    .orderBy('path')
    .execute();
  const paths = new Map<string, string[]>();
  for (const { api_id: id, host, path } of rows) paths.set(id, [...(paths.get(id) ?? []), `${host}${path}`]);
  return paths;
}
