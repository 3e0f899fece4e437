import { randomUUID } from 'node:crypto';
import type { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { issueKeyLocked } from '../api-keys/issuing.ts';
import {
  becomeShared,
  checkShareable,
  keyedRows,
  lockKeyedApis,
  sharedKeyView,
  shareKeysLocked,
} from '../api-keys/sharing.ts';
import { type ApiRef, checkReadable, foundApi, lockedApi } from '../apis/api-gate.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { clientIdOf, plansOfClients } from '../applications/application-shape.ts';
import { holdClient } from '../applications/clients.ts';
import {
  type ApplicationRow,
  lockApplication,
  updateApplicationRow,
} from '../applications/applications.store.ts';
import { certificatesOf } from '../applications/certificates.ts';
import { publishSubscription } from '../deployments/publication.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, laterThan, type Told, toldRow } from '../desk.ts';
import { momentMs } from '../fields.ts';
import { refuseRestricted } from '../plans/restricting.ts';
import { findPlan, type PlanRow, plansById } from '../plans/plans.store.ts';
import { closeSubscriptionLocked } from './closing.ts';
import {
  type acceptSubscriptionSchema,
  apiKeyView,
  type createSubscriptionSchema,
  subscriptionView,
  type SubscriptionView,
} from './subscription-shape.ts';
import {
  findSubscription,
  insertSubscription,
  openSubscriptions,
  type SubscriptionRow,
  updateSubscription,
} from './subscriptions.store.ts';

/** Which subscription of which API is meant. */
export interface SubscriptionRef extends ApiRef {
  readonly subscriptionId: string;
}

/** What a creation wants; `request` is the consumer's message. */
export type SubscriptionWish = z.infer<typeof createSubscriptionSchema> & {
  readonly request?: string | undefined;
};
/** What an acceptance says. */
export type Acceptance = z.infer<typeof acceptSubscriptionSchema>;

/**
 * Subscribes an application to a published plan. A plan with validation AUTO accepts at once; with a key plan the answer
 * then has the key, which is shown only there.
 */
export function subscribe(
  desk: Desk,
  actor: Actor,
  { at, id, wish }: ApiRef & { readonly wish: SubscriptionWish },
): Promise<SubscriptionView> {
  return change(desk, { actor, at }, async (now) => {
    const before = await lockApplication(now.trx, at, wish.applicationId);
    const shares = [before?.api_key_mode, wish.apiKeyMode].includes('SHARED');
    if (shares && before !== undefined) await lockKeyedApis(now, before.id, [id]);
    const api = await lockedApi(now, id);
    checkReadable(actor, api);
    const plan = await findPlan(now.trx, at, { apiId: id, id: wish.planId });
    const checked = await checkWish(now, { wish, plan, application: before });
    await refuseRestricted(now.trx, actor, { api, plan: checked.plan });
    const subscription: SubscriptionRow = {
      ...newRow(now, id, wish),
      status: 'PENDING',
    };
    await insertSubscription(now.trx, subscription);
    now.admit('subscriptions');
    await audit(now, 'SUBSCRIPTION_CREATED', { after: subscription });
    const application = await chooseKeyMode(now, checked.application, wish.apiKeyMode);
    if (checked.plan.validation !== 'AUTO')
      return subscriptionView(subscription, { api, plan: checked.plan, application });
    return accept(
      now,
      { api, subscription, plan: checked.plan, application },
      { customApiKey: wish.customApiKey },
    );
  });
}

/** Accepts a pending subscription; with a key plan the answer has the key, which is shown only there. */
export function acceptSubscription(
  desk: Desk,
  actor: Actor,
  ref: SubscriptionRef & { readonly acceptance: Acceptance },
): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    requirePending(found.subscription, 'accepted');
    return accept(now, found, ref.acceptance);
  });
}

/** Rejects a pending subscription. */
export function rejectSubscription(
  desk: Desk,
  actor: Actor,
  ref: SubscriptionRef & { readonly reason: string | undefined },
): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    requirePending(found.subscription, 'rejected');
    const rejected = await updateSubscription(now.trx, found.subscription, {
      status: 'REJECTED',
      reason: ref.reason ?? null,
      processed_at_ms: now.nowMs,
      processed_by: actor.id,
      closed_at_ms: now.nowMs,
      updated_at_ms: laterThan(found.subscription.updated_at_ms, now.nowMs),
    });
    await audit(now, 'SUBSCRIPTION_REJECTED', { before: found.subscription, after: rejected });
    return subscriptionView(rejected, found);
  });
}

/** Closes a subscription; its keys are refused from then on. */
export function closeSubscription(desk: Desk, actor: Actor, ref: SubscriptionRef): Promise<SubscriptionView> {
  return changeSubscription({ desk, actor, ref }, async (now, found) => {
    requireOpen(found.subscription);
    return subscriptionView(await closeSubscriptionLocked(now, found.api, found.subscription), found);
  });
}

/** Errors: subscription.closed for one that has ended already. */
export function requireOpen({ id, status }: SubscriptionRow): void {
  if (!['PENDING', 'ACCEPTED', 'PAUSED'].includes(status))
    throw new Fault('subscription.closed', {
      detail: `The subscription is ${status} already.`,
      parameters: { subscription: id, status },
    });
}

/** The row, or request.not_found; also when it belongs to another API. */
export function requireSubscription(
  row: SubscriptionRow | undefined,
  ref: { readonly id?: string; readonly subscriptionId: string },
): SubscriptionRow {
  if (row === undefined || (ref.id !== undefined && row.api_id !== ref.id))
    throw new Fault('request.not_found', {
      detail: `There is no subscription "${ref.subscriptionId}" here.`,
    });
  return row;
}

/** A subscription with what it refers to, whose API is locked. */
export interface Found {
  readonly api: ApiRow;
  readonly subscription: SubscriptionRow;
  readonly plan: PlanRow;
  readonly application: ApplicationRow;
}

/** Changes a subscription of an API whose row is locked meanwhile. Errors: request.not_found. */
export function changeSubscription(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: SubscriptionRef },
  work: (now: Change, found: Found) => Promise<SubscriptionView>,
): Promise<SubscriptionView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await foundApi(now.trx, ref);
    return work(now, await lockedSubscription(now, { subscriptionId: ref.subscriptionId, apiId: ref.id }));
  });
}

/**
 * A subscription with what it refers to, all locked: its application, since a key may be of the whole of it, and its API.
 *
 * Errors: request.not_found; also when it is of another API or application than those named.
 */
export async function lockedSubscription(
  now: Change,
  ref: {
    readonly subscriptionId: string;
    readonly apiId?: string | undefined;
    readonly applicationId?: string | undefined;
  },
): Promise<Found> {
  const read = async (): Promise<SubscriptionRow> => {
    const row = await findSubscription(now.trx, now.at, ref.subscriptionId);
    const isMeant =
      (ref.apiId === undefined || row?.api_id === ref.apiId) &&
      (ref.applicationId === undefined || row?.application_id === ref.applicationId);
    return requireSubscription(isMeant ? row : undefined, ref);
  };
  const { application_id: applicationId, api_id: apiId } = await read();
  const application = await lockApplication(now.trx, now.at, applicationId);
  if (application?.api_key_mode === 'SHARED') await lockKeyedApis(now, applicationId, [apiId]);
  const api = await lockedApi(now, apiId);
  const subscription = await read();
  const plan = await findPlan(now.trx, now.at, { apiId: api.id, id: subscription.plan_id });
  if (plan === undefined || application === undefined) throw new Fault('request.not_found');
  return { api, subscription, plan, application };
}

async function accept(now: Change, found: Found, acceptance: Acceptance): Promise<SubscriptionView> {
  const { api, subscription, plan, application } = found;
  const endingAtMs = momentMs(acceptance.endingAt);
  const startingAtMs = momentMs(acceptance.startingAt) ?? now.nowMs;
  if (endingAtMs !== null && endingAtMs <= startingAtMs)
    throw new Fault('request.invalid', {
      details: [{ path: 'endingAt', message: 'must be after startingAt' }],
    });
  const accepted = await updateSubscription(now.trx, subscription, {
    status: 'ACCEPTED',
    reason: acceptance.reason ?? null,
    starting_at_ms: startingAtMs,
    ending_at_ms: endingAtMs,
    processed_at_ms: now.nowMs,
    processed_by: now.actor.id,
    updated_at_ms: laterThan(subscription.updated_at_ms, now.nowMs),
  });
  await publishSubscription(now, api, accepted);
  await audit(now, 'SUBSCRIPTION_ACCEPTED', { before: subscription, after: accepted });
  if (plan.security_type !== 'API_KEY') return subscriptionView(accepted, found);
  if (application.api_key_mode === 'SHARED') {
    const shared = await shareKeysLocked(now, application, {
      customKey: acceptance.customApiKey,
      isRenewal: false,
    });
    return subscriptionView(accepted, { ...found, apiKey: await sharedKeyView(now, application, shared) });
  }
  const issued = await issueKeyLocked(
    now,
    { api, subscription: accepted },
    { customKey: acceptance.customApiKey, isRenewal: false },
  );
  return subscriptionView(accepted, {
    ...found,
    apiKey: apiKeyView(issued.row, { nowMs: now.nowMs, key: issued.key, application }),
  });
}

async function checkWish(
  now: Change,
  {
    wish,
    plan,
    application,
  }: {
    readonly wish: SubscriptionWish;
    readonly plan: PlanRow | undefined;
    readonly application: ApplicationRow | undefined;
  },
): Promise<Checked> {
  if (plan === undefined || application === undefined)
    throw new Fault('request.invalid', {
      details: [
        ...(plan === undefined ? [{ path: 'planId', message: 'must be a plan of this API' }] : []),
        ...(application === undefined
          ? [{ path: 'applicationId', message: 'must be an application of this environment' }]
          : []),
      ],
    });
  if (application.status !== 'ACTIVE') throw new Fault('application.archived');
  if (plan.status !== 'PUBLISHED')
    throw new Fault(plan.status === 'CLOSED' ? 'plan.closed' : 'plan.notPublished', {
      detail: `The plan is ${plan.status}; only published plans can be subscribed to.`,
      parameters: { plan: plan.id },
    });
  if (plan.security_type === 'KEY_LESS')
    throw new Fault('plan.notSubscribable', { detail: 'A keyless plan needs no subscription.' });
  if (plansOfClients.includes(plan.security_type) && clientIdOf(application) === undefined)
    throw new Fault('plan.notSubscribable', {
      detail: `The application has no client id, by which a caller of a plan of type ${plan.security_type} is found.`,
      hint: 'Set settings.app.client_id of the application to the client that its tokens name.',
    });
  // One of a time when only settings.app was looked at may not hold it yet.
  if (plansOfClients.includes(plan.security_type)) await holdClient(now, application);
  if (wish.customApiKey !== undefined && plan.security_type !== 'API_KEY')
    throw new Fault('request.invalid', {
      details: [{ path: 'customApiKey', message: 'is only for plans with API keys' }],
    });
  const open = await openSubscriptions(now.trx, now.at, { column: 'plan_id', id: plan.id });
  const other = open.find((one) => one.application_id === application.id);
  if (other !== undefined)
    throw new Fault('plan.subscribed', {
      parameters: { plan: plan.id },
      // It may be given a later end, and then there would be two: somebody says which of them is meant.
      ...((other.ending_at_ms ?? Infinity) <= now.nowMs && {
        detail: `The subscription ${other.id} of this application has ended and is not closed.`,
        hint: 'Close it, or give it a later endingAt.',
      }),
    });
  await checkKeyMode(now, { wish, plan, application });
  if (plan.security_type === 'MTLS') await checkCertificates(now, plan, application);
  return { plan, application };
}

/** Whether the key of the application could be for this plan too. */
async function checkKeyMode(
  now: Change,
  { wish, plan, application }: Checked & { readonly wish: SubscriptionWish },
): Promise<void> {
  const { apiKeyMode = 'UNSPECIFIED' } = wish;
  const chosen = application.api_key_mode === 'UNSPECIFIED' ? apiKeyMode : application.api_key_mode;
  if (plan.security_type !== 'API_KEY') {
    if (apiKeyMode === 'SHARED')
      throw new Fault('request.invalid', {
        details: [{ path: 'apiKeyMode', message: 'is only for plans with API keys' }],
      });
    return;
  }
  if (apiKeyMode !== 'UNSPECIFIED' && apiKeyMode !== chosen)
    throw new Fault('application.apiKeyMode.invalid', {
      detail: `The application's keys are ${chosen} already.`,
    });
  if (chosen === 'SHARED') checkShareable([...(await keyedRows(now, application.id)), plan]);
}

/** An application whose keys nobody has said anything of gets the mode that its subscription wishes for. */
async function chooseKeyMode(
  now: Change,
  application: ApplicationRow,
  wish: SubscriptionWish['apiKeyMode'],
): Promise<ApplicationRow> {
  const isChoice = wish !== undefined && wish !== 'UNSPECIFIED';
  if (!isChoice || application.api_key_mode !== 'UNSPECIFIED') return application;
  const after = await updateApplicationRow(now.trx, application, {
    api_key_mode: wish,
    updated_at_ms: laterThan(application.updated_at_ms, now.nowMs),
  });
  const object = { type: 'APPLICATION', id: application.id, before: application, after } as const;
  await now.audit('APPLICATION_UPDATED', object);
  if (wish === 'SHARED') await becomeShared(now, after);
  return after;
}

interface Checked {
  readonly plan: PlanRow;
  readonly application: ApplicationRow;
}

/** An application is found by its certificate, which leads to one plan of an API. */
async function checkCertificates(now: Change, plan: PlanRow, application: ApplicationRow): Promise<void> {
  if (certificatesOf(application).length === 0)
    throw new Fault('plan.notSubscribableWithoutClientCertificate');
  const open = await openSubscriptions(now.trx, now.at, { column: 'application_id', id: application.id });
  const ofApi = open.filter((other) => other.api_id === plan.api_id).map((other) => other.plan_id);
  const plans = await plansById(now.trx, now.at, ofApi);
  if ([...plans.values()].some((other) => other.security_type === 'MTLS'))
    throw new Fault('plan.otherMtlsSubscribed');
}

function newRow(now: Change, apiId: string, wish: SubscriptionWish): Omit<SubscriptionRow, 'status'> {
  return {
    organization: now.at.organization,
    environment: now.at.environment,
    id: randomUUID(),
    api_id: apiId,
    plan_id: wish.planId,
    application_id: wish.applicationId,
    consumer_status: 'STARTED',
    request: wish.request ?? null,
    reason: null,
    metadata: JSON.stringify(wish.metadata ?? {}),
    subscribed_by: now.actor.id,
    processed_by: null,
    created_at_ms: now.nowMs,
    updated_at_ms: now.nowMs,
    processed_at_ms: null,
    starting_at_ms: null,
    ending_at_ms: null,
    paused_at_ms: null,
    consumer_paused_at_ms: null,
    configuration:
      wish.consumerConfiguration === undefined ? null : JSON.stringify(wish.consumerConfiguration),
    closed_at_ms: null,
  };
}

function requirePending({ id, status }: SubscriptionRow, verb: string): void {
  if (status !== 'PENDING')
    throw new Fault('subscription.processed', {
      detail: `The subscription is ${status} and cannot be ${verb}.`,
      parameters: { subscription: id },
    });
}

/** Writes that a subscription was changed. */
export function audit(now: Change, event: AuditEvent, told: Told<SubscriptionRow>): Promise<void> {
  const row = toldRow(told);
  const touched = { SUBSCRIPTION: row.id, APPLICATION: row.application_id };
  return now.audit(event, { type: 'API', id: row.api_id, ...told }, touched);
}
