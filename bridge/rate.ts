import type { Clock } from '../proto/process/clock.ts';

/**
 * A token bucket of one second: `take()` is 0 when allowed, else the ms after which to try again.
 *
 * What costs more than one token is let in by one and paid for afterwards.
 */
export function createRate(perSecondMax: number, clock: Clock): { take(cost?: number): number } {
  let tokens = perSecondMax;
  let filledAtMs = clock.monotonicMs();
  return {
    take(cost = 1) {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(perSecondMax, tokens + ((nowMs - filledAtMs) / 1_000) * perSecondMax);
      filledAtMs = nowMs;
      if (tokens >= 1) {
        tokens -= cost;
        return 0;
      }
      return Math.max(1_000, Math.ceil(((1 - tokens) / perSecondMax) * 1_000));
    },
  };
}
