import { LRUCache } from 'lru-cache';
import type { Clock } from '../../proto/process/clock.ts';

/** How many wrong passwords are let through in a window. */
export interface ThrottleLimits {
  readonly windowMs: number;
  readonly failuresPerUserMax: number;
  readonly failuresPerSourceMax: number;
  /** Users and sources remembered at once, each. */
  readonly entriesMax: number;
}

/** Slows down guessing, per user name and per source address. */
export interface Throttle {
  /**
   * Takes one attempt, before anything is hashed, so that parallel guesses count as well.
   * Returns 0, or the milliseconds to wait when the attempt is refused.
   */
  take(user: string, source: string): number;
  /** Gives the attempt back: the password was right, or it was never looked at. */
  giveBack(user: string, source: string): void;
}

interface Window {
  readonly startMs: number;
  used: number;
}

/** The defaults: 10 wrong passwords a minute for one user name, 50 from one address. */
export const throttleDefaults: ThrottleLimits = {
  windowMs: 60_000,
  failuresPerUserMax: 10,
  failuresPerSourceMax: 50,
  entriesMax: 10_000,
};

/** Makes the throttle of this process; unknown user names are counted like known ones. */
export function createThrottle(clock: Clock, limits: ThrottleLimits = throttleDefaults): Throttle {
  const users = new LRUCache<string, Window>({ max: limits.entriesMax });
  const sources = new LRUCache<string, Window>({ max: limits.entriesMax });

  const windowOf = (windows: LRUCache<string, Window>, key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined && clock.monotonicMs() - known.startMs < limits.windowMs) return known;
    const fresh = { startMs: clock.monotonicMs(), used: 0 };
    windows.set(key, fresh);
    return fresh;
  };
  const waitOf = (window: Window, max: number): number =>
    window.used < max ? 0 : Math.max(1, window.startMs + limits.windowMs - clock.monotonicMs());

  return {
    take(user, source) {
      const byUser = windowOf(users, user);
      const bySource = windowOf(sources, source);
      const waitMs = Math.max(
        waitOf(byUser, limits.failuresPerUserMax),
        waitOf(bySource, limits.failuresPerSourceMax),
      );
      if (waitMs > 0) return waitMs;
      byUser.used += 1;
      bySource.used += 1;
      return 0;
    },
    giveBack(user, source) {
      for (const window of [users.get(user), sources.get(source)]) {
        if (window !== undefined) window.used = Math.max(0, window.used - 1);
      }
    },
  };
}
