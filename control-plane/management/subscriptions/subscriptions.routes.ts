import { z } from '@hono/zod-openapi';
import { subscriptionStatuses } from '../../../proto/model/subscription.ts';
import { idsParam, idSchema, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { route } from '../route.ts';
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

const tag = 'API Subscriptions';
const scope = 'environment';
const path = '/apis/{apiId}/subscriptions';
const onePath = '/apis/{apiId}/subscriptions/{subscriptionId}';
const apiParams = z.object({ apiId: idSchema });
const params = z.object({ apiId: idSchema, subscriptionId: idSchema });
const answer = subscriptionSchema;
const version = subscriptionVersionOf;

/** The routes of subscriptions. */
export const subscriptionRoutes = [
  route({
    method: 'get',
    path,
    scope,
    tag,
    operationId: 'getApiSubscriptions',
    permission: 'api-subscription',
    summary: 'Lists the subscriptions of an API.',
    params: apiParams,
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
  route({
    method: 'post',
    path,
    scope,
    tag,
    operationId: 'createApiSubscription',
    permission: 'api-subscription',
    summary: 'Subscribes an application to a plan; a key made at once is shown only in this answer.',
    params: apiParams,
    body: createSubscriptionSchema,
    status: 201,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      subscribe(desk, actor, { at, id: apiId, wish: body }),
  }),
  route({
    method: 'get',
    path: onePath,
    scope,
    tag,
    operationId: 'getApiSubscription',
    permission: 'api-subscription',
    summary: 'Gets a subscription.',
    params,
    status: 200,
    answer,
    version,
    run: ({ desk, at, params: { apiId, subscriptionId } }) =>
      getSubscription(desk, { at, id: apiId, subscriptionId }),
  }),
  route({
    method: 'post',
    path: `${onePath}/_accept`,
    scope,
    tag,
    operationId: 'acceptApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Accepts a pending subscription; a key made for it is shown only in this answer.',
    params,
    body: acceptSubscriptionSchema,
    isBodyOptional: true,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      acceptSubscription(desk, actor, { at, id: apiId, subscriptionId, acceptance: body }),
  }),
  route({
    method: 'post',
    path: `${onePath}/_reject`,
    scope,
    tag,
    operationId: 'rejectApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Rejects a pending subscription.',
    params,
    body: rejectSubscriptionSchema,
    isBodyOptional: true,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      rejectSubscription(desk, actor, { at, id: apiId, subscriptionId, reason: body.reason }),
  }),
  route({
    method: 'post',
    path: `${onePath}/_close`,
    scope,
    tag,
    operationId: 'closeApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Closes a subscription and revokes its keys.',
    params,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId } }) =>
      closeSubscription(desk, actor, { at, id: apiId, subscriptionId }),
  }),
];
