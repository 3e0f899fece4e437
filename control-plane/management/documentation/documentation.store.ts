import type { ExpressionBuilder, Insertable, Selectable, Updateable } from 'kysely';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { Database } from '../../storage/tables.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';

/** A page of documentation of an API, or of an environment, or a folder of pages. */
interface ApiPageTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** null for a page of the environment. */
  readonly api_id: string | null;
  /** The folder that it lies in; null at the top. */
  readonly parent_id: string | null;
  readonly type: string;
  name: string;
  /** As it was written; null for a folder. */
  content: string | null;
  position: number;
  is_published: number;
  is_homepage: number;
  visibility: string;
  /** JSON: accessControls, excludedAccessControls, configuration, source; what is secret of the source is sealed. */
  access: string;
  last_contributor: string;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_page: ApiPageTable;
  }
}

/** Whose pages: an API's, or the environment's itself. */
export interface PageOwner {
  readonly at: EnvironmentRef;
  /** Of the API; absent for the environment. */
  readonly id?: string | undefined;
}

/** A row of api_page. */
export type PageRow = Selectable<ApiPageTable>;
/** The same without what was written. */
export type PageHead = Omit<PageRow, 'content'>;

const headColumns = [
  'id',
  'organization',
  'environment',
  'api_id',
  'parent_id',
  'type',
  'name',
  'position',
  'is_published',
  'is_homepage',
  'visibility',
  'access',
  'last_contributor',
  'updated_at_ms',
] as const;

const isOwned =
  ({ id }: PageOwner) =>
  (where: ExpressionBuilder<Database, 'api_page'>) =>
    id === undefined ? where('api_id', 'is', null) : where('api_id', '=', id);

/** All pages of an owner in their order, without their contents. */
export function pagesOf(db: Queries, owner: PageOwner): Promise<PageHead[]> {
  return inTenant(db.selectFrom('api_page'), owner.at)
    .select(headColumns)
    .where(isOwned(owner))
    .orderBy('position')
    .orderBy('name')
    .orderBy('id')
    .execute();
}

/** One page of an owner. */
export function findPage(db: Queries, owner: PageOwner, pageId: string): Promise<PageRow | undefined> {
  return inTenant(db.selectFrom('api_page'), owner.at)
    .selectAll()
    .where(isOwned(owner))
    .where('id', '=', pageId)
    .executeTakeFirst();
}

/** One page of an environment, whoever has it. */
export function findAnyPage(db: Queries, at: EnvironmentRef, pageId: string): Promise<PageRow | undefined> {
  return inTenant(db.selectFrom('api_page'), at).selectAll().where('id', '=', pageId).executeTakeFirst();
}

/** Fetches no page of an API any more. */
export async function endFetchesOfApi(trx: Trx, at: EnvironmentRef, apiId: string): Promise<void> {
  const ofApi = inTenant(trx.selectFrom('api_page'), at).select('id').where('api_id', '=', apiId);
  await inTenant(trx.deleteFrom('fetched'), at).where('kind', '=', 'page').where('id', 'in', ofApi).execute();
}

/** Adds a page. */
export async function insertPage(trx: Trx, row: Insertable<ApiPageTable>): Promise<void> {
  await trx.insertInto('api_page').values(row).execute();
}

/** Changes a page. */
export async function updatePage(trx: Trx, row: PageHead, set: Updateable<ApiPageTable>): Promise<void> {
  await inTenant(trx.updateTable('api_page'), row).set(set).where('id', '=', row.id).execute();
}

/** Removes a page. */
export async function deletePage(trx: Trx, row: PageHead): Promise<void> {
  await inTenant(trx.deleteFrom('api_page'), row).where('id', '=', row.id).execute();
}

/** Pages of one look. */
const pagesPerLook = 500;

/** Some pages of an environment by their ids, behind one, with what may hold secrets of them. */
export function accessesAfter(
  db: Queries,
  at: EnvironmentRef,
  after: string,
): Promise<Pick<PageHead, 'id' | 'access'>[]> {
  return inTenant(db.selectFrom('api_page'), at)
    .select(['id', 'access'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(pagesPerLook)
    .execute();
}

/** Writes it in the place of what was read, unless somebody changed it meanwhile; says how many rows it wrote. */
export async function rewriteAccess(
  trx: Trx,
  at: EnvironmentRef,
  { id, access, to }: Pick<PageHead, 'id' | 'access'> & { readonly to: string },
): Promise<number> {
  const { numUpdatedRows } = await inTenant(trx.updateTable('api_page'), at)
    .set({ access: to })
    .where('id', '=', id)
    .where('access', '=', access)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}
