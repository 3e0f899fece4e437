import { z } from '@hono/zod-openapi';
import { customApiKeySchema, subscriptionStatuses } from '../../../proto/model/subscription.ts';
import { listKeys, renewKey, revokeKey } from '../api-keys/api-keys.ts';
import { idSchema, listParam, readOnlyFields } from '../fields.ts';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { changeConsumerStatus, noteSubscription } from '../subscriptions/lifecycle.ts';
import { listAcrossApis } from '../subscriptions/subscribers.ts';
import {
  apiKeySchema,
  createSubscriptionSchema,
  subscriptionSchema,
  subscriptionVersionOf,
} from '../subscriptions/subscription-shape.ts';
import {
  closeOwnSubscription,
  getOwnSubscription,
  listOwnSubscriptions,
  subscribeOwn,
} from './application-subscriptions.ts';

const define = resource({ tag: 'Application Subscriptions', scope: 'v1-environment' });
const path = '/applications/{applicationId}/subscriptions';
const onePath = `${path}/{subscriptionId}` as const;
const version = subscriptionVersionOf;

// The reference answers all of them; who has more asks application by application.
const acrossMax = 1_000;

/** The v1 routes of subscriptions and keys, for consumers. */
export const applicationSubscriptionRoutes = [
  define.get(path, {
    operationId: 'listApplicationSubscriptions',
    permission: 'application-subscription',
    summary: 'Lists the subscriptions of an application.',
    query: z.strictObject({ ...v1PageQuery, status: listParam(subscriptionStatuses).optional() }),
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
  define.post(path, {
    operationId: 'createApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Subscribes an application to a plan.',
    query: z.strictObject({ plan: idSchema }),
    body: z
      .strictObject({
        request: z.string().max(4_096).optional(),
        apiKeyMode: createSubscriptionSchema.shape.apiKeyMode,
        configuration: createSubscriptionSchema.shape.consumerConfiguration,
        metadata: createSubscriptionSchema.shape.metadata,
      })
      .openapi('NewSubscription'),
    isBodyOptional: true,
    answer: subscriptionSchema,
    run: ({ desk, actor, at, params: { applicationId }, query, body: { configuration, ...body } }) =>
      subscribeOwn(desk, actor, {
        at,
        id: applicationId,
        planId: query.plan,
        wish: { ...body, consumerConfiguration: configuration },
      }),
  }),
  define.get(onePath, {
    operationId: 'getApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Gets a subscription of an application.',
    answer: subscriptionSchema,
    version,
    run: ({ desk, at, params: { applicationId, subscriptionId } }) =>
      getOwnSubscription(desk, { at, id: applicationId, subscriptionId }),
  }),
  define.put(onePath, {
    operationId: 'updateApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Replaces what the consumer notes of a subscription.',
    body: z
      .strictObject({
        ...readOnlyFields(...Object.keys(subscriptionSchema.shape)),
        consumerConfiguration: createSubscriptionSchema.shape.consumerConfiguration,
        metadata: createSubscriptionSchema.shape.metadata,
        configuration: createSubscriptionSchema.shape.consumerConfiguration,
      })
      .openapi('UpdateApplicationSubscription'),
    answer: subscriptionSchema,
    version,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId }, body, ifMatch }) =>
      noteSubscription(desk, actor, {
        ifMatch,
        at,
        applicationId,
        subscriptionId,
        wish: {
          metadata: body.metadata,
          consumerConfiguration: body.configuration ?? body.consumerConfiguration,
        },
      }),
  }),
  define.post(`${onePath}/_changeConsumerStatus`, {
    operationId: 'changeSubscriptionConsumerStatus',
    permission: 'application-subscription',
    action: 'update',
    summary: 'Stops a subscription for its consumer, or starts it again.',
    query: z.strictObject({ status: z.enum(['STARTED', 'STOPPED']) }),
    status: 200,
    answer: subscriptionSchema,
    version,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId }, query }) =>
      changeConsumerStatus(desk, actor, { at, applicationId, subscriptionId, status: query.status }),
  }),
  define.get('/subscriptions', {
    operationId: 'listSubscriptionsAcrossApis',
    permission: 'environment-application',
    summary: `Lists the subscriptions of the applications that you may see, the newest ${acrossMax}.`,
    query: z.strictObject({ application: idSchema.optional(), plan: idSchema.optional() }),
    answer: z.array(subscriptionSchema),
    run: ({ desk, actor, at, query: { application, plan } }) =>
      listAcrossApis(desk, actor, { at, application, plan, limit: acrossMax }),
  }),
  define.delete(onePath, {
    operationId: 'closeApplicationSubscription',
    permission: 'application-subscription',
    summary: 'Closes a subscription of an application.',
    run: ({ desk, actor, at, params: { applicationId, subscriptionId }, ifMatch }) =>
      closeOwnSubscription(desk, actor, { at, id: applicationId, subscriptionId, ifMatch }),
  }),
  define.get(`${onePath}/apikeys`, {
    operationId: 'listApplicationApiKeys',
    permission: 'application-subscription',
    summary: 'Lists the keys of a subscription, without their values.',
    answer: z.array(apiKeySchema),
    run: async ({ desk, at, params: { applicationId, subscriptionId } }) =>
      (await listKeys(desk, { at, applicationId, subscriptionId, page: { page: 1, perPage: 100 } })).data,
  }),
  define.post(`${onePath}/apikeys/_renew`, {
    operationId: 'renewApplicationApiKey',
    permission: 'application-subscription',
    action: 'update',
    summary: 'Makes a new key, shown only in this answer; the others end in two hours.',
    body: z.strictObject({ customApiKey: customApiKeySchema.optional() }),
    isBodyOptional: true,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { applicationId, subscriptionId }, body }) =>
      renewKey(desk, actor, { at, applicationId, subscriptionId, customKey: body.customApiKey }),
  }),
  define.delete(`${onePath}/apikeys/{keyId}`, {
    operationId: 'revokeApplicationApiKey',
    permission: 'application-subscription',
    action: 'update',
    summary: 'Revokes a key.',
    run: ({ desk, actor, at, params: { applicationId, subscriptionId, keyId } }) =>
      revokeKey(desk, actor, { at, applicationId, subscriptionId, keyId }),
  }),
];
