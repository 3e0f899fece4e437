import type { Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Where an API stands in its review. */
interface ApiReviewTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  state: ReviewState;
  message: string | null;
  user_id: string;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_review: ApiReviewTable;
  }
}

/** States of a review; who never asked for one has none. */
export const reviewStates = ['IN_REVIEW', 'REQUEST_FOR_CHANGES', 'REVIEW_OK'] as const;
/** One of {@link reviewStates}. */
export type ReviewState = (typeof reviewStates)[number];
/** A row of api_review. */
export type ReviewRow = Selectable<ApiReviewTable>;

/** The reviews of APIs, by id. */
export async function reviewsOf(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReviewRow>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('api_review'), at)
    .selectAll()
    .where('api_id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.api_id, row]));
}

/** Writes where an API stands. */
export async function writeReview(trx: Trx, row: ReviewRow): Promise<void> {
  const { state, message, user_id, updated_at_ms } = row;
  await trx
    .insertInto('api_review')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('api_id').doUpdateSet({ state, message, user_id, updated_at_ms }),
    )
    .execute();
}
