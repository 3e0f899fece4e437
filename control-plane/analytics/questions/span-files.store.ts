import type { LandingKey } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries } from '../../storage/storage.ts';
import { type LakeFile, ofLogs } from '../lake.store.ts';

/** A live file as questions choose among them. */
export interface SpanFile extends LakeFile, EnvironmentRef {
  /** Times of the oldest and newest record; ms since the epoch. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Which figures of it are written beside it (rollups/), as JSON; null where none are. */
  readonly rollup: string | null;
}

/** Live files that may hold records of a span, the oldest first. */
export async function filesOfSpan(
  db: Queries,
  span: EnvironmentRef & { readonly fromMs: number; readonly toMs: number },
  streams: readonly LandingKey['stream'][],
): Promise<readonly SpanFile[]> {
  const { organization, environment } = span;
  const rows = await inTenant(db.selectFrom('lake_file'), span)
    .$if(!streams.includes('logs'), (query) => query.where('object_key', 'not like', ofLogs))
    .$if(!streams.includes('records'), (query) => query.where('object_key', 'like', ofLogs))
    .select(['id', 'object_key', 'byte_count', 'min_ms', 'max_ms', 'rollup'])
    .where('state', '=', 'live')
    .where('max_ms', '>=', span.fromMs)
    .where('min_ms', '<', span.toMs)
    .orderBy('min_ms')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    key: row.object_key,
    bytes: row.byte_count,
    minMs: row.min_ms,
    maxMs: row.max_ms,
    rollup: row.rollup,
    organization,
    environment,
  }));
}
