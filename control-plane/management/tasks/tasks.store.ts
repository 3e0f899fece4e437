import { sql } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries } from '../../storage/storage.ts';
import type { ReviewRow } from '../reviews/reviews.store.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';

/** What waits in an environment, and for whose APIs: at most `limit` rows, the oldest. */
interface Waiting {
  readonly at: EnvironmentRef;
  readonly visible: Visible;
  readonly limit: number;
}

/** Subscriptions that nobody has decided. */
export function pendingRows(db: Queries, { at, visible, limit }: Waiting): Promise<SubscriptionRow[]> {
  let asked = inTenant(db.selectFrom('subscription'), at)
    .selectAll()
    // Written out: there is an index of these alone, which a parameter would hide.
    .where(sql<boolean>`status = 'PENDING'`);
  if (visible.kind === 'member')
    asked = asked.where((where) => isMemberOf(where.ref('api_id'), 'api', visible));
  return asked.orderBy('created_at_ms').orderBy('id').limit(limit).execute();
}

/** Reviews that wait for who reviews, or for who is to change the API. */
export function openReviewRows(db: Queries, { at, visible, limit }: Waiting): Promise<ReviewRow[]> {
  let asked = inTenant(db.selectFrom('api_review'), at)
    .selectAll()
    .where('state', 'in', ['IN_REVIEW', 'REQUEST_FOR_CHANGES']);
  if (visible.kind === 'member')
    asked = asked.where((where) => isMemberOf(where.ref('api_id'), 'api', visible));
  return asked.orderBy('updated_at_ms').orderBy('api_id').limit(limit).execute();
}
