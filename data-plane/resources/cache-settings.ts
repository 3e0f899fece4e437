import { z } from 'zod';

import { section } from '../../proto/process/settings.ts';

/** The section `cache`: what bounds the caches of all APIs. */
export const cacheSettings = section({
  entryBytesMax: z
    .int()
    .min(1_024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('Largest answer that the cache policy keeps, head and body; what is larger passes.'),
  memoryBytesMax: z
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe(
      'Memory that caches of all APIs take together in each process; past it the largest of them forgets what was not asked for longest.',
    ),
  capturedBytesMax: z
    .int()
    .min(0)
    .default(32 * 1024 * 1024)
    .describe(
      'Memory in each process of answers that are being copied for caches while they pass, and again of those on their way to each Redis; past it they are not kept.',
    ),
  fetchWaitMsMax: z
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe(
      'How long a request that finds nothing in a cache waits for another one that asks the backend for the same; 0: not at all.',
    ),
});
