import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

/** Plan security by an API key in a header or in the query. */
export const apiKey = definePolicy({
  id: 'api-key',
  title: 'API key',
  phases: ['security'],
  config: z.strictObject({
    /** Whether the backend sees the key. */
    propagateApiKey: z.boolean().default(false),
  }),
  errors: {
    API_KEY_MISSING: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
    API_KEY_INVALID: { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' },
  },
  docs: 'Looks for the key in the header `X-Gravitee-Api-Key`, then in the query parameter `api-key` (names are gateway settings; an empty name switches a place off). Two that differ are refused as an invalid key. The key must belong to an accepted subscription of the plan, in date.',
});
