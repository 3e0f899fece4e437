import { z } from 'zod';

import { elsewhere, section } from '../model/sections.ts';
import { defineResource } from './resource-schema.ts';

const seconds = z.int().min(0).max(31_536_000).default(0).meta({ unit: 's' });

/** A cache in the memory of each process. */
export const cache = defineResource({
  id: 'cache',
  title: 'Cache in memory',
  summary: 'Keeps answers in the memory of each process.',
  serves: ['cache'],
  config: () =>
    section({
      /** Each resource is found by its own name; consoles write this one too. */
      name: elsewhere(),
      timeToIdleSeconds: seconds,
      timeToLiveSeconds: seconds,
      maxEntriesLocalHeap: z.int().min(0).max(10_000_000).default(1_000),
    }),
  docs: 'Keeps what it is given in the memory of its process: each worker of each gateway has one of its own, empty after a start and with each revision of its API. Past `maxEntriesLocalHeap` entries (0: no bound of its own) the one goes that was not asked for longest; past `cache.memoryBytesMax` of the gateway, which all caches of a process share, one of the cache that takes most. An entry goes `timeToLiveSeconds` after it was kept, or what whoever keeps it says where that is less (0: that alone), and when nobody asked for it in `timeToIdleSeconds` (0: never; the reference takes the value of `timeToLiveSeconds` for it).',
});
