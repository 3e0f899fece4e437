import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { lockedApi } from '../apis/api-gate.ts';
import { change, type Desk } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { findPlanAnywhere } from '../plans/plans.store.ts';
import { closeSubscriptionLocked } from '../subscriptions/closing.ts';
import type { SubscriptionView } from '../subscriptions/subscription-shape.ts';
import { findSubscription, listSubscriptionRows } from '../subscriptions/subscriptions.store.ts';
import { viewOf, views } from '../subscriptions/showing.ts';
import {
  requireOpen,
  requireSubscription,
  subscribe,
  type SubscriptionWish,
} from '../subscriptions/subscriptions.ts';
import { checkIfMatch } from '../route.ts';
import { type ApplicationRef, foundApplication } from './applications.ts';

/** Which subscription of which application is meant. */
export interface ConsumerRef extends ApplicationRef {
  readonly subscriptionId: string;
}

/** A page of the application's subscriptions, for its owner. */
export async function listOwnSubscriptions(
  desk: Desk,
  input: ApplicationRef & { readonly statuses: readonly string[] | undefined; readonly page: PageWish },
): Promise<{ readonly data: readonly SubscriptionView[]; readonly total: number }> {
  await foundApplication(desk.storage.db, input);
  const { rows, total } = await listSubscriptionRows(desk.storage, input.at, {
    filter: { applicationIds: [input.id], statuses: input.statuses },
    bounds: boundsOf(input.page),
  });
  return { data: await views(desk.storage.db, input.at, { rows }), total };
}

/** One subscription of the application, for its owner. */
export async function getOwnSubscription(desk: Desk, ref: ConsumerRef): Promise<SubscriptionView> {
  const { db } = desk.storage;
  await foundApplication(db, ref);
  const row = await findSubscription(db, ref.at, ref.subscriptionId);
  const found = requireSubscription(row?.application_id === ref.id ? row : undefined, {
    subscriptionId: ref.subscriptionId,
  });
  return viewOf(db, found, {});
}

/** Subscribes the application to a plan, named by its id alone. */
export async function subscribeOwn(
  desk: Desk,
  actor: Actor,
  input: ApplicationRef & {
    readonly planId: string;
    readonly wish: Omit<SubscriptionWish, 'applicationId' | 'planId' | 'customApiKey'>;
  },
): Promise<SubscriptionView> {
  await foundApplication(desk.storage.db, input);
  const plan = await findPlanAnywhere(desk.storage.db, input.at, input.planId);
  if (plan === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'plan', message: 'must be a plan of this environment' }],
    });
  // The path names the application alone; what is held on the API decides whether it may be seen.
  const consumer = await desk.access.withObjects(actor, [{ scope: 'api', reference: plan.api_id }]);
  return subscribe(desk, consumer, {
    at: input.at,
    id: plan.api_id,
    wish: { ...input.wish, applicationId: input.id, planId: input.planId },
  });
}

/** Closes the subscription, for the owner of its application. */
export function closeOwnSubscription(
  desk: Desk,
  actor: Actor,
  ref: ConsumerRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await foundApplication(now.trx, ref);
    const before = await findSubscription(now.trx, ref.at, ref.subscriptionId);
    const { api_id: apiId } = requireSubscription(before?.application_id === ref.id ? before : undefined, {
      subscriptionId: ref.subscriptionId,
    });
    const api = await lockedApi(now, apiId);
    const row = requireSubscription(await findSubscription(now.trx, ref.at, ref.subscriptionId), {
      subscriptionId: ref.subscriptionId,
    });
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    requireOpen(row);
    await closeSubscriptionLocked(now, api, row);
  });
}
