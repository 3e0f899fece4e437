import { sql } from 'kysely';
import type { Queries } from '../../storage/storage.ts';
import type { RaisedRow } from './notifications.store.ts';

/** Most of an organization that wait to be told. */
export const raisedMax = 2_000;

/** What was raised and not told yet in all organizations, of each a few, so that nobody's many changes keep others waiting; the oldest first. */
export function nextRaised(
  db: Queries,
  { each, limit }: { readonly each: number; readonly limit: number },
): Promise<readonly RaisedRow[]> {
  const ranked = db
    .selectFrom('raised_hook')
    .selectAll()
    .select(sql<number>`row_number() over (partition by organization order by created_at_ms, id)`.as('place'))
    .as('ranked');
  return db
    .selectFrom(ranked)
    .selectAll()
    .where('place', '<=', each)
    .orderBy('place')
    .orderBy('created_at_ms')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Whether so many of an organization wait to be told. */
export async function isRaisedFull(db: Queries, organization: string, most: number): Promise<boolean> {
  const last = await db
    .selectFrom('raised_hook')
    .select('id')
    .where('organization', '=', organization)
    .offset(most - 1)
    .limit(1)
    .executeTakeFirst();
  return last !== undefined;
}
