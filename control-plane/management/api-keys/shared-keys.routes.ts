import { z } from '@hono/zod-openapi';
import { customApiKeySchema } from '../../../proto/model/subscription.ts';
import { momentSchema, readOnlyFields } from '../fields.ts';
import { resource } from '../route.ts';
import { apiKeySchema } from '../subscriptions/subscription-shape.ts';
import { endShared, listShared, reactivateShared, renewShared, revokeShared } from './shared-keys.ts';

const define = resource({ tag: 'Application Subscriptions', scope: 'v1-environment' });
const path = '/applications/{applicationId}/apikeys';
const onePath = `${path}/{keyId}` as const;
const permission = 'application-subscription';
const keyFields = Object.keys(apiKeySchema.shape).filter((name) => name !== 'expireAt');

/** The v1 routes of the keys that an application shares among its subscriptions. */
export const sharedKeyRoutes = [
  define.get(path, {
    operationId: 'listSharedApiKeys',
    permission,
    summary: 'Lists the keys that an application shares among its subscriptions, without their values.',
    answer: z.array(apiKeySchema),
    run: ({ desk, at, params: { applicationId } }) => listShared(desk, { at, id: applicationId }),
  }),
  define.post(`${path}/_renew`, {
    operationId: 'renewSharedApiKey',
    permission,
    action: 'update',
    summary: 'Makes a new key for all subscriptions, shown only in this answer; the others end in two hours.',
    body: z.strictObject({ customApiKey: customApiKeySchema.optional() }),
    isBodyOptional: true,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { applicationId }, body }) =>
      renewShared(desk, actor, { at, id: applicationId, customKey: body.customApiKey }),
  }),
  define.put(onePath, {
    operationId: 'updateSharedApiKey',
    permission,
    summary: 'Says when a key ends; without a moment it does not.',
    body: z
      .strictObject({ ...readOnlyFields(...keyFields), expireAt: momentSchema.optional() })
      .openapi('UpdateSharedApiKey'),
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { applicationId, keyId }, body }) =>
      endShared(desk, actor, { at, id: applicationId, keyId, expireAt: body.expireAt }),
  }),
  define.post(`${onePath}/_reactivate`, {
    operationId: 'reactivateSharedApiKey',
    permission,
    action: 'update',
    summary: 'Lets a key that was revoked or has expired open all subscriptions again.',
    status: 200,
    answer: apiKeySchema,
    run: ({ desk, actor, at, params: { applicationId, keyId } }) =>
      reactivateShared(desk, actor, { at, id: applicationId, keyId }),
  }),
  define.delete(onePath, {
    operationId: 'revokeSharedApiKey',
    permission,
    summary: 'Revokes a key: it opens none of the subscriptions any more.',
    run: async ({ desk, actor, at, params: { applicationId, keyId } }) => {
      await revokeShared(desk, actor, { at, id: applicationId, keyId });
    },
  }),
];
