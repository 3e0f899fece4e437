import { z } from 'zod';

import { limiterKey, limitMax, wholeNumber } from '../limits/limit-fields.ts';

const periodTimeMax = 100_000;
const units = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'] as const;

/** A limit of what requests use, and its period. unit: where a definition says none; limit: how a form begins, and what it counts. */
export const budgetRate = (
  unit: (typeof units)[number],
  limit: { readonly begin: number; readonly description: string },
) =>
  z.strictObject({
    limit: z.int().min(0).max(limitMax).default(0).meta(limit),
    dynamicLimit: wholeNumber.meta({
      title: 'Limit by an expression',
      description: 'Counts where the limit above is 0',
    }),
    /** Less than 1 is 1. */
    periodTime: z
      .int()
      .max(periodTimeMax)
      .default(1)
      .overwrite((time) => Math.max(1, time))
      .meta({ title: 'Period', begin: 1 }),
    periodTimeUnit: z.enum(units).default(unit),
    key: limiterKey,
    useKeyOnly: z.boolean().default(false),
  });

/** How they are counted, and what is done where nobody counts. */
export const budgetStrategy = z.preprocess(
  (value) => (value === 'FALLBACK_PASS_TROUGH' ? 'FALLBACK_PASS_THROUGH' : value),
  z.enum(['ASYNC_MODE', 'BLOCK_ON_INTERNAL_ERROR', 'FALLBACK_PASS_THROUGH']).default('ASYNC_MODE'),
);

/** What is to be said of every budget. */
export const budgetDocs = [
  'What a request uses is known when its answer is over, and is taken then, before the last bytes of the answer leave. So a request passes as long as anything is left, and may take more than that; the next one is refused with 429. Requests that run at the same time all pass while something is left. It is read from what the model answers, before steps of the answer rewrite or refuse that; where another step asks the model again, each answer of it counts. `addHeaders` says what was left before the request, and when the period ends (ms since 1970).',
  'A window starts with its first request. `limit` wins over `dynamicLimit`; 0, or one that comes to nothing, lets nothing pass, and one that fails is answered with 500. `HOURS` and `DAYS` are ours. There is a budget per plan and subscription (keyless: plan and client address; no plan: OAuth client, else API), `key` and step; with `useKeyOnly` per `key` alone, in all APIs of the environment.',
  '`strategy`: `ASYNC_MODE` counts at once in each process and tells Redis later, so that processes together may pass the limit; the other two ask Redis, and where it does not answer in time `BLOCK_ON_INTERNAL_ERROR` refuses and `FALLBACK_PASS_THROUGH` lets pass, with a warning in the record. Without Redis there is no difference.',
  '**What says no usage** is estimated, with a warning in the record: an answer by a token for each event of its stream, else for four bytes; what was asked by a token for four bytes. So are streams that a client breaks off, of which the provider had no time to say more, and a request whose client left before its answer. Answers with another status than 200 to 299, of other types, and those that a cache of this API gave use nothing.',
].join('\n\n');
