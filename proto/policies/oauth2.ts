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
  config: () =>
    z.strictObject({
      /** Name of a resource that introspects. */
      oauthResource: resourceNameSchema.min(1, 'is required: the name of a resource of the API').meta({
        title: 'Resource that asks the authorization server',
        description: 'Name of a resource of this API that introspects tokens',
      }),
      /** Tokens are remembered where a cache is named. */
      oauthCacheResource: resourceNameSchema.default('').meta({
        title: 'Resource that remembers answers',
        description: 'Name of a cache of this API; without one, the server is asked for each request',
      }),
      /** Whether steps find `oauth.payload`. */
      extractPayload: z.boolean().default(false).meta({
        title: 'Show what the server said to later steps',
        description: 'As the attribute oauth.payload',
      }),
      checkRequiredScopes: z.boolean().default(false).meta({ title: 'Demand scopes' }),
      requiredScopes: z
        .array(z.string().min(1).max(256))
        .max(100)
        .default([])
        .meta({ title: 'Required scopes', description: 'They count where scopes are demanded' }),
      /** All of the required scopes, or any. */
      modeStrict: z.boolean().default(true).meta({ title: 'A token must have all of them; otherwise any' }),
      /** Whether the backend sees the token. */
      propagateAuthHeader: z.boolean().default(true).meta({ title: 'Pass the token on to the backend' }),
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
  docs: 'Takes the token as `jwt` does and asks the resource what it stands for: once per request, and once for all requests that ask at the same time. The client id (`client_id`, else the first `aud`) must have a subscription to the plan. With `oauthCacheResource` an answer is remembered until its `exp`, and no longer than `timeToLiveSeconds` of that resource (0: until `exp` alone, and without one for its request only), at most `jwt.seenMax` of them per plan, in the memory of each process whatever the resource is. A server that is away, or says nothing that can be understood, is 503 unless another plan lets the caller in (the reference: 401 for the latter).',
  example: () => ({
    about: 'An authorization server says of a token whose it is and what it may do.',
    security: {
      type: 'OAUTH2',
      configuration: { oauthResource: 'server', checkRequiredScopes: true, requiredScopes: ['orders:read'] },
    },
    definition: {
      resources: [
        {
          name: 'server',
          type: 'oauth2',
          configuration: {
            authorizationServerUrl: 'http://backend.example:8080',
            introspectionEndpoint: '/introspect',
            introspectionEndpointMethod: 'POST',
            tokenIsSuppliedByQueryParam: false,
            tokenIsSuppliedByFormUrlEncoded: true,
            clientId: 'gateway',
            clientSecret: 'secret-of-the-gateway',
          },
        },
      ],
    },
    folder: {
      subscriptions: [
        { id: 'acme-oauth', api: 'oauth2', plan: 'callers', application: 'shop', clientId: 'acme' },
      ],
    },
    backend: {
      '/introspect': [
        {
          headers: { 'Content-Type': 'application/json' },
          body: '{"active":true,"client_id":"acme","sub":"ada","scope":"orders:read"}',
        },
        { headers: { 'Content-Type': 'application/json' }, body: '{"active":false}' },
      ],
    },
    calls: [
      { request: { headers: { Authorization: 'Bearer a-token' } }, answer: { body: 'hello' } },
      {
        about: 'Of the next one it says that it is not in force.',
        request: { headers: { Authorization: 'Bearer one-that-ended' } },
        answer: { status: 401 },
      },
    ],
  }),
});
