import { z } from '@hono/zod-openapi';
import { subscriptionStatuses } from '../../../proto/model/subscription.ts';
import { idsParam, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  acceptSubscriptionSchema,
  createSubscriptionSchema,
  rejectSubscriptionSchema,
  subscriptionSchema,
  subscriptionVersionOf,
} from './subscription-shape.ts';
import {
  acceptSubscription,
  closeSubscription,
  getSubscription,
  listSubscriptions,
  rejectSubscription,
  subscribe,
} from './subscriptions.ts';

const define = resource({ tag: 'API Subscriptions', scope: 'environment' });
const path = '/apis/{apiId}/subscriptions';
const onePath = '/apis/{apiId}/subscriptions/{subscriptionId}';
const answer = subscriptionSchema;
const version = subscriptionVersionOf;

/** The routes of subscriptions. */
export const subscriptionRoutes = [
  define.get(path, {
    operationId: 'getApiSubscriptions',
    permission: 'api-subscription',
    summary: 'Lists the subscriptions of an API.',
    query: z.strictObject({
      ...pageQuery,
      applicationIds: idsParam.optional(),
      planIds: idsParam.optional(),
      statuses: listParam(subscriptionStatuses).optional(),
      apiKey: z.string().min(1).max(256).optional(),
      expands: z.string().max(256).optional(),
    }),
    status: 200,
    answer: pageSchema('SubscriptionsResponse', subscriptionSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) =>
      pageOf(
        await listSubscriptions(desk, {
          at,
          id: apiId,
          filter: {
            applicationIds: query.applicationIds,
            planIds: query.planIds,
            statuses: query.statuses,
            apiKey: query.apiKey,
          },
          page: query,
        }),
        query,
        url,
      ),
  }),
  define.post(path, {
    operationId: 'createApiSubscription',
    permission: 'api-subscription',
    summary: 'Subscribes an application to a plan; a key made at once is shown only in this answer.',
    body: createSubscriptionSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      subscribe(desk, actor, { at, id: apiId, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getApiSubscription',
    permission: 'api-subscription',
    summary: 'Gets a subscription.',
    answer,
    version,
    run: ({ desk, at, params: { apiId, subscriptionId } }) =>
      getSubscription(desk, { at, id: apiId, subscriptionId }),
  }),
  define.post(`${onePath}/_accept`, {
    operationId: 'acceptApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Accepts a pending subscription; a key made for it is shown only in this answer.',
    body: acceptSubscriptionSchema,
    isBodyOptional: true,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      acceptSubscription(desk, actor, { at, id: apiId, subscriptionId, acceptance: body }),
  }),
  define.post(`${onePath}/_reject`, {
    operationId: 'rejectApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Rejects a pending subscription.',
    body: rejectSubscriptionSchema,
    isBodyOptional: true,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      rejectSubscription(desk, actor, { at, id: apiId, subscriptionId, reason: body.reason }),
  }),
  define.post(`${onePath}/_close`, {
    operationId: 'closeApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Closes a subscription and revokes its keys.',
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId } }) =>
      closeSubscription(desk, actor, { at, id: apiId, subscriptionId }),
  }),
];
