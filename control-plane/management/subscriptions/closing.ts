import { listKeysOf, updateKey } from '../api-keys/api-keys.store.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { publishSubscription } from '../deployments/publication.ts';
import { type Change, laterThan } from '../desk.ts';
import { type SubscriptionRow, updateSubscription } from './subscriptions.store.ts';

/** Closes a subscription for good and revokes its keys, but for one that the application shares; gateways learn of it with the commit. The API's row is locked. */
export async function closeSubscriptionLocked(
  now: Change,
  api: ApiRow,
  row: SubscriptionRow,
): Promise<SubscriptionRow> {
  const closed = await updateSubscription(now.trx, row, {
    status: 'CLOSED',
    closed_at_ms: now.nowMs,
    updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
  });
  // Published while the keys still count as live, so that each of them is withdrawn by name.
  await publishSubscription(now, api, closed);
  for (const key of await listKeysOf(now.trx, now.at, { column: 'subscription_id', ids: [row.id] })) {
    if (key.revoked_at_ms !== null || key.exclusive_to === null) continue;
    await updateKey(now.trx, key, {
      revoked_at_ms: now.nowMs,
      updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
    });
  }
  const touched = { SUBSCRIPTION: row.id, APPLICATION: row.application_id };
  await now.audit(
    'SUBSCRIPTION_CLOSED',
    { type: 'API', id: row.api_id, before: row, after: closed },
    touched,
  );
  return closed;
}
