/**
 * The contract of counters shared by rate limit, quota and spike arrest. memory.ts is per worker; redis.ts (later) is per gateway group.
 */
export interface Counters {
  /**
   * Counts one hit in a fixed window that starts at the first hit; rejected hits count too.
   *
   * Shape:  key e.g. `${plan}${subscription}:${custom}:rl:${flowHash}`; result e.g. { count: 3, resetAtMs: 1764000000000 }.
   * Units:  windowMs is the length of a new window; nowMs and resetAtMs are ms since the epoch.
   * Errors: rejects when the store does not answer within its budget; the policy's errorStrategy decides open or closed.
   * Cost:   memory: a map look-up, synchronous. Redis: one round trip.
   */
  hit(key: string, windowMs: number, nowMs: number): Count | Promise<Count>;
}

/** A window's state after a hit. */
export interface Count {
  readonly count: number;
  readonly resetAtMs: number;
}
