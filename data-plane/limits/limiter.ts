/**
 * The contract of counters shared by rate limit, quota and spike arrest. memory.ts is per worker; redis.ts (later) is per gateway group.
 */
export interface Counters {
  /**
   * Takes an amount from what a rule allows under a key, and says how much was taken so far; the caller decides whether that is too
   * much. What is refused was taken all the same; an amount of 0 only looks.
   *
   * Shape:  key e.g. `${plan}${subscription}:${custom}:rl:${stepHash}`; result e.g. { count: 3, resetAtMs: 1764000000000 }. A key is
   *         used with one rule.
   * Units:  resetAtMs is ms since the epoch.
   * Errors: rejects when the store does not answer within its budget; the policy's errorStrategy decides open or closed.
   * Cost:   memory: a map look-up, synchronous. Redis: one round trip.
   */
  take(key: string, rule: CounterRule, amount: number): Count | Promise<Count>;
}

/** Counters apart by environment: two tenants of one gateway that choose the same key share nothing. */
export interface CounterStore {
  within(environment: string): Counters;
}

/** How what was taken is forgotten; each kind is a way of counting. */
export type CounterRule = FixedWindow;

/** A window starts with the first that is taken and ends after windowMs; then everything is forgotten at once. */
export interface FixedWindow {
  readonly kind: 'fixed';
  readonly windowMs: number;
}

/** What was taken under a key, this time included. */
export interface Count {
  readonly count: number;
  readonly resetAtMs: number;
}
