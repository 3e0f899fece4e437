import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Room for new objects at most: two halves, of which V8 fills one and copies what lives into the other. V8's own bound is 64 MiB. */
export const newSpaceBytesMax = 32 * 1024 * 1024;
/** Collections that come closer than this say that there is load. */
const busyMs = 100;

/**
 * Lets the room for new objects grow while there is load, up to a bound, since all of it is touched again and again. V8 makes it smaller
 * again when there is little to do. Returns what stops it.
 *
 * V8 by itself grows it with what outlives a collection, however seldom that is: an idle gateway would have it in the end.
 * See small-start.ts for why not by a flag of Node; what a smaller room costs stands in http/PERFORMANCE.md.
 */
export function growWithLoad(): () => void {
  let factor = 1;
  let collectedAtMs = -Infinity;
  const observer = new PerformanceObserver((collections) => {
    for (const { startTime } of collections.getEntries()) {
      const isBusy = startTime - collectedAtMs < busyMs;
      collectedAtMs = startTime;
      // In one step: what is collected on the way to it is taken for old, and stays until everything is collected.
      const wanted = isBusy ? Math.max(1, Math.floor(newSpaceBytesMax / newSpaceBytes())) : 1;
      if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
      factor = wanted;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** What V8 holds for new objects now. */
export function newSpaceBytes(): number {
  return (
    getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? newSpaceBytesMax
  );
}
