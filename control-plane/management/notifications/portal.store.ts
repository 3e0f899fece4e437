import type { PageBounds, Rows } from '../../storage/read-page.ts';
import { readPage } from '../../storage/read-page.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { PortalRow } from './notifications.store.ts';

/** Whose notifications. */
export interface Reader {
  readonly organization: string;
  readonly userId: string;
}

/** A page of them, oldest first, as the reference product has it; `newest` the other way round. */
export function listPortal(
  db: Queries,
  { organization, userId }: Reader,
  { bounds, isNewestFirst }: { readonly bounds: PageBounds; readonly isNewestFirst: boolean },
): Promise<Rows<PortalRow>> {
  const direction = isNewestFirst ? 'desc' : 'asc';
  return readPage(
    db
      .selectFrom('portal_notification')
      .selectAll()
      .where('organization', '=', organization)
      .where('user_id', '=', userId)
      .orderBy('created_at_ms', direction)
      .orderBy('id', direction),
    bounds,
  );
}

/** Adds some. */
export async function insertPortal(trx: Trx, rows: readonly PortalRow[]): Promise<void> {
  if (rows.length > 0) await trx.insertInto('portal_notification').values(rows).execute();
}

/** Removes one, or all of a user; says how many there were. */
export async function deletePortal(
  db: Queries,
  { organization, userId }: Reader,
  id?: string,
): Promise<number> {
  let gone = db
    .deleteFrom('portal_notification')
    .where('organization', '=', organization)
    .where('user_id', '=', userId);
  if (id !== undefined) gone = gone.where('id', '=', id);
  return Number((await gone.executeTakeFirstOrThrow()).numDeletedRows);
}

/** Removes all of a user but the newest. */
export async function keepNewest(trx: Trx, { organization, userId }: Reader, most: number): Promise<void> {
  const oldest = await trx
    .selectFrom('portal_notification')
    .select(['created_at_ms'])
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .orderBy('created_at_ms', 'desc')
    .offset(most)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await trx
    .deleteFrom('portal_notification')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .where('created_at_ms', '<=', oldest.created_at_ms)
    .execute();
}
