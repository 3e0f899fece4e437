import { randomBytes, randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { publishKey } from '../deployments/publication.ts';
import { type Change, laterThan } from '../desk.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import {
  type ApiKeyRow,
  insertKey,
  insertOpening,
  listKeysOf,
  type OpeningKey,
  updateKey,
} from './api-keys.store.ts';

/** How long other keys of a subscription live on after a renewal; the reference's figure. */
export const renewalGraceMs = 2 * 3_600_000;

/** A key just made; `key` is in no other place. */
export interface IssuedKey<Row extends ApiKeyRow = ApiKeyRow> {
  readonly row: Row;
  readonly key: string;
}

/** When a key ends, in ms since the epoch; Infinity for never. */
export function endOf({ expire_at_ms: endMs }: ApiKeyRow): number {
  return endMs ?? Number.POSITIVE_INFINITY;
}

/** Whether a key opens what it is for. */
export function isLive(key: ApiKeyRow, nowMs: number): boolean {
  return key.revoked_at_ms === null && endOf(key) > nowMs;
}

/** Makes a key that opens nothing yet. Errors: apiKey.existing for a custom key that is in use. */
export async function makeKey(
  now: Change,
  wish: {
    readonly applicationId: string;
    readonly customKey: string | undefined;
    /** The subscription that alone it opens; of the whole application when absent. */
    readonly exclusiveTo?: SubscriptionRow;
  },
): Promise<IssuedKey> {
  const key = wish.customKey ?? randomBytes(24).toString('base64url');
  const row: ApiKeyRow = {
    organization: now.at.organization,
    environment: now.at.environment,
    id: randomUUID(),
    application_id: wish.applicationId,
    exclusive_to: wish.exclusiveTo?.id ?? null,
    hash: Buffer.from(apiKeyHash(now.at.environment, key)).toString('hex'),
    created_at_ms: now.nowMs,
    updated_at_ms: now.nowMs,
    expire_at_ms: wish.exclusiveTo?.ending_at_ms ?? null,
    revoked_at_ms: null,
  };
  if (!(await insertKey(now.trx, row)))
    throw new Fault('apiKey.existing', {
      details: [
        {
          path: 'customApiKey',
          message:
            'is in use in this environment; choose another one, or let the application share one key (api_key_mode SHARED)',
        },
      ],
    });
  return { row, key };
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
): Promise<IssuedKey<OpeningKey>> {
  const { api, subscription } = at;
  const others = await listKeysOf(now.trx, now.at, {
    column: 'subscription_id',
    ids: [subscription.id],
  });
  const made = await makeKey(now, {
    applicationId: subscription.application_id,
    customKey: wish.customKey,
    exclusiveTo: subscription,
  });
  const { nowMs } = now;
  const names = { record_id: made.row.id, subscription_id: subscription.id, api_id: api.id };
  const row = await insertOpening(now.trx, made.row, { ...names, nowMs });
  publishKey(now, api, { key: row, subscription });
  if (wish.isRenewal) await endLater(now, at, others);
  const event = wish.isRenewal && others.length > 0 ? 'APIKEY_RENEWED' : 'APIKEY_CREATED';
  const touched = { API_KEY: row.id, SUBSCRIPTION: subscription.id };
  await now.audit(event, { type: 'API', id: api.id, after: row }, touched);
  return { row, key: made.key };
}

async function endLater(
  now: Change,
  { api, subscription }: { readonly api: ApiRow; readonly subscription: SubscriptionRow },
  keys: readonly OpeningKey[],
): Promise<void> {
  const endMs = now.nowMs + renewalGraceMs;
  for (const key of keys) {
    if (key.revoked_at_ms !== null || endOf(key) <= endMs) continue;
    const ending = await updateKey(now.trx, key, {
      expire_at_ms: endMs,
      updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
    });
    publishKey(now, api, { key: ending, subscription });
  }
}
