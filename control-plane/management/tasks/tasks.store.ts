import { type SelectQueryBuilder, sql } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Database } from '../../storage/tables.ts';
import type { ReviewRow } from '../reviews/reviews.store.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';

/** For whose APIs something waits in an environment, by what the reader would have to do. */
export interface Waiting {
  readonly at: EnvironmentRef;
  readonly toDecide: Visible;
  readonly toReview: Visible;
  readonly toChange: Visible;
}

/** The oldest of the subscriptions that nobody has decided. */
export function pendingRows(db: Queries, waiting: Waiting, limit: number): Promise<SubscriptionRow[]> {
  return pending(db, waiting).selectAll().orderBy('created_at_ms').orderBy('id').limit(limit).execute();
}

/** The oldest of the reviews that wait for who reviews, or for who is to change the API. */
export function openReviewRows(db: Queries, waiting: Waiting, limit: number): Promise<ReviewRow[]> {
  return reviews(db, waiting).selectAll().orderBy('updated_at_ms').orderBy('api_id').limit(limit).execute();
}

/** How much waits. */
export async function countWaiting(db: Queries, waiting: Waiting): Promise<number> {
  return (await counted(pending(db, waiting))) + (await counted(reviews(db, waiting)));
}

async function counted<Table extends keyof Database>(
  query: SelectQueryBuilder<Database, Table, object>,
): Promise<number> {
  const { total } = await query
    .select(sql<number | string>`count(*)`.as('total'))
    .$castTo<{ readonly total: number | string }>()
    .executeTakeFirstOrThrow();
  return Number(total);
}

function pending(db: Queries, { at, toDecide }: Waiting) {
  // Written out: there is an index of these alone, which a parameter would hide.
  const query = inTenant(db.selectFrom('subscription'), at).where(sql<boolean>`status = 'PENDING'`);
  return toDecide.kind === 'all'
    ? query
    : query.where((where) => isMemberOf(where.ref('api_id'), 'api', toDecide));
}

function reviews(db: Queries, { at, toReview, toChange }: Waiting) {
  return inTenant(db.selectFrom('api_review'), at).where((where) => {
    const inState = (state: ReviewRow['state'], seen: Visible) => {
      const is = where('state', '=', state);
      return seen.kind === 'all' ? is : where.and([is, isMemberOf(where.ref('api_id'), 'api', seen)]);
    };
    return where.or([inState('IN_REVIEW', toReview), inState('REQUEST_FOR_CHANGES', toChange)]);
  });
}
