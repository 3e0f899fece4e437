/** When to try again. */
export interface Backoff {
  /** Wait before the next try; the other side may have asked for more. `capMs` bounds the random part of this one wait. */
  nextMs(retryAfterMs?: number, capMs?: number): number;
  /** It worked: the next failure starts from the beginning. */
  reset(): void;
}

/** Bounds of a back-off in ms. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly capMs: number;
  /** 0 <= x < 1; tests hand in their own. */
  readonly random?: () => number;
}

/** What one side asks for is believed up to this: a bridge must not send its gateways away for a day. */
const retryAfterMsMax = 10 * 60_000;

/**
 * Full jitter: a random time between 0 and a bound that doubles up to the cap. A thousand gateways that lost one
 * bridge at one moment come back evenly spread; a wait that the bridge asked for is spread behind that wait.
 */
export function createBackoff({ firstMs, capMs, random = Math.random }: BackoffOptions): Backoff {
  let boundMs = firstMs;
  return {
    nextMs(retryAfterMs = 0, onceMsMax = capMs) {
      const jitterMs = random() * Math.min(boundMs, onceMsMax);
      boundMs = Math.min(capMs, boundMs * 2);
      return Math.min(Math.max(0, retryAfterMs), retryAfterMsMax) + jitterMs;
    },
    reset() {
      boundMs = firstMs;
    },
  };
}
