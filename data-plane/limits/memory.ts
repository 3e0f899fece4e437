import type { Count, Counters } from './limiter.ts';

/** Bounds of counters in memory. */
export interface MemoryCountersOptions {
  /** Windows kept at once, about 150 bytes each; past it the oldest window is forgotten, which admits its caller again. */
  readonly windowsMax: number;
}

interface Window {
  count: number;
  resetAtMs: number;
  /** No hit of this window is farther from its end. */
  readonly leftMsMax: number;
}

/** Hits come with the time at which their requests began, which may lie so long before the beginning of a window that another opened. */
const lateMsMax = 60_000;

/** Counters that answer at once. */
export interface MemoryCounters extends Counters {
  hit(...call: Parameters<Counters['hit']>): Count;
  /** Windows kept. */
  readonly size: number;
}

/**
 * Counters of one worker.
 *
 * A window that has ended is replaced by its next hit, and so is one whose end is too far away: the clock was ahead and was set back, and
 * nobody is to be refused for as long as it was wrong. The result is the live window: read it before the next hit.
 */
export function createMemoryCounters({ windowsMax }: MemoryCountersOptions): MemoryCounters {
  const windows = new Map<string, Window>();
  return {
    get size() {
      return windows.size;
    },
    hit(key, windowMs, nowMs): Count {
      const window = windows.get(key);
      if (window !== undefined && nowMs < window.resetAtMs && window.resetAtMs - nowMs <= window.leftMsMax) {
        window.count += 1;
        return window;
      }
      // Deleted first, so that the order of the map stays the order in which windows began.
      if (window !== undefined) windows.delete(key);
      else if (windows.size >= windowsMax) forgetOldest(windows);
      const fresh = { count: 1, resetAtMs: nowMs + windowMs, leftMsMax: windowMs + lateMsMax };
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
