import { z } from '@hono/zod-openapi';
import { subscriptionStatuses } from '../../../proto/model/subscription.ts';
import { idsParam, integerParam, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { exportRowsMax, exportSubscriptions } from './export.ts';
import {
  editSubscription,
  pauseSubscription,
  resumeSubscription,
  transferSubscription,
  verifyKey,
} from './lifecycle.ts';
import { findSubscriptions, getSubscription, subscriptionExpands } from './showing.ts';
import { listSubscribers } from './subscribers.ts';
import {
  acceptSubscriptionSchema,
  baseApplicationSchema,
  createSubscriptionSchema,
  rejectSubscriptionSchema,
  subscriptionSchema,
  subscriptionVersionOf,
  transferSubscriptionSchema,
  updateSubscriptionSchema,
  verifiedSubscriptionSchema,
  verifySubscriptionSchema,
} from './subscription-shape.ts';
import { acceptSubscription, closeSubscription, rejectSubscription, subscribe } from './subscriptions.ts';

const define = resource({ tag: 'API Subscriptions', scope: 'environment' });
const path = '/apis/{apiId}/subscriptions';
const onePath = '/apis/{apiId}/subscriptions/{subscriptionId}';
const answer = subscriptionSchema;
const version = subscriptionVersionOf;

const filterQuery = {
  applicationIds: idsParam.optional(),
  planIds: idsParam.optional(),
  statuses: listParam(subscriptionStatuses).optional(),
  apiKey: z.string().min(1).max(256).optional(),
};
const filterSchema = z.object(filterQuery);
const filterOf = ({ applicationIds, planIds, statuses, apiKey }: z.infer<typeof filterSchema>) => ({
  applicationIds,
  planIds,
  statuses,
  apiKey,
});
const expandsQuery = { expands: listParam(subscriptionExpands).optional() };

/** The routes of subscriptions. */
export const subscriptionRoutes = [
  define.get(path, {
    operationId: 'getApiSubscriptions',
    permission: 'api-subscription',
    summary: 'Lists the subscriptions of an API.',
    query: z.strictObject({ ...pageQuery, ...filterQuery, ...expandsQuery }),
    status: 200,
    answer: pageSchema('SubscriptionsResponse', subscriptionSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) =>
      pageOf(
        await findSubscriptions(desk, {
          at,
          id: apiId,
          filter: filterOf(query),
          expands: query.expands,
          page: query,
        }),
        query,
        url,
      ),
  }),
  define.get(`${path}/_export`, {
    operationId: 'exportApiSubscriptions',
    permission: 'api-subscription',
    summary: `Gives the subscriptions of an API as CSV: of the page asked for, or the newest ${exportRowsMax}.`,
    query: z.strictObject({
      ...filterQuery,
      page: integerParam({ min: 1, max: 1_000_000 }).optional(),
      perPage: integerParam({ min: 1, max: exportRowsMax }).optional(),
    }),
    contentTypes: ['text/csv'],
    run: ({ desk, at, params: { apiId }, query }) =>
      exportSubscriptions(desk, {
        at,
        id: apiId,
        filter: filterOf(query),
        page: { page: query.page, perPage: query.perPage ?? exportRowsMax },
      }),
  }),
  define.post(`${path}/_verify`, {
    operationId: 'verifyCreateApiSubscription',
    permission: 'api-subscription',
    summary: 'Says whether an application could have this key.',
    body: verifySubscriptionSchema,
    status: 200,
    answer: verifiedSubscriptionSchema,
    run: ({ desk, at, params: { apiId }, body }) => verifyKey(desk, { at, id: apiId, wish: body }),
  }),
  define.get('/apis/{apiId}/subscribers', {
    operationId: 'getApiSubscribers',
    permission: 'api-subscription',
    summary: 'Lists the applications that subscribed to an API.',
    query: z.strictObject({ ...pageQuery, name: z.string().max(256).optional() }),
    answer: pageSchema('SubscribersResponse', baseApplicationSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) =>
      pageOf(await listSubscribers(desk, { at, id: apiId, name: query.name, page: query }), query, url),
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
    query: z.strictObject(expandsQuery),
    answer,
    version,
    run: ({ desk, at, params: { apiId, subscriptionId }, query }) =>
      getSubscription(desk, { at, id: apiId, subscriptionId, expands: query.expands }),
  }),
  define.put(onePath, {
    operationId: 'updateApiSubscription',
    permission: 'api-subscription',
    summary: 'Replaces when a subscription begins and ends, and what is noted of it.',
    body: updateSubscriptionSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body, ifMatch }) =>
      editSubscription(desk, actor, { at, id: apiId, subscriptionId, wish: body, ifMatch }),
  }),
  define.post(`${onePath}/_transfer`, {
    operationId: 'transferApiSubscription',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Moves a subscription to another published plan of the API with the same security.',
    body: transferSubscriptionSchema,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      transferSubscription(desk, actor, { at, id: apiId, subscriptionId, planId: body.planId }),
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
  ...(
    [
      ['_close', 'closeApiSubscription', 'Closes a subscription and revokes its keys.', closeSubscription],
      ['_pause', 'pauseApiSubscription', 'Pauses a subscription: its calls are refused.', pauseSubscription],
      ['_resume', 'resumeApiSubscription', 'Resumes a paused subscription.', resumeSubscription],
    ] as const
  ).map(([verb, operationId, summary, operation]) =>
    define.post(`${onePath}/${verb}`, {
      operationId,
      permission: 'api-subscription',
      action: 'update',
      summary,
      status: 200,
      answer,
      version,
      run: ({ desk, actor, at, params: { apiId, subscriptionId } }) =>
        operation(desk, actor, { at, id: apiId, subscriptionId }),
    }),
  ),
];
