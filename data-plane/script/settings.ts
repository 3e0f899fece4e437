import { z } from 'zod';

import { section } from '../../proto/process/settings.ts';

/** The section `policy.js`: what bounds the scripts of all APIs. */
export const scriptSettings = section({
  timeoutMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(100)
    .describe(
      'Longest run of one script of the policies js and javascript: time in which its thread had a core. One that runs on is ended.',
    ),
  memoryBytesMax: z
    .int()
    .min(1024 * 1024)
    .max(512 * 1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe('Memory of one run of a script, the body that it reads included.'),
  threadsMax: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe(
      'Threads in each process in which scripts run, one script at a time in each. There is none where no API has a script, else one, and more while scripts wait.',
    ),
  waitMsMax: z
    .int()
    .min(10)
    .max(60_000)
    .default(1_000)
    .describe(
      'How long a script waits: for a thread, and while it runs for a core. Past it the request is answered with 503.',
    ),
  waitingMax: z
    .int()
    .min(2)
    .max(100_000)
    .default(1_000)
    .describe('Scripts that wait for a thread, of all APIs; those of one API are at most half of them.'),
  console: z
    .boolean()
    .default(false)
    .describe('Whether what scripts write to the console goes to the log of the gateway.'),
});
