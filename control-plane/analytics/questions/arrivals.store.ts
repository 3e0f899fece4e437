import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries } from '../../storage/storage.ts';

/** A file of records as it came into the manifest. */
export interface Arrival {
  readonly id: string;
  /** Of the ingester's clock, which may be another machine's tomorrow. */
  readonly arrivedMs: number;
}

/** Hints that something has arrived in the lake: the payload is the environment's id. */
export const arrivedTopic = 'arrived';

/** Most files that are called new at once. */
const arrivalsMax = 500;
/** Files with logs lie in a folder of their own. */
const ofLogs = '%/stream=logs/%';

/**
 * Files that arrived at or after a time of the ingester's clock and may hold records since another one, the first to arrive first; at most
 * {@link arrivalsMax}, the last of them.
 */
export async function arrivedSince(
  db: Queries,
  at: EnvironmentRef,
  { arrivedMs, recordsMs }: { readonly arrivedMs: number; readonly recordsMs: number },
): Promise<readonly Arrival[]> {
  const rows = await inTenant(db.selectFrom('lake_file'), at)
    .select(['id', 'changed_at_ms'])
    .where('object_key', 'not like', ofLogs)
    .where('state', '=', 'live')
    .where('max_ms', '>=', recordsMs)
    .where('changed_at_ms', '>=', arrivedMs)
    .orderBy('changed_at_ms', 'desc')
    .orderBy('id')
    .limit(arrivalsMax)
    .execute();
  return rows.map(({ id, changed_at_ms }) => ({ id, arrivedMs: Number(changed_at_ms) })).toReversed();
}
