import { z } from 'zod';

import { headersSwitch, limiterDocs, limiterErrors, limiterFields, limitOf } from './limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';

/** Counts requests in windows of seconds or minutes. */
export const rateLimit = definePolicy({
  id: 'rate-limit',
  title: 'Rate limit',
  summary: 'Limits how many requests pass in seconds or minutes.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      rate: limitOf(['SECONDS', 'MINUTES'], 'How many calls pass'),
      addHeaders: headersSwitch(false),
      ...limiterFields,
    }),
  errors: limiterErrors(
    'RATE_LIMIT',
    'Rate limit exceeded! You reached the limit of {limit} requests per {period_time} {period_unit}',
  ),
  docs: `**Windows**: one starts with its first request. \`dynamicPeriodTime\` is in seconds.

**Headers**: \`addHeaders\` sets X-Rate-Limit-Limit, -Remaining and -Reset (ms since 1970).

${limiterDocs}`,
  example: () => ({
    about: 'Two requests a minute.',
    request: [
      {
        policy: 'rate-limit',
        configuration: { addHeaders: true, rate: { limit: 2, periodTime: 1, periodTimeUnit: 'MINUTES' } },
      },
    ],
    calls: [
      {
        request: {},
        answer: { headers: { 'X-Rate-Limit-Limit': '2', 'X-Rate-Limit-Remaining': '1' }, body: 'hello' },
      },
      { request: {}, answer: { headers: { 'X-Rate-Limit-Remaining': '0' }, body: 'hello' } },
      {
        request: {},
        received: 'nothing',
        answer: {
          status: 429,
          headers: { 'X-Rate-Limit-Reset': '…' },
          body: '…Rate limit exceeded! You reached the limit of 2 requests per 1 minutes…',
        },
      },
    ],
  }),
});
