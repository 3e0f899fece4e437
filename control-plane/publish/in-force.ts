import type { EnvironmentRef, RecordKind } from '../../proto/wire/published.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import type { Queries } from '../storage/storage.ts';

/** A record that gateways have, or would have, now. */
export interface RecordInForce {
  readonly id: string;
  /** As proto/wire/payloads.ts decodes it. */
  readonly payload: Uint8Array;
}

/** The newest records of a kind, withdrawn ones left out, by id; of all ids, or of some. limit: most of them. */
export async function recordsInForce(
  db: Queries,
  at: EnvironmentRef,
  wish: { readonly kind: RecordKind; readonly ids?: readonly string[]; readonly limit: number },
): Promise<readonly RecordInForce[]> {
  if (wish.ids?.length === 0) return [];
  let query = db
    .selectFrom('published_latest')
    .innerJoin('published_record', (join) =>
      join
        .onRef('published_record.organization', '=', 'published_latest.organization')
        .onRef('published_record.environment', '=', 'published_latest.environment')
        .onRef('published_record.seq', '=', 'published_latest.seq'),
    )
    .select(['published_latest.id', 'published_record.bytes'])
    .where('published_latest.organization', '=', at.organization)
    .where('published_latest.environment', '=', at.environment)
    .where('published_latest.kind', '=', wish.kind)
    .where('published_latest.is_deleted', '=', 0);
  if (wish.ids !== undefined) query = query.where('published_latest.id', 'in', wish.ids);
  const rows = await query.orderBy('published_latest.id').limit(wish.limit).execute();
  return rows.map(({ id, bytes }) => ({ id, payload: decodeRecord(bytes).payload }));
}
