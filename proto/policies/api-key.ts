import { z } from 'zod';

import { headerNameSchema } from '../model/head-text.ts';
import { definePolicy } from './policy-schema.ts';

/** Framing and routing: their values are not for a caller to choose. */
const ofTheConnection =
  /^(host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect)$/i;

/** Plan security by an API key in a header or in the query. */
export const apiKey = definePolicy({
  id: 'api-key',
  title: 'API key',
  summary: 'Lets in who shows a key of a subscription.',
  category: 'security',
  phases: ['security'],
  config: () =>
    z.strictObject({
      /** Whether the backend sees the key. */
      propagateApiKey: z.boolean().default(false).meta({ title: 'Pass the key on to the backend' }),
      /** Where the key is looked for; a header falls back to the query. */
      source: z
        .enum(['HEADER', 'BEARER', 'QUERY_PARAMETER'])
        .default('HEADER')
        .meta({
          title: 'Where callers send it',
          words: {
            HEADER: 'In a header, or else in the query',
            BEARER: 'As a bearer token in Authorization',
            QUERY_PARAMETER: 'In the query alone',
          },
        }),
      /** In place of the gateway's. */
      apiKeyHeader: z
        .union([
          z.literal(''),
          headerNameSchema.refine(
            (name) => !ofTheConnection.test(name),
            'must not be Host or a header of the connection',
          ),
        ])
        .default('')
        .meta({
          title: 'Name of the header',
          description: 'In place of the one that gateways are set to, e.g. X-Partner-Key',
        }),
      /** Of older versions, in which it let the header above count; that does by itself. */
      enableCustomApiKeyHeader: z.boolean().optional().meta({ isWithoutEffect: true }),
    }),
  errors: {
    API_KEY_MISSING: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
    API_KEY_INVALID: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
  },
  docs: 'Looks for the key in the header `X-Gravitee-Api-Key`, or the one that the plan names, and in the query parameter `api-key` (names are gateway settings; an empty name switches a place off); by `source` in the query alone, or as a bearer token in Authorization alone. Two that differ are refused as an invalid key. The key must belong to an accepted subscription of the plan, in date.',
  example: () => ({
    about: 'A subscription has a key; whoever shows it may call.',
    security: { type: 'API_KEY' },
    folder: {
      subscriptions: [
        { id: 'acme', api: 'api-key', plan: 'callers', application: 'shop', apiKeys: ['a-key-of-acme'] },
      ],
    },
    calls: [
      {
        request: { headers: { 'X-Gravitee-Api-Key': 'a-key-of-acme' } },
        received: { headers: { 'X-Gravitee-Api-Key': null } },
        answer: { body: 'hello' },
      },
      { request: { path: '?api-key=a-key-of-acme' }, answer: { body: 'hello' } },
      { request: {}, received: 'nothing', answer: { status: 401 } },
      {
        request: { headers: { 'X-Gravitee-Api-Key': 'another' } },
        received: 'nothing',
        answer: { status: 401 },
      },
    ],
  }),
});
