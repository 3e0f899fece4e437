import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';
import { resourceNameSchema } from './resource-name.ts';

/** Plan security by a token that an authorization server is asked about. */
export const oauth2 = definePolicy({
  id: 'oauth2',
  title: 'OAuth2',
  summary: 'Lets in who shows a token that an authorization server vouches for.',
  category: 'security',
  phases: ['security'],
  config: z.strictObject({
    /** Name of a resource that introspects. */
    oauthResource: resourceNameSchema.min(1, 'is required: the name of a resource of the API'),
    /** Tokens are remembered where a cache is named. */
    oauthCacheResource: resourceNameSchema.default(''),
    /** Whether steps find `oauth.payload`. */
    extractPayload: z.boolean().default(false),
    checkRequiredScopes: z.boolean().default(false),
    requiredScopes: z.array(z.string().min(1).max(256)).max(100).default([]),
    /** All of the required scopes, or any. */
    modeStrict: z.boolean().default(true),
    /** Whether the backend sees the token. */
    propagateAuthHeader: z.boolean().default(true),
  }),
  uses: [
    { field: 'oauthResource', serves: 'introspection' },
    { field: 'oauthCacheResource', serves: 'cache' },
  ],
  errors: {
    OAUTH2_MISSING_ACCESS_TOKEN: {
      status: 401,
      message: 'Unauthorized',
      parent: 'GATEWAY_PLAN_UNRESOLVABLE',
    },
    OAUTH2_INVALID_ACCESS_TOKEN: {
      status: 401,
      message: 'Unauthorized',
      parent: 'GATEWAY_PLAN_UNRESOLVABLE',
    },
    OAUTH2_INSUFFICIENT_SCOPE: { status: 401, message: 'Unauthorized' },
    OAUTH2_INVALID_SERVER_RESPONSE: {
      status: 503,
      message: 'Temporarily Unavailable',
      parent: 'GATEWAY_PLAN_RESOLUTION_FAILURE',
    },
    OAUTH2_SERVER_UNAVAILABLE: {
      status: 503,
      message: 'Temporarily Unavailable',
      parent: 'GATEWAY_PLAN_RESOLUTION_FAILURE',
    },
  },
  docs: 'Takes the token as `jwt` does and asks the resource what it stands for: once per request, and once for all requests that ask at the same time. The client id (`client_id`, else the first `aud`) must have a subscription to the plan. With `oauthCacheResource` an answer with `exp` is remembered until then, at most `jwt.seenMax` of them per plan. A server that is away, or says nothing that can be understood, is 503 unless another plan lets the caller in (the reference: 401 for the latter).',
});
