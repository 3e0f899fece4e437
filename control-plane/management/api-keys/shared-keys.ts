import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { type ApplicationRef, foundApplication, lockedApplication } from '../applications/applications.ts';
import type { ApplicationRow } from '../applications/applications.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { momentMs } from '../fields.ts';
import { type ApiKeyView, apiKeyView } from '../subscriptions/subscription-shape.ts';
import { type ApiKeyRow, listSharedKeys, subscriptionsOfKeys, type updateKey } from './api-keys.store.ts';
import { isLive } from './issuing.ts';
import { lockKeyedApis, shareKeysLocked, sharedKeyView, writeSharedLocked } from './sharing.ts';

/** Which key of which application is meant. */
export interface SharedKeyRef extends ApplicationRef {
  readonly keyId: string;
}

/** The keys that an application shares among its subscriptions, newest first, without their values. Errors: application.apiKeyMode.invalid. */
export async function listShared(desk: Desk, ref: ApplicationRef): Promise<readonly ApiKeyView[]> {
  const { db } = desk.storage;
  const application = await foundApplication(db, ref);
  requireShared(application);
  const keys = await listSharedKeys(db, ref.at, application.id);
  const opened = await subscriptionsOfKeys(
    db,
    ref.at,
    keys.map((key) => key.id),
  );
  const nowMs = desk.clock.now();
  return keys.map((key) => apiKeyView(key, { nowMs, application, subscriptions: opened.get(key.id) }));
}

/**
 * Makes a new key for all subscriptions, shown only in this answer; every other live one ends in two hours.
 *
 * Errors: application.apiKeyMode.invalid; api_key.wrong_state while nothing is subscribed to; apiKey.existing.
 */
export function renewShared(
  desk: Desk,
  actor: Actor,
  ref: ApplicationRef & { readonly customKey: string | undefined },
): Promise<ApiKeyView> {
  return changeShared({ desk, actor, ref }, async (now, application) => {
    const shared = await shareKeysLocked(now, application, { customKey: ref.customKey, isRenewal: true });
    const view = await sharedKeyView(now, application, shared);
    if (view === undefined)
      throw new Fault('api_key.wrong_state', {
        detail: 'The application has no accepted subscription to a plan with keys.',
      });
    return view;
  });
}

/** Revokes a key, which opens none of the subscriptions any more. Errors: apiKey.expired for one that is revoked. */
export function revokeShared(desk: Desk, actor: Actor, ref: SharedKeyRef): Promise<ApiKeyView> {
  return changeOne({ desk, actor, ref, event: 'APIKEY_REVOKED' }, (key, nowMs) => {
    if (key.revoked_at_ms !== null)
      throw new Fault('apiKey.expired', { detail: 'The key is revoked already.' });
    return { revoked_at_ms: nowMs };
  });
}

/** Says when a key ends; without a moment it does not. Errors: apiKey.expired for one that is revoked. */
export function endShared(
  desk: Desk,
  actor: Actor,
  ref: SharedKeyRef & { readonly expireAt: string | undefined },
): Promise<ApiKeyView> {
  return changeOne({ desk, actor, ref, event: 'APIKEY_EXPIRED' }, (key) => {
    if (key.revoked_at_ms !== null)
      throw new Fault('apiKey.expired', { detail: 'The key is revoked.', hint: 'Reactivate it first.' });
    return { expire_at_ms: momentMs(ref.expireAt) };
  });
}

/** Lets a key that was revoked or has expired open all subscriptions again, for good. Errors: apiKey.activated for one that does. */
export function reactivateShared(desk: Desk, actor: Actor, ref: SharedKeyRef): Promise<ApiKeyView> {
  return changeOne({ desk, actor, ref, event: 'APIKEY_REACTIVATED' }, (key, nowMs) => {
    if (isLive(key, nowMs)) throw new Fault('apiKey.activated');
    const hasEnded = key.expire_at_ms !== null && key.expire_at_ms <= nowMs;
    return { revoked_at_ms: null, expire_at_ms: hasEnded ? null : key.expire_at_ms };
  });
}

function changeOne(
  input: {
    readonly desk: Desk;
    readonly actor: Actor;
    readonly ref: SharedKeyRef;
    readonly event: AuditEvent;
  },
  decide: (key: ApiKeyRow, nowMs: number) => Parameters<typeof updateKey>[2],
): Promise<ApiKeyView> {
  const { ref, event } = input;
  return changeShared(input, async (now, application) => {
    const keys = await listSharedKeys(now.trx, ref.at, application.id);
    const key = keys.find(({ id }) => id === ref.keyId);
    if (key === undefined)
      throw new Fault('request.not_found', { detail: `There is no key "${ref.keyId}" here.` });
    const after = await writeSharedLocked(now, key, decide(key, now.nowMs));
    const object = { type: 'APPLICATION', id: application.id, before: key, after } as const;
    await now.audit(event, object, { API_KEY: key.id });
    const opened = await subscriptionsOfKeys(now.trx, ref.at, [key.id]);
    return apiKeyView(after, { nowMs: now.nowMs, application, subscriptions: opened.get(key.id) });
  });
}

/** Changes what an application shares; it is locked, and the APIs that its keys are for. */
function changeShared(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: ApplicationRef },
  work: (now: Change, application: ApplicationRow) => Promise<ApiKeyView>,
): Promise<ApiKeyView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const application = await lockedApplication(now, ref.id);
    if (application.status === 'ARCHIVED') throw new Fault('application.archived');
    requireShared(application);
    await lockKeyedApis(now, application.id);
    return work(now, application);
  });
}

function requireShared({ api_key_mode: mode }: ApplicationRow): void {
  if (mode !== 'SHARED')
    throw new Fault('application.apiKeyMode.invalid', {
      detail: `The application's keys are ${mode}: each belongs to a subscription.`,
    });
}
