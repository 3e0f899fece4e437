import type { Clock } from '../../proto/process/clock.ts';

/** A clock that stands still until `advance` is called. */
export interface FakeClock extends Clock {
  /** Moves both times on and fires what falls due, in order of time; callbacks may set new timers. */
  advance(ms: number): Promise<void>;
  /** Timers that are set. */
  readonly pending: number;
  /** Moves the wall clock alone, as an administrator or a bad time server would. */
  jump(ms: number): void;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Makes a clock that starts at startMs (wall clock, ms since the epoch) and at 0 monotonic. */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let monotonicMs = 0;
  let wallOffsetMs = startMs;
  const timers = new Set<Timer>();

  const after = (ms: number, callback: () => void): (() => void) => {
    const timer = { dueMs: monotonicMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const nextDue = (untilMs: number): Timer | undefined =>
    [...timers].filter((timer) => timer.dueMs <= untilMs).toSorted((a, b) => a.dueMs - b.dueMs)[0];

  return {
    now: () => wallOffsetMs + monotonicMs,
    monotonicMs: () => monotonicMs,
    after,
    delay: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const cancel = after(ms, resolve);
        signal?.addEventListener('abort', () => (cancel(), resolve()), { once: true });
      }),
    async advance(ms) {
      const untilMs = monotonicMs + ms;
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        timers.delete(timer);
        monotonicMs = Math.max(monotonicMs, timer.dueMs);
        timer.callback();
        // Promise callbacks of what just fired run before the next timer, as on a real event loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
      monotonicMs = untilMs;
    },
    get pending() {
      return timers.size;
    },
    jump(ms) {
      wallOffsetMs += ms;
    },
  };
}
