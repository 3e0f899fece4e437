import { z } from 'zod';

import { limiterErrors, limiterFields, limiterKey, limitMax, wholeNumber } from '../limits/limit-fields.ts';
import { definePolicy } from '../policy-schema.ts';

const periodTimeMax = 100_000;

/** A bucket of tokens that is filled again evenly; each request takes one. */
export const tokenBucket = definePolicy({
  id: 'token-bucket-rate-limit',
  title: 'Token bucket',
  summary: 'Limits how many requests pass at once and, over time, at which rate.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      errorStrategy: limiterFields.errorStrategy,
      async: limiterFields.async,
      addHeaders: z.boolean().default(false),
      key: limiterKey,
      useKeyOnly: z.boolean().default(false),
      burstCapacity: z.int().min(0).max(limitMax).default(0),
      dynamicBurstCapacity: wholeNumber,
      refillRate: z.int().min(0).max(limitMax).default(0),
      dynamicRefillRate: wholeNumber,
      /** Less than 1 is 1. */
      refillPeriodTime: z
        .int()
        .max(periodTimeMax)
        .default(1)
        .overwrite((time) => Math.max(1, time)),
      refillPeriodTimeUnit: z.enum(['SECONDS', 'MINUTES', 'HOURS', 'DAYS']).default('SECONDS'),
    }),
  errors: limiterErrors(
    'TOKEN_BUCKET_RATE_LIMIT',
    'Rate limit exceeded! You reached the burst capacity of {burst_capacity} requests',
  ),
  docs: 'A bucket holds `burstCapacity` tokens and begins full; each request takes one, and `refillRate` of them come back per `refillPeriodTime`, evenly. A request that finds none is refused and takes nothing, so whoever waits gets in again however often he asked.\n\n`burstCapacity` wins over `dynamicBurstCapacity`, `refillRate` over `dynamicRefillRate`; where neither gives more than 0, or an expression fails, the answer is 500. `addHeaders` sets X-Rate-Limit-Limit (the capacity), -Remaining and -Reset (ms since 1970, when the next token comes), and beside 429 Retry-After in seconds.\n\nThere is a bucket per plan and subscription (keyless: plan and client address; no plan: OAuth client, else API), `key` and step; with `useKeyOnly` per `key` alone, in all APIs of the environment.\n\nWhere buckets are kept in Redis and it does not answer in time, `errorStrategy` decides, as for `rate-limit`; `async` counts here at once and tells Redis later.',
  example: () => ({
    about: 'Two requests at once, then one a minute.',
    request: [
      {
        policy: 'token-bucket-rate-limit',
        configuration: {
          burstCapacity: 2,
          refillRate: 1,
          refillPeriodTime: 1,
          refillPeriodTimeUnit: 'MINUTES',
          addHeaders: true,
        },
      },
    ],
    calls: [
      { request: {}, answer: { headers: { 'X-Rate-Limit-Limit': '2', 'X-Rate-Limit-Remaining': '1' } } },
      { request: {}, answer: { headers: { 'X-Rate-Limit-Remaining': '0' } } },
      {
        request: {},
        received: 'nothing',
        answer: {
          status: 429,
          headers: { 'Retry-After': '60' },
          body: '…You reached the burst capacity of 2 requests…',
        },
      },
    ],
  }),
});
