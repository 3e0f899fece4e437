import type { Clock } from '../../proto/process/clock.ts';
import type { Count, Counters } from './limiter.ts';

/** Bounds of counters in memory. */
export interface MemoryCountersOptions {
  /** Windows kept at once, about 150 bytes each; past it the oldest window is forgotten, which admits its caller again. */
  readonly windowsMax: number;
  readonly clock: Pick<Clock, 'now'>;
}

interface Window {
  count: number;
  resetAtMs: number;
}

/** A clock that is set back by so little forgets no window. */
const setBackMsMax = 60_000;

/** Counters that answer at once. */
export interface MemoryCounters extends Counters {
  take(...asked: Parameters<Counters['take']>): Count;
  /** Windows kept. */
  readonly size: number;
}

/**
 * Counters of one worker.
 *
 * A window that has ended is replaced by the next, and so is one whose end is too far away: the clock was ahead and was set back, and
 * nobody is to be refused for as long as it was wrong. The result is the live window: read it before something more is taken.
 */
export function createMemoryCounters({ windowsMax, clock }: MemoryCountersOptions): MemoryCounters {
  const windows = new Map<string, Window>();
  return {
    get size() {
      return windows.size;
    },
    take(key, { windowMs }, amount): Count {
      const nowMs = clock.now();
      const window = windows.get(key);
      if (
        window !== undefined &&
        nowMs < window.resetAtMs &&
        window.resetAtMs - nowMs <= windowMs + setBackMsMax
      ) {
        window.count += amount;
        return window;
      }
      // Deleted first, so that the order of the map stays the order in which windows began.
      if (window !== undefined) windows.delete(key);
      else if (windows.size >= windowsMax) forgetOldest(windows);
      const fresh = { count: amount, resetAtMs: nowMs + windowMs };
      windows.set(key, fresh);
      return fresh;
    },
  };
}

function forgetOldest(windows: Map<string, Window>): void {
  for (const key of windows.keys()) {
    windows.delete(key);
    return;
  }
}
