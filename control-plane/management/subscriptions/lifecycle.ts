import { Fault } from '../../../proto/faults/fault.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import type { Actor } from '../../access/actor.ts';
import { findKeyByHash, listKeysOf, updateKey } from '../api-keys/api-keys.store.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import { findApplication } from '../applications/applications.store.ts';
import { publishSubscription } from '../deployments/publication.ts';
import { type Change, change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { momentMs } from '../fields.ts';
import { findPlan } from '../plans/plans.store.ts';
import { checkIfMatch } from '../route.ts';
import { viewOf } from './showing.ts';
import type { SubscriptionUpdate, SubscriptionView, Verified, VerifyWish } from './subscription-shape.ts';
import { customApiKeySchema } from '../../../proto/model/subscription.ts';
import {
  audit,
  changeSubscription,
  type Found,
  lockedSubscription,
  type SubscriptionRef,
} from './subscriptions.ts';
import { openSubscriptions, type SubscriptionRow, updateSubscription } from './subscriptions.store.ts';

type Set = Parameters<typeof updateSubscription>[2];

/**
 * Replaces what can be written of an accepted or paused subscription; its keys end when it does.
 *
 * Errors: subscription.notUpdatable; request.precondition_failed; request.invalid when it would end before it starts.
 */
export function editSubscription(
  desk: Desk,
  actor: Actor,
  ref: SubscriptionRef & { readonly wish: SubscriptionUpdate; readonly ifMatch?: string | undefined },
): Promise<SubscriptionView> {
  const { wish } = ref;
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    const before = found.subscription;
    checkIfMatch(ref.ifMatch, before.updated_at_ms);
    requireServed(before);
    const endingAtMs = momentMs(wish.endingAt);
    const startingAtMs = momentMs(wish.startingAt) ?? before.starting_at_ms;
    if (endingAtMs !== null && endingAtMs <= (startingAtMs ?? before.created_at_ms))
      throw new Fault('request.invalid', {
        details: [{ path: 'endingAt', message: 'must be after startingAt' }],
      });
    const set = { ...noted(wish), starting_at_ms: startingAtMs, ending_at_ms: endingAtMs };
    if (isAsBefore(before, set)) return viewOf(now.trx, before, found);
    const after = await settle(now, found, set);
    await audit(now, 'SUBSCRIPTION_UPDATED', { before: found.subscription, after });
    return viewOf(now.trx, after, found);
  });
}

/** Pauses an accepted subscription: gateways refuse its calls. Errors: subscription.notPausable. */
export function pauseSubscription(desk: Desk, actor: Actor, ref: SubscriptionRef): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    const { id, status } = found.subscription;
    if (status !== 'ACCEPTED')
      throw new Fault('subscription.notPausable', { parameters: { subscription: id, status } });
    const paused = await settle(now, found, { status: 'PAUSED', paused_at_ms: now.nowMs });
    await audit(now, 'SUBSCRIPTION_PAUSED', { before: found.subscription, after: paused });
    return viewOf(now.trx, paused, found);
  });
}

/** Resumes a paused subscription. Errors: subscription.notPaused. */
export function resumeSubscription(
  desk: Desk,
  actor: Actor,
  ref: SubscriptionRef,
): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    const { id, status } = found.subscription;
    if (status !== 'PAUSED') throw new Fault('subscription.notPaused', { parameters: { subscription: id } });
    const resumed = await settle(now, found, { status: 'ACCEPTED', paused_at_ms: null });
    await audit(now, 'SUBSCRIPTION_RESUMED', { before: found.subscription, after: resumed });
    return viewOf(now.trx, resumed, found);
  });
}

/**
 * Moves an open subscription to another published plan of the same API and security; its keys go on.
 *
 * Errors: subscription.notUpdatable, plan.transferNotAllowed, plan.subscribed; request.invalid for a plan that is not there.
 */
export function transferSubscription(
  desk: Desk,
  actor: Actor,
  ref: SubscriptionRef & { readonly planId: string | undefined },
): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    const { subscription, api } = found;
    if (!['PENDING', 'ACCEPTED', 'PAUSED'].includes(subscription.status)) throw notUpdatable(subscription);
    const plan =
      ref.planId === undefined
        ? undefined
        : await findPlan(now.trx, ref.at, { apiId: api.id, id: ref.planId });
    if (plan === undefined)
      throw new Fault('request.invalid', {
        details: [{ path: 'planId', message: 'must be a plan of this API' }],
      });
    const { generalConditions } = JSON.parse(plan.definition) as { readonly generalConditions?: string };
    const isLike = plan.security_type === found.plan.security_type && plan.id !== found.plan.id;
    if (plan.status !== 'PUBLISHED' || !isLike || generalConditions !== undefined)
      throw new Fault('plan.transferNotAllowed', { parameters: { plan: plan.id } });
    const open = await openSubscriptions(now.trx, now.at, { column: 'plan_id', id: plan.id });
    if (open.some((other) => other.application_id === subscription.application_id))
      throw new Fault('plan.subscribed', { parameters: { plan: plan.id } });
    const moved = await settle(now, found, { plan_id: plan.id });
    await audit(now, 'SUBSCRIPTION_TRANSFERRED', { before: subscription, after: moved });
    return viewOf(now.trx, moved, { ...found, plan });
  });
}

/** Which subscription of which application is meant, for the consumer. */
interface ConsumerRef {
  readonly at: ApiRef['at'];
  readonly applicationId: string;
  readonly subscriptionId: string;
}

/** Stops a subscription for its consumer, or starts it again. Errors: subscription.consumerStatusNotUpdatable. */
export function changeConsumerStatus(
  desk: Desk,
  actor: Actor,
  ref: ConsumerRef & { readonly status: 'STARTED' | 'STOPPED' },
): Promise<SubscriptionView> {
  return changeOwn({ desk, actor, ref }, async (now, found) => {
    const { id, status, consumer_status: consumerStatus } = found.subscription;
    if (status !== 'ACCEPTED' || consumerStatus === ref.status)
      throw new Fault('subscription.consumerStatusNotUpdatable', {
        parameters: { subscription: id, status, consumerStatus },
      });
    const isStopped = ref.status === 'STOPPED';
    const after = await settle(now, found, {
      consumer_status: ref.status,
      consumer_paused_at_ms: isStopped ? now.nowMs : null,
    });
    const event = isStopped ? 'SUBSCRIPTION_PAUSED_BY_CONSUMER' : 'SUBSCRIPTION_RESUMED_BY_CONSUMER';
    await audit(now, event, { before: found.subscription, after });
    return viewOf(now.trx, after, found);
  });
}

/** Replaces what a consumer notes of a subscription. Errors: subscription.notUpdatable. */
export function noteSubscription(
  desk: Desk,
  actor: Actor,
  ref: ConsumerRef & {
    readonly wish: Pick<SubscriptionUpdate, 'metadata' | 'consumerConfiguration'>;
    readonly ifMatch?: string | undefined;
  },
): Promise<SubscriptionView> {
  return changeOwn({ desk, actor, ref }, async (now, found) => {
    checkIfMatch(ref.ifMatch, found.subscription.updated_at_ms);
    requireServed(found.subscription);
    if (isAsBefore(found.subscription, noted(ref.wish))) return viewOf(now.trx, found.subscription, found);
    const after = await settle(now, found, noted(ref.wish));
    await audit(now, 'SUBSCRIPTION_UPDATED', { before: found.subscription, after });
    return viewOf(now.trx, after, found);
  });
}

/** Says whether an application could have this key in a subscription to the API. */
export async function verifyKey(desk: Desk, ref: ApiRef & { readonly wish: VerifyWish }): Promise<Verified> {
  const { db } = desk.storage;
  const { wish, at } = ref;
  await foundApi(db, ref);
  const application = await findApplication(db, at, wish.applicationId);
  if (application === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'applicationId', message: 'must be an application of this environment' }],
    });
  if (application.status !== 'ACTIVE') return { ok: false, reason: 'The application is archived.' };
  const form = customApiKeySchema.safeParse(wish.apiKey);
  if (!form.success)
    return { ok: false, reason: `The key ${form.error.issues[0]?.message ?? 'has no possible form'}.` };
  const hash = Buffer.from(apiKeyHash(at.environment, wish.apiKey)).toString('hex');
  if ((await findKeyByHash(db, at, hash)).length === 0) return { ok: true };
  return { ok: false, reason: 'The key is in use in this environment; choose another one.' };
}

function noted({
  metadata,
  consumerConfiguration,
}: Pick<SubscriptionUpdate, 'metadata' | 'consumerConfiguration'>): Set {
  return {
    ...(metadata !== undefined && { metadata: JSON.stringify(metadata) }),
    ...(consumerConfiguration !== undefined && { configuration: JSON.stringify(consumerConfiguration) }),
  };
}

/** Writes a change of a subscription, lets its keys follow its end, and tells gateways. */
async function settle(
  now: Change,
  { api, subscription }: Pick<Found, 'api' | 'subscription'>,
  set: Set,
): Promise<SubscriptionRow> {
  const after = await updateSubscription(now.trx, subscription, {
    ...set,
    updated_at_ms: laterThan(subscription.updated_at_ms, now.nowMs),
  });
  if (after.ending_at_ms !== subscription.ending_at_ms) await endKeys(now, subscription, after);
  await publishSubscription(now, api, after);
  return after;
}

/**
 * A key that ended with the subscription ends with it still, and none outlives it; one that was renewed ends when it was to. One that the
 * application shares opens others, and this one no longer than it lasts.
 */
async function endKeys(now: Change, before: SubscriptionRow, after: SubscriptionRow): Promise<void> {
  const end = after.ending_at_ms;
  for (const key of await listKeysOf(now.trx, now.at, { column: 'subscription_id', ids: [after.id] })) {
    if (key.exclusive_to === null) continue;
    const isBound = key.expire_at_ms === before.ending_at_ms;
    const isLonger = end !== null && (key.expire_at_ms ?? Infinity) > end;
    if (key.revoked_at_ms === null && (isBound || isLonger))
      await updateKey(now.trx, key, {
        expire_at_ms: end,
        updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
      });
  }
}

function requireServed(row: SubscriptionRow): void {
  if (!['ACCEPTED', 'PAUSED'].includes(row.status)) throw notUpdatable(row);
}

function notUpdatable({ id, status }: SubscriptionRow): Fault {
  return new Fault('subscription.notUpdatable', {
    detail: `The subscription is ${status} and cannot change.`,
    parameters: { subscription: id },
  });
}

/** Changes a subscription for its consumer, who knows it by the application. */
function changeOwn(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: ConsumerRef },
  work: (now: Change, found: Found) => Promise<SubscriptionView>,
): Promise<SubscriptionView> {
  return change(desk, { actor, at: ref.at }, async (now) => work(now, await lockedSubscription(now, ref)));
}
