import { z } from 'zod';

import { type Template, template } from '../expression/template.ts';
import { definePolicy } from './policy-schema.ts';

const limitMax = 1_000_000_000_000;
/** As long as a header may be; long ones are counted by their hash. */
const keyCharsMax = 65_536;

/** Nothing written is 0. */
const wholeNumber = template(
  z
    .string()
    .regex(/^\d{0,12}$/, 'must be a whole number')
    .transform(Number),
).prefault('');

/** What can be known of a template before there is a request is not that. */
const isSurely = <Value>(made: Template<Value>, value: Value): boolean =>
  made.kind === 'constant' && made.value === value;

/** What a limiter does when its counters cannot be reached; the reference's spelling, with and without its slip. */
const errorStrategySchema = z.preprocess(
  (value) => (value === 'FALLBACK_PASS_THROUGH' ? 'FALLBACK_PASS_TROUGH' : value),
  z.enum(['FALLBACK_PASS_TROUGH', 'BLOCK_ON_INTERNAL_ERROR']).default('FALLBACK_PASS_TROUGH'),
);

/** Counts requests in fixed windows of seconds or minutes. */
export const rateLimit = definePolicy({
  id: 'rate-limit',
  title: 'Rate limit',
  phases: ['request'],
  config: z.strictObject({
    errorStrategy: errorStrategySchema,
    /** Counts locally and merges later; counters in memory are local anyway. */
    async: z.boolean().default(false),
    addHeaders: z.boolean().default(false),
    rate: z
      .strictObject({
        key: template(z.string().max(keyCharsMax)).prefault(''),
        useKeyOnly: z.boolean().default(false),
        limit: z.int().min(0).max(limitMax).default(0),
        dynamicLimit: wholeNumber,
        periodTime: z.int().min(0).max(100_000).default(1),
        /** Seconds; used when periodTime is 0. */
        dynamicPeriodTime: wholeNumber,
        periodTimeUnit: z.enum(['SECONDS', 'MINUTES']).default('SECONDS'),
      })
      .refine((rate) => rate.periodTime > 0 || !isSurely(rate.dynamicPeriodTime, 0), {
        path: ['periodTime'],
        message: 'must be at least 1',
      })
      .refine((rate) => !rate.useKeyOnly || !isSurely(rate.key, ''), {
        path: ['key'],
        message: 'must not be empty when useKeyOnly is set',
      }),
  }),
  errors: {
    RATE_LIMIT_TOO_MANY_REQUESTS: {
      status: 429,
      message:
        'Rate limit exceeded! You reached the limit of {limit} requests per {period_time} {period_unit}',
    },
    RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR: {
      status: 500,
      message: 'The rate limit cannot be checked at the moment',
    },
  },
  docs: 'A key whose expression fails counts with all others that fail; a limit or period whose expression fails lets nothing pass (500). A window starts with its first request; every request counts, refused ones too. `limit` wins over `dynamicLimit`; 0 lets nothing pass. Counted per subscription (keyless: per client address, of IPv6 per /64, all of which one subscriber has) and per step: each rate limit of a definition counts apart, wherever it stands (the reference shares one count between those on the same flow path). `useKeyOnly` counts by `key` alone, for all APIs of the environment that use the same key and period; never across environments. A changed limit or period holds from the next request on; a changed period begins a new window.',
});
