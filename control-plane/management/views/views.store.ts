import type { Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inOrganization, inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** The search of a list of the console, kept under a name. */
interface SavedViewTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  /** The name in lower case, by which lists are ordered and no two are the same. */
  name_key: string;
  /** Which list. */
  readonly page: string;
  /** What stands behind the question mark of its address. */
  query: string;
  /** Id of a user. */
  readonly owner: string;
  /** 1 when everybody in the environment has it. */
  is_shared: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    saved_view: SavedViewTable;
  }
}

/** A row of saved_view. */
export type ViewRow = Selectable<SavedViewTable>;
/** The same with how its owner is called. */
export type OwnedViewRow = ViewRow & { readonly owner_name: string | null };

/** Whoever looks at an environment's views. */
export interface Viewer {
  readonly at: EnvironmentRef;
  readonly userId: string;
}

/** What somebody has kept or shares, by name; `limit` bounds it. */
export function listViewRows(
  db: Queries,
  viewer: Viewer,
  { page, limit }: { readonly page: string | undefined; readonly limit: number },
): Promise<OwnedViewRow[]> {
  let query = seenBy(db, viewer).orderBy('name_key').orderBy('id').limit(limit);
  if (page !== undefined) query = query.where('page', '=', page);
  return query.execute();
}

/** One view that this user has kept or shares. */
export function findView(
  db: Queries,
  { id, ...viewer }: Viewer & { readonly id: string },
): Promise<OwnedViewRow | undefined> {
  return seenBy(db, viewer).where('id', '=', id).executeTakeFirst();
}

function seenBy(db: Queries, { at, userId }: Viewer) {
  return inTenant(db.selectFrom('saved_view'), at)
    .where((where) => where.or([where('owner', '=', userId), where('is_shared', '=', 1)]))
    .selectAll()
    .select((select) =>
      select
        .selectFrom('user_account')
        .select('display_name')
        .whereRef('user_account.id', '=', 'saved_view.owner')
        .where('user_account.organization', '=', at.organization)
        .as('owner_name'),
    );
}

/** How many views a user has in the environment. */
export async function countOwnViews(db: Queries, { at, userId }: Viewer): Promise<number> {
  const { total } = await counted(db, at).where('owner', '=', userId).executeTakeFirstOrThrow();
  return Number(total);
}

/** How many views everybody in the environment has. */
export async function countSharedViews(db: Queries, at: EnvironmentRef): Promise<number> {
  const { total } = await counted(db, at).where('is_shared', '=', 1).executeTakeFirstOrThrow();
  return Number(total);
}

const counted = (db: Queries, at: EnvironmentRef) =>
  inTenant(db.selectFrom('saved_view'), at).select((select) => select.fn.countAll<number>().as('total'));

/** Adds a view; a name that its owner has for that page is a unique violation. */
export async function insertView(trx: Trx, row: ViewRow): Promise<void> {
  await trx.insertInto('saved_view').values(row).execute();
}

/** Changes a view; a name that its owner has for that page is a unique violation. */
export function updateViewRow(trx: Trx, row: ViewRow, set: Updateable<SavedViewTable>): Promise<ViewRow> {
  return inTenant(trx.updateTable('saved_view'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a view. */
export async function deleteViewRow(trx: Trx, row: ViewRow): Promise<void> {
  await inTenant(trx.deleteFrom('saved_view'), row).where('id', '=', row.id).execute();
}

/** Forgets what somebody has kept for himself, in every environment; what he shared stays for the others. */
export async function forgetViews(
  trx: Trx,
  person: { readonly organization: string; readonly userId: string },
): Promise<void> {
  await inOrganization(trx.deleteFrom('saved_view'), person.organization)
    .where('owner', '=', person.userId)
    .where('is_shared', '=', 0)
    .execute();
}
