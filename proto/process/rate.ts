import type { Clock } from './clock.ts';

/** A token bucket that holds one second. */
export interface Rate {
  /**
   * 0 when allowed, else the ms after which to try again; what is refused costs nothing.
   *
   * What costs more than one token is let in by one and paid for afterwards.
   */
  take(cost?: number): number;
  /** Counts what has come already, allowed or not: the ms until that is made up for, at most `debtMsMax`. */
  charge(cost?: number): number;
  /** Makes undone what `take` counted. */
  giveBack(cost?: number): void;
}

/** Makes one that is full; debts beyond `debtMsMax` are forgiven. */
export function createRate(
  perSecondMax: number,
  clock: Pick<Clock, 'monotonicMs'>,
  { debtMsMax = 5_000 }: { readonly debtMsMax?: number } = {},
): Rate {
  let tokens = perSecondMax;
  let filledAtMs = clock.monotonicMs();
  const fill = (): void => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(perSecondMax, tokens + ((nowMs - filledAtMs) / 1_000) * perSecondMax);
    filledAtMs = nowMs;
  };
  return {
    take(cost = 1) {
      fill();
      if (tokens >= 1) {
        tokens -= cost;
        return 0;
      }
      return Math.max(1_000, Math.ceil(((1 - tokens) / perSecondMax) * 1_000));
    },
    charge(cost = 1) {
      fill();
      tokens = Math.max(tokens - cost, (-debtMsMax / 1_000) * perSecondMax);
      return tokens >= 0 ? 0 : Math.ceil((-tokens / perSecondMax) * 1_000);
    },
    giveBack(cost = 1) {
      tokens = Math.min(perSecondMax, tokens + cost);
    },
  };
}
