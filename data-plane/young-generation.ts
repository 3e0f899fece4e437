import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { collectOldSooner } from '../proto/process/heap/old-generation.ts';

/**
 * Room for new objects at most: one of two halves, of which V8 fills one and copies what lives into the other. V8's own bound is 32 MiB.
 * A smaller one is dearer, since it is collected more often and what is in flight is copied each time.
 */
const halfBytesMax = 10 * 1024 * 1024;
/**
 * So many collections in a row that come closer than this say that there is load; a start has some. Changes that come all the time, with few
 * requests, make one every 200 to 400 ms.
 */
const busyMs = 500;
const busyMin = 5;

/**
 * Lets the room for new objects grow while there is load, up to a bound, since all of it is touched again and again. V8 makes it smaller
 * again when there is little to do. Returns what stops it.
 *
 * V8 by itself grows it with what outlives a collection, however seldom that is: an idle gateway would have it in the end.
 * See proto/process/heap/small-start.ts for why not by a flag of Node; what it gives and costs stands in http/PERFORMANCE.md.
 */
export function growWithLoad(): () => void {
  collectOldSooner();
  let factor = 1;
  let collectedAtMs = -Infinity;
  let inRow = 0;
  const observer = new PerformanceObserver((collections) => {
    for (const { startTime } of collections.getEntries()) {
      inRow = startTime - collectedAtMs < busyMs ? inRow + 1 : 0;
      collectedAtMs = startTime;
      // In one step: what is collected on the way to it is taken for old, and stays until everything is collected.
      const wanted = inRow >= busyMin ? Math.max(1, Math.floor(halfBytesMax / halfBytes())) : 1;
      if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
      factor = wanted;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** What V8 may fill with new objects now, until it collects them. */
function halfBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return space === undefined ? halfBytesMax : space.space_used_size + space.space_available_size;
}
