import { randomBytes, randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { publishKey } from '../deployments/publication.ts';
import { type Change, laterThan } from '../desk.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import { type ApiKeyRow, insertKey, listKeysOf, updateKey } from './api-keys.store.ts';

/** How long other keys of a subscription live on after a renewal; the reference's figure. */
const renewalGraceMs = 2 * 3_600_000;

/** A key just made; `key` is in no other place. */
export interface IssuedKey {
  readonly row: ApiKeyRow;
  readonly key: string;
}

/**
 * Makes a key for an accepted subscription and publishes its hash; the API's row is locked.
 *
 * With `isRenewal` every other live key ends in two hours. Errors: apiKey.existing for a custom key that is in use.
 */
export async function issueKeyLocked(
  now: Change,
  at: { readonly api: ApiRow; readonly subscription: SubscriptionRow },
  wish: { readonly customKey?: string | undefined; readonly isRenewal: boolean },
): Promise<IssuedKey> {
  const { api, subscription } = at;
  const key = wish.customKey ?? randomBytes(24).toString('base64url');
  const row: ApiKeyRow = {
    organization: now.at.organization,
    environment: now.at.environment,
    id: randomUUID(),
    api_id: api.id,
    application_id: subscription.application_id,
    subscription_id: subscription.id,
    hash: Buffer.from(apiKeyHash(now.at.environment, key)).toString('hex'),
    created_at_ms: now.nowMs,
    updated_at_ms: now.nowMs,
    expire_at_ms: subscription.ending_at_ms,
    revoked_at_ms: null,
  };
  const others = await listKeysOf(now.trx, now.at, {
    column: 'subscription_id',
    ids: [subscription.id],
  });
  if (!(await insertKey(now.trx, row)))
    throw new Fault('apiKey.existing', {
      details: [{ path: 'customApiKey', message: 'is in use in this environment; choose another one' }],
    });
  publishKey(now, api, { key: row, subscription });
  if (wish.isRenewal) await endLater(now, at, others);
  const event = wish.isRenewal && others.length > 0 ? 'APIKEY_RENEWED' : 'APIKEY_CREATED';
  await now.audit(event, { type: 'API', id: api.id }, { API_KEY: row.id, SUBSCRIPTION: subscription.id });
  return { row, key };
}

async function endLater(
  now: Change,
  { api, subscription }: { readonly api: ApiRow; readonly subscription: SubscriptionRow },
  keys: readonly ApiKeyRow[],
): Promise<void> {
  const endMs = now.nowMs + renewalGraceMs;
  for (const key of keys) {
    if (key.revoked_at_ms !== null || (key.expire_at_ms ?? Number.POSITIVE_INFINITY) <= endMs) continue;
    const ending = await updateKey(now.trx, key, {
      expire_at_ms: endMs,
      updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
    });
    publishKey(now, api, { key: ending, subscription });
  }
}
