import { z } from 'zod';

import { limiterDocs, limiterErrors, limiterFields, limitOf } from './limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';

/** Counts requests in windows of seconds or minutes. */
export const rateLimit = definePolicy({
  id: 'rate-limit',
  title: 'Rate limit',
  summary: 'Limits how many requests pass in seconds or minutes.',
  category: 'traffic',
  phases: ['request'],
  config: z.strictObject({
    ...limiterFields,
    addHeaders: z.boolean().default(false),
    rate: limitOf(['SECONDS', 'MINUTES']),
  }),
  errors: limiterErrors(
    'RATE_LIMIT',
    'Rate limit exceeded! You reached the limit of {limit} requests per {period_time} {period_unit}',
  ),
  docs: `A window starts with its first request. \`addHeaders\` sets X-Rate-Limit-Limit, -Remaining and -Reset (ms since 1970). \`dynamicPeriodTime\` is in seconds. ${limiterDocs}`,
});
