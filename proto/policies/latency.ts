import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

/** What an aborted request holds until its time has come has to end soon. */
const waitMsMax = 60_000;

/** Lets a request, or its answer, wait. */
export const latency = definePolicy({
  id: 'latency',
  title: 'Latency',
  summary: 'Delays requests or answers by a fixed time.',
  category: 'others',
  phases: ['request', 'response'],
  config: () =>
    z
      .strictObject({
        time: z.int().min(0).default(100),
        timeUnit: z.enum(['MILLISECONDS', 'SECONDS']).default('MILLISECONDS'),
      })
      .refine(({ time, timeUnit }) => time * (timeUnit === 'SECONDS' ? 1_000 : 1) <= waitMsMax, {
        path: ['time'],
        message: 'must be at most a minute',
      }),
  errors: {},
  docs: 'Waits before the request, or its answer, goes on; the time that an answer may take in all (`request.answerMsMax` of the gateway) holds all the same.',
  example: () => ({
    about: 'A request waits 20 ms, as if the way were longer.',
    request: [{ policy: 'latency', configuration: { time: 20, timeUnit: 'MILLISECONDS' } }],
    calls: [{ request: {}, answer: { body: 'hello' } }],
  }),
});
