import { z } from '@hono/zod-openapi';
import { customApiKeySchema } from '../../../proto/model/subscription.ts';
import { momentSchema, readOnlyFields } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { apiKeySchema } from '../subscriptions/subscription-shape.ts';
import { endKey, listKeys, reactivateKey, renewKey, revokeKey } from './api-keys.ts';

const define = resource({ tag: 'API Subscriptions', scope: 'environment' });
const path = '/apis/{apiId}/subscriptions/{subscriptionId}/api-keys';
const keyFields = Object.keys(apiKeySchema.shape).filter((name) => name !== 'expireAt');

/** The routes of keys, for publishers. */
export const apiKeyRoutes = [
  define.get(path, {
    operationId: 'getApiSubscriptionApiKeys',
    permission: 'api-subscription',
    summary: 'Lists the keys of a subscription, without their values.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('SubscriptionApiKeysResponse', apiKeySchema),
    run: async ({ desk, at, params: { apiId, subscriptionId }, query, url }) =>
      pageOf(await listKeys(desk, { at, apiId, subscriptionId, page: query }), query, url),
  }),
  define.post(`${path}/_renew`, {
    operationId: 'renewApiSubscriptionApiKeys',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Makes a new key, shown only in this answer; the others end in two hours.',
    body: z.strictObject({ customApiKey: customApiKeySchema.optional() }).openapi('RenewApiKey'),
    isBodyOptional: true,
    status: 200,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { apiId, subscriptionId }, body }) =>
      renewKey(desk, actor, { at, apiId, subscriptionId, customKey: body.customApiKey }),
  }),
  define.put(`${path}/{apiKeyId}`, {
    operationId: 'updateApiSubscriptionApiKey',
    permission: 'api-subscription',
    summary: 'Says when a key ends; without a moment it ends with its subscription.',
    body: z
      .strictObject({ ...readOnlyFields(...keyFields), expireAt: momentSchema.optional() })
      .openapi('UpdateApiKey'),
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { apiId, subscriptionId, apiKeyId }, body }) =>
      endKey(desk, actor, { at, apiId, subscriptionId, keyId: apiKeyId, expireAt: body.expireAt }),
  }),
  define.post(`${path}/{apiKeyId}/_reactivate`, {
    operationId: 'reactivateApiSubscriptionApiKey',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Lets a key that was revoked or has expired open its subscription again.',
    status: 200,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { apiId, subscriptionId, apiKeyId } }) =>
      reactivateKey(desk, actor, { at, apiId, subscriptionId, keyId: apiKeyId }),
  }),
  define.post(`${path}/{apiKeyId}/_revoke`, {
    operationId: 'revokeApiSubscriptionApiKey',
    permission: 'api-subscription',
    action: 'update',
    summary: 'Revokes a key.',
    status: 200,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { apiId, subscriptionId, apiKeyId } }) =>
      revokeKey(desk, actor, { at, apiId, subscriptionId, keyId: apiKeyId }),
  }),
];
