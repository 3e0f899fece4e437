import type { Clock } from '../../proto/process/clock.ts';
import type { Count, Counters, CounterStore } from './limiter.ts';

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
}

/** Counters of one worker. */
export interface MemoryCounterStore extends CounterStore {
  within(environment: string): MemoryCounters;
  /** Windows kept. */
  readonly size: number;
}

/**
 * Counters of one worker.
 *
 * A window that has ended is replaced by the next, and so is one whose end is too far away: the clock was ahead and was set back, and
 * nobody is to be refused for as long as it was wrong. The result is the live window: read it before something more is taken.
 *
 * When there is no room, the environment with the most windows forgets its oldest: none can push out what another counts while it
 * holds more itself.
 */
export function createMemoryCounters({ windowsMax, clock }: MemoryCountersOptions): MemoryCounterStore {
  const environments = new Map<string, Map<string, Window>>();
  let size = 0;
  const forget = (): void => {
    let most: Map<string, Window> | undefined;
    for (const windows of environments.values()) if (windows.size > (most?.size ?? 0)) most = windows;
    const oldest = most?.keys().next();
    if (oldest?.done === false && most?.delete(oldest.value) === true) size -= 1;
  };
  const windowsOf = (environment: string): Map<string, Window> => {
    const known = environments.get(environment) ?? new Map<string, Window>();
    environments.set(environment, known);
    return known;
  };
  return {
    get size() {
      return size;
    },
    within(environment) {
      const windows = windowsOf(environment);
      return {
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
          else if (size >= windowsMax) forget();
          if (window === undefined) size += 1;
          const fresh = { count: amount, resetAtMs: nowMs + windowMs };
          windows.set(key, fresh);
          return fresh;
        },
      };
    },
  };
}
