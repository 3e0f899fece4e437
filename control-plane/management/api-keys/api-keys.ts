import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { findApplication } from '../applications/applications.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { publishKey } from '../deployments/publication.ts';
import { isServed } from '../deployments/records.ts';
import { type Change, change, type Desk, laterThan } from '../desk.ts';
import { momentMs } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { type ApiKeyView, apiKeyView } from '../subscriptions/subscription-shape.ts';
import { findSubscription, type SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import { type Found, lockedSubscription, requireSubscription } from '../subscriptions/subscriptions.ts';
import { findKey, type OpeningKey, pageOfKeys, subscriptionsOfKeys, updateKey } from './api-keys.store.ts';
import { issueKeyLocked } from './issuing.ts';

/** Whose keys are meant: by API for publishers, by application for consumers. */
export interface KeysRef {
  readonly at: EnvironmentRef;
  readonly subscriptionId: string;
  readonly apiId?: string;
  readonly applicationId?: string;
}

/** A page of a subscription's keys, without their values. */
export async function listKeys(
  desk: Desk,
  ref: KeysRef & { readonly page: PageWish },
): Promise<{ readonly data: readonly ApiKeyView[]; readonly total: number }> {
  const { db } = desk.storage;
  const row = await findSubscription(db, ref.at, ref.subscriptionId);
  const application = row && (await findApplication(db, ref.at, row.application_id));
  const subscription = ofRef(row, ref);
  const { rows, total } = await pageOfKeys(db, ref.at, {
    subscriptionId: subscription.id,
    bounds: boundsOf(ref.page),
  });
  const shared = rows.filter((key) => key.exclusive_to === null).map((key) => key.id);
  const opened = await subscriptionsOfKeys(db, ref.at, shared);
  const data = rows.map((key) =>
    apiKeyView(key, {
      nowMs: desk.clock.now(),
      // One that is shared goes on opening the others.
      isPaused: key.exclusive_to !== null && subscription.status === 'PAUSED',
      application,
      subscriptions: opened.get(key.id),
    }),
  );
  return { data, total };
}

/** Makes a new key, shown only in this answer; every other live key of the subscription ends in two hours. */
export function renewKey(
  desk: Desk,
  actor: Actor,
  ref: KeysRef & { readonly customKey?: string | undefined },
): Promise<ApiKeyView> {
  return changeKeys({ desk, actor, ref }, async (now, { api, subscription, application, plan }) => {
    if (plan.security_type !== 'API_KEY')
      throw new Fault('api_key.wrong_state', { detail: 'The plan of this subscription has no keys.' });
    if (subscription.status !== 'ACCEPTED')
      throw new Fault('api_key.wrong_state', {
        detail: `The subscription is ${subscription.status}; only an accepted one gets keys.`,
      });
    const issued = await issueKeyLocked(
      now,
      { api, subscription },
      { customKey: ref.customKey, isRenewal: true },
    );
    return apiKeyView(issued.row, { nowMs: now.nowMs, key: issued.key, application });
  });
}

/** Revokes a key; gateways refuse it as soon as they hear of it. */
export function revokeKey(
  desk: Desk,
  actor: Actor,
  ref: KeysRef & { readonly keyId: string },
): Promise<ApiKeyView> {
  return changeKeys({ desk, actor, ref }, async (now, found) => {
    const { api, subscription, application } = found;
    const key = await keyOf(now, found, ref.keyId);
    if (key.revoked_at_ms !== null)
      throw new Fault('apiKey.expired', { detail: 'The key is revoked already.' });
    const revoked = await updateKey(now.trx, key, {
      revoked_at_ms: now.nowMs,
      updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
    });
    publishKey(now, api, { key: revoked, subscription });
    const touched = { API_KEY: key.id, SUBSCRIPTION: subscription.id };
    await now.audit('APIKEY_REVOKED', { type: 'API', id: api.id, before: key, after: revoked }, touched);
    return apiKeyView(revoked, { nowMs: now.nowMs, application });
  });
}

/**
 * Says when a key ends, at once or later; without a moment it ends with its subscription. Errors: apiKey.expired for one that is revoked.
 */
export function endKey(
  desk: Desk,
  actor: Actor,
  ref: KeysRef & { readonly keyId: string; readonly expireAt: string | undefined },
): Promise<ApiKeyView> {
  return changeKeys({ desk, actor, ref }, async (now, found) => {
    const key = await keyOf(now, found, ref.keyId);
    if (key.revoked_at_ms !== null)
      throw new Fault('apiKey.expired', { detail: 'The key is revoked.', hint: 'Reactivate it first.' });
    const set = { expire_at_ms: momentMs(ref.expireAt) ?? found.subscription.ending_at_ms };
    return writeKey(now, found, { key, set, event: 'APIKEY_EXPIRED' });
  });
}

/**
 * Lets a key that was revoked or has expired open its subscription again, until that ends.
 *
 * Errors: apiKey.activated for one that does; subscription.closed.
 */
export function reactivateKey(
  desk: Desk,
  actor: Actor,
  ref: KeysRef & { readonly keyId: string },
): Promise<ApiKeyView> {
  return changeKeys({ desk, actor, ref }, async (now, found) => {
    const key = await keyOf(now, found, ref.keyId);
    const { status, id } = found.subscription;
    if (!isServed(status))
      throw new Fault('subscription.closed', {
        detail: `The subscription is ${status}; its keys open nothing any more.`,
        parameters: { subscription: id, status },
      });
    const isExpired = key.expire_at_ms !== null && key.expire_at_ms <= now.nowMs;
    if (key.revoked_at_ms === null && !isExpired) throw new Fault('apiKey.activated');
    const end = isExpired ? found.subscription.ending_at_ms : key.expire_at_ms;
    const set = { revoked_at_ms: null, expire_at_ms: end };
    return writeKey(now, found, { key, set, event: 'APIKEY_REACTIVATED' });
  });
}

async function keyOf(now: Change, { subscription }: Found, id: string): Promise<OpeningKey> {
  const key = await findKey(now.trx, now.at, { subscriptionId: subscription.id, id });
  if (key === undefined) throw new Fault('request.not_found', { detail: `There is no key "${id}" here.` });
  return key;
}

async function writeKey(
  now: Change,
  { api, subscription, application }: Found,
  change: {
    readonly key: OpeningKey;
    readonly set: Parameters<typeof updateKey>[2];
    readonly event: AuditEvent;
  },
): Promise<ApiKeyView> {
  const updatedAtMs = laterThan(change.key.updated_at_ms, now.nowMs);
  const key = await updateKey(now.trx, change.key, { ...change.set, updated_at_ms: updatedAtMs });
  publishKey(now, api, { key, subscription });
  const touched = { API_KEY: key.id, SUBSCRIPTION: subscription.id };
  await now.audit(change.event, { type: 'API', id: api.id, before: change.key, after: key }, touched);
  return apiKeyView(key, { nowMs: now.nowMs, isPaused: subscription.status === 'PAUSED', application });
}

/** Errors: application.apiKeyMode.invalid where the application has one key for all its subscriptions. */
function changeKeys(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: KeysRef },
  work: (now: Change, found: Found) => Promise<ApiKeyView>,
): Promise<ApiKeyView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const found = await lockedSubscription(now, ref);
    if (found.application.api_key_mode === 'SHARED')
      throw new Fault('application.apiKeyMode.invalid', {
        detail: 'The application has one key for all its subscriptions, which this would change.',
        hint: 'Change it at the application, under apikeys.',
      });
    return work(now, found);
  });
}

function ofRef(row: SubscriptionRow | undefined, ref: KeysRef): SubscriptionRow {
  const found = requireSubscription(row, {
    subscriptionId: ref.subscriptionId,
    ...(ref.apiId === undefined ? {} : { id: ref.apiId }),
  });
  if (ref.applicationId !== undefined && found.application_id !== ref.applicationId)
    return requireSubscription(undefined, ref);
  return found;
}
