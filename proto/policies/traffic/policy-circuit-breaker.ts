import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

const callsMax = 10_000;
const waitMsMax = 3_600_000;
/** In percent. The form of the reference takes 0, and its library then fails every request: nothing that works has it. */
const rate = z.int().min(1, 'must be 1 or more: at 0 nothing would ever pass').max(100).meta({ unit: '%' });

/** Spares a backend that fails. */
export const circuitBreaker = definePolicy({
  id: 'policy-circuit-breaker',
  title: 'Circuit breaker',
  summary: 'Calls a backend no more while too many of its calls fail or are slow.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      /** Percent of the calls in the window. */
      failureRateThreshold: rate.default(50),
      slowCallRateThreshold: rate.default(100),
      /** Ms to the head of an answer, past which a call is slow. */
      slowCallDurationThreshold: z.int().min(1).max(waitMsMax).default(1_000).meta({ unit: 'ms' }),
      /** Calls that are looked back on. */
      windowSize: z.int().min(1).max(callsMax).default(100),
      /** Calls without which no share is asked; more than are looked back on, or may try, are as many as those. */
      minimumNumberOfCalls: z.int().min(1).max(callsMax).default(1),
      /** Ms. */
      waitDurationInOpenState: z.int().min(1).max(waitMsMax).default(1_000).meta({ unit: 'ms' }),
      /** Requests that may try at a time. */
      permittedNumberOfCallsInHalfOpenState: z.int().min(1).max(callsMax).default(1),
      /** Ms in which those who try have to be answered; 0 waits for as long as they take. */
      maxWaitDurationInHalfOpenState: z.int().min(0).max(waitMsMax).default(0).meta({ unit: 'ms' }),
      /** What is broken off before the head of an answer, past slowCallDurationThreshold, has failed. */
      recordInterruptedCallsAsFailures: z.boolean().default(false),
      /** Where requests go while it is open; nothing: they are refused. */
      redirectToURL: template(z.string().max(8_192)).prefault(''),
    }),
  errors: {
    CIRCUIT_BREAKER_OPEN_STATE: {
      status: 503,
      message:
        'The backend is spared for a while: {failure_rate} % of its calls failed, {slow_call_rate} % were slow',
    },
  },
  docs: [
    'Stands around the call of the backend and counts how the last `windowSize` calls went. One failed when the connection did, or when the answer is 500 or more; one was slow when its head took longer than `slowCallDurationThreshold`. Once a share of them reaches its threshold the circuit opens, when there were `minimumNumberOfCalls` or more: by default from the first call on, so that one that fails alone opens it, as in the reference.',
    '**While it is open** the backend is not called for `waitDurationInOpenState`: requests are refused, with the shares as `#parameters["failure_rate"]` and `#parameters["slow_call_rate"]`, or go to `redirectToURL`, which is a URL or `name:/path` with the name of an endpoint, as for `dynamic-routing`.',
    '**Then it tries**: `permittedNumberOfCallsInHalfOpenState` requests go to the backend, all others are treated as before. Once `minimumNumberOfCalls` of them are answered (all of them, where fewer may try), the same shares are asked of them alone: they open the circuit again, or close it, and it counts from nothing. With both at 1 one request decides. Those who are not answered within `maxWaitDurationInHalfOpenState` are waited for no longer: it opens again; at 0 it waits.',
    '**Broken off**: a call that the client leaves, or that the gateway ends (`request.answerMsMax`), before its answer counts for nothing, and another one may try in its place. With `recordInterruptedCallsAsFailures` it failed, and was slow, when it had lasted longer than `slowCallDurationThreshold`. A circuit belongs to one step in one process, and begins closed with each deployment.',
  ].join('\n\n'),
  example: () => ({
    about: 'A backend that fails is left alone for a minute.',
    request: [
      {
        policy: 'policy-circuit-breaker',
        configuration: { failureRateThreshold: 50, windowSize: 10, waitDurationInOpenState: 60_000 },
      },
    ],
    backend: { '/orders': { status: 500, body: 'broken' } },
    calls: [
      {
        request: { path: '/orders' },
        received: { path: '/orders' },
        answer: { status: 500, body: 'broken' },
      },
      {
        request: { path: '/orders' },
        received: 'nothing',
        answer: { status: 503, body: '…100 % of its calls failed, 0 % were slow…' },
      },
    ],
  }),
});
