import { MemoryValues } from './memory-values.ts';
import type { ResourceFactory } from './resource.ts';

/** A cache in the memory of this process, empty with each revision. */
export const cache: ResourceFactory<'cache'> = (config, { caches, clock }) => {
  const { memory, bounds } = caches;
  const values = new MemoryValues({
    memory,
    entriesMax: config.maxEntriesLocalHeap,
    idleMsMax: config.timeToIdleSeconds * 1_000,
    clock,
  });
  return {
    cache: {
      ...bounds,
      lifeMsMax: config.timeToLiveSeconds * 1_000,
      get: (key) => values.get(key),
      set: (key, value, lifeMs) => values.set(key, value, lifeMs),
    },
    start: () => memory.enter(values),
    release() {
      memory.leave(values);
      values.clear();
    },
  };
};
