import { z } from '@hono/zod-openapi';
import { customApiKeySchema, subscriptionStatuses } from '../../../proto/model/subscription.ts';
import type { Actor } from '../../access/actor.ts';
import { lockedApi } from '../apis/api-gate.ts';
import { listKeys, renewKey, revokeKey } from '../api-keys/api-keys.ts';
import { change, type Desk } from '../desk.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { idSchema, listParam } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { findPlanAnywhere } from '../plans/plans.store.ts';
import { route } from '../route.ts';
import { closeSubscriptionLocked } from '../subscriptions/closing.ts';
import {
  apiKeySchema,
  subscriptionSchema,
  subscriptionView,
  type SubscriptionView,
} from '../subscriptions/subscription-shape.ts';
import { requireSubscription, subscribe, views } from '../subscriptions/subscriptions.ts';
import { findSubscription, listSubscriptionRows } from '../subscriptions/subscriptions.store.ts';
import { foundApplication, type ApplicationRef } from './applications.ts';
import { v1Page, v1PageQuery, v1PageSchema } from './applications.routes.ts';

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
  return { data: await views(desk, input.at, rows), total };
}

/** One subscription of the application, for its owner. */
export async function getOwnSubscription(desk: Desk, ref: ConsumerRef): Promise<SubscriptionView> {
  const { db } = desk.storage;
  await foundApplication(db, ref);
  const row = await findSubscription(db, ref.at, ref.subscriptionId);
  const found = requireSubscription(row?.application_id === ref.id ? row : undefined, {
    subscriptionId: ref.subscriptionId,
  });
  const [view] = await views(desk, ref.at, [found]);
  return view ?? subscriptionView(found, {});
}

/** Subscribes the application to a plan, named by its id alone. */
export async function subscribeOwn(
  desk: Desk,
  actor: Actor,
  input: ApplicationRef & { readonly planId: string; readonly request?: string | undefined },
): Promise<SubscriptionView> {
  await foundApplication(desk.storage.db, input);
  const plan = await findPlanAnywhere(desk.storage.db, input.at, input.planId);
  if (plan === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'plan', message: 'must be a plan of this environment' }],
    });
  return subscribe(desk, actor, {
    at: input.at,
    id: plan.api_id,
    wish: { applicationId: input.id, planId: input.planId, request: input.request },
  });
}

/** Closes the subscription, for the owner of its application. */
export function closeOwnSubscription(desk: Desk, actor: Actor, ref: ConsumerRef): Promise<void> {
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
    if (!['PENDING', 'ACCEPTED', 'PAUSED'].includes(row.status))
      throw new Fault('subscription.wrong_status', { detail: `The subscription is ${row.status} already.` });
    await closeSubscriptionLocked(now, api, row);
  });
}

const tag = 'Application Subscriptions';
const scope = 'v1-environment';
const path = '/applications/{applicationId}/subscriptions';
const onePath = `${path}/{subscriptionId}`;
const applicationParams = z.object({ applicationId: idSchema });
const params = z.object({ applicationId: idSchema, subscriptionId: idSchema });

/** The v1 routes of subscriptions and keys, for consumers. */
export const applicationSubscriptionRoutes = [
  route({
    method: 'get',
    path,
    scope,
    tag,
    operationId: 'listApplicationSubscriptions',
    permission: 'application-subscription',
    summary: 'Lists the subscriptions of an application.',
    params: applicationParams,
    query: z.strictObject({ ...v1PageQuery, status: listParam(subscriptionStatuses).optional() }),
    status: 200,
    answer: v1PageSchema('ApplicationSubscriptionsPage', subscriptionSchema),
    run: async ({ desk, at, params: { applicationId }, query }) =>
      v1Page(
        await listOwnSubscriptions(desk, {
          at,
          id: applicationId,
          statuses: query.status,
          page: { page: query.page, perPage: query.size },
        }),
        query,
      ),
  }),
  route({
    method: 'post',
    path,
    scope,
    tag,
    operationId: 'createApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Subscribes an application to a plan.',
    params: applicationParams,
    query: z.strictObject({ plan: idSchema }),
    body: z.strictObject({ request: z.string().max(4_096).optional() }).openapi('NewSubscription'),
    isBodyOptional: true,
    status: 201,
    answer: subscriptionSchema,
    run: ({ desk, actor, at, params: { applicationId }, query, body }) =>
      subscribeOwn(desk, actor, { at, id: applicationId, planId: query.plan, request: body.request }),
  }),
  route({
    method: 'get',
    path: onePath,
    scope,
    tag,
    operationId: 'getApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Gets a subscription of an application.',
    params,
    status: 200,
    answer: subscriptionSchema,
    run: ({ desk, at, params: { applicationId, subscriptionId } }) =>
      getOwnSubscription(desk, { at, id: applicationId, subscriptionId }),
  }),
  route({
    method: 'delete',
    path: onePath,
    scope,
    tag,
    operationId: 'closeApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Closes a subscription of an application.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId } }) =>
      closeOwnSubscription(desk, actor, { at, id: applicationId, subscriptionId }),
  }),
  route({
    method: 'get',
    path: `${onePath}/apikeys`,
    scope,
    tag,
    operationId: 'listApplicationApiKeys',
    permission: 'application-subscription',
    summary: 'Lists the keys of a subscription, without their values.',
    params,
    status: 200,
    answer: z.array(apiKeySchema),
    run: async ({ desk, at, params: { applicationId, subscriptionId } }) =>
      (await listKeys(desk, { at, applicationId, subscriptionId, page: { page: 1, perPage: 100 } })).data,
  }),
  route({
    method: 'post',
    path: `${onePath}/apikeys/_renew`,
    scope,
    tag,
    operationId: 'renewApplicationApiKey',
    permission: 'application-subscription',
    action: 'update',
    summary: 'Makes a new key, shown only in this answer; the others end in two hours.',
    params,
    body: z.strictObject({ customApiKey: customApiKeySchema.optional() }),
    isBodyOptional: true,
    status: 201,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId }, body }) =>
      renewKey(desk, actor, { at, applicationId, subscriptionId, customKey: body.customApiKey }),
  }),
  route({
    method: 'delete',
    path: `${onePath}/apikeys/{keyId}`,
    scope,
    tag,
    operationId: 'revokeApplicationApiKey',
    permission: 'application-subscription',
    action: 'update',
    summary: 'Revokes a key.',
    params: params.extend({ keyId: idSchema }),
    status: 204,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId, keyId } }) =>
      revokeKey(desk, actor, { at, applicationId, subscriptionId, keyId }),
  }),
];
