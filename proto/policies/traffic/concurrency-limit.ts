import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

const placesMax = 100_000;
const queueMax = 10_000;
const waitMsMax = 60_000;

/** Bounds how many requests are on their way at once. */
export const concurrencyLimit = definePolicy({
  id: 'concurrency-limit',
  title: 'Concurrency limit',
  summary: 'Limits how many requests are on their way at once, and how many wait for a place.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      /** Requests that may be on their way at once. */
      limit: z.int().min(1).max(placesMax),
      /** Whose places they are. */
      per: z.enum(['API', 'PLAN', 'SUBSCRIPTION']).default('API'),
      queue: z
        .strictObject({
          /** Requests that may wait for a place; 0 refuses at once. */
          max: z.int().min(0).max(queueMax).default(0),
          /** How long, ms. */
          waitMs: z.int().min(1).max(waitMsMax).default(1_000).meta({ unit: 'ms' }),
        })
        .prefault({}),
    }),
  errors: {
    CONCURRENCY_LIMIT_REACHED: {
      status: 503,
      message: 'Too many requests at once: {limit} are on their way',
    },
    CONCURRENCY_LIMIT_QUEUE_TIMEOUT: {
      status: 503,
      message: 'Too many requests at once: no place came free in {wait_ms} ms',
    },
  },
  docs: 'A request takes a place and gives it back when it is over: answered to its last byte, refused by a later step, or left by its client; a WebSocket holds one while it is open. Where no place is free it waits for one, in order, at most `queue.waitMs`; where `queue.max` wait already it is refused at once. `per` says whose places they are: of all callers of the step (`API`), of each plan, or of each subscription (keyless: of each client address, of IPv6 per /64). Each step counts apart, in each process: a gateway with workers lets so many through in each. It is ours; the reference product has none.',
  example: () => ({
    about: 'The backend never has more than two requests at once; ten more wait for half a second.',
    request: [
      {
        policy: 'concurrency-limit',
        configuration: { limit: 2, queue: { max: 10, waitMs: 500 } },
      },
    ],
    calls: [
      { about: 'One after another they all pass.', request: {}, received: {}, answer: { body: 'hello' } },
      { request: {}, received: {}, answer: { body: 'hello' } },
      { request: {}, received: {}, answer: { body: 'hello' } },
    ],
  }),
});
