import { z } from 'zod';

import { answerCondition } from '../answer-condition.ts';
import { definePolicy } from '../policy-schema.ts';

/** Attempts after the first; what waits longer than its client is of use to nobody. */
const retriesMax = 20;
const waitMsMax = 60_000;

/** Asks the backend again. */
export const retry = definePolicy({
  id: 'retry',
  title: 'Retry',
  summary: 'Asks the backend again when it fails, is slow, or answers as a condition says.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      condition: answerCondition('#response').refine(
        (condition) => condition !== undefined,
        'is required: when an answer is to be asked for again, e.g. {#response.status >= 500}',
      ),
      /** 0 is 1, as in the reference. */
      maxRetries: z
        .int()
        .min(0)
        .max(retriesMax)
        .default(1)
        .overwrite((retries) => Math.max(1, retries)),
      /** Between two attempts, ms. */
      delay: z.int().min(0).max(waitMsMax).default(0).meta({ unit: 'ms' }),
      /** Of one attempt until the head of its answer, ms; 0 is 1000, as in the reference. */
      timeout: z
        .int()
        .min(0)
        .max(waitMsMax)
        .default(1_000)
        .overwrite((ms) => (ms === 0 ? 1_000 : ms))
        .meta({ unit: 'ms' }),
      lastResponse: z.boolean().default(false),
    }),
  errors: {
    RETRY_EXHAUSTED: { status: 502, message: 'The backend did not answer as it should' },
  },
  docs: 'Stands around the call of the backend, which is asked `maxRetries` times more at most, whatever the method. Asked again is after an answer of which `condition` holds (`{#response.status >= 500}`; one that cannot be told does not hold), after a failure of the connection, and where no head of an answer came within `timeout`. Each attempt is balanced anew. When the last one was not good either, the answer is 502; with `lastResponse` it is the last answer, unless the last attempt failed or was too slow. The body of the request is read whole, to be sent again (`request.bufferedBytesMax` of the gateway); that of an answer is not, so the condition may not read it. What the client itself breaks off is not asked for again.',
  example: () => ({
    about: 'A backend that is busy for a moment is asked once more.',
    request: [
      {
        policy: 'retry',
        configuration: { condition: '{#response.status == 503}', maxRetries: 1, delay: 10 },
      },
    ],
    backend: {
      '/orders': [
        { status: 503, body: 'busy' },
        { status: 201, body: 'taken' },
        { status: 503, body: 'busy' },
      ],
    },
    calls: [
      {
        request: { path: '/orders', body: 'apples' },
        received: { method: 'POST', path: '/orders', body: 'apples' },
        answer: { status: 201, body: 'taken' },
      },
      {
        about: 'Now it is busy for longer.',
        request: { path: '/orders', body: 'apples' },
        answer: { status: 502, body: '…The backend did not answer as it should…' },
      },
    ],
  }),
});
