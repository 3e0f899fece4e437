/**
 * The contract of counters that rate limits, quotas and spike arrests share. They are kept in this process (memory.ts), by the primary of
 * several workers (asked.ts) or in Redis, for several gateways (redis.ts); all count alike.
 */
export interface Counters {
  /**
   * Takes an amount from what a rule allows under a key, and says how much was taken so far; the caller decides whether that is too
   * much. What is refused was taken all the same, but for `gcra`; an amount of 0 only looks.
   *
   * Shape:  key e.g. a subscription, in the group of a step; result e.g. { count: 3, resetAtMs: 1764000000000 }. A key is
   *         used with one rule; under another kind of rule it begins anew. amount is a whole number >= 0.
   * Units:  resetAtMs is ms since the epoch.
   * Errors: rejects when the store does not answer within its budget; the policy's errorStrategy decides open or closed.
   * Cost:   memory: a map look-up, synchronous. The primary: one message per turn of the event loop. Redis: one round trip, one pipeline
   *         per turn.
   */
  take(key: string, rule: CounterRule, amount: number): Count | Promise<Count>;
  /**
   * The same, but what cannot be asked is counted by what this process last knew. Never rejects. Absent where nobody far away is asked.
   */
  readonly estimated?: Counters | undefined;
  /** Counts at once by what this process knows, and tells the others later. Never rejects. Absent where nobody far away is asked. */
  readonly later?: Counters | undefined;
}

/** Counters apart by environment: two tenants of one gateway that choose the same key share nothing. */
export interface CounterStore {
  within(environment: string): Counters;
  /** Ways to where somebody else counts, and how many of them are left alone because nobody answers there. Absent where this process counts. */
  readonly ways?: () => { readonly all: number; readonly away: number };
}

/** How what was taken is forgotten; each kind is a way of counting. */
export type CounterRule = (FixedWindow | CalendarWindow | SlidingWindow | Gcra) & {
  /**
   * Keys are apart by it. What many requests have in common stands here and not in the key, which may then be a text that is there anyway,
   * e.g. the id of a subscription. No group is the beginning of another. Default: none.
   */
  readonly group?: string;
};

/** A window starts with the first that is taken and ends after windowMs; then everything is forgotten at once. */
export interface FixedWindow {
  readonly kind: 'fixed';
  readonly windowMs: number;
}

/**
 * A window of whole units of the calendar, in UTC. From `first` on: it starts with the first that is taken and ends at the same time of
 * day so many units later (31 January + 1 month is the last day of February). On the `calendar`: it ends where the unit does (an hour, a
 * day, a week from Monday, a month), so many units after the beginning of the one in which the first is taken.
 */
export interface CalendarWindow {
  readonly kind: 'calendar';
  readonly unit: CalendarUnit;
  readonly units: number;
  readonly from: 'first' | 'calendar';
}

/** Units of calendar windows. */
export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

/**
 * What was taken within the last windowMs, nearly: windows follow one another since the epoch, and of the one before counts the share that
 * the last windowMs still reach, as if it had been taken evenly. Whoever goes on while he is refused stays refused.
 */
export interface SlidingWindow {
  readonly kind: 'sliding';
  readonly windowMs: number;
}

/**
 * A bucket of `burst` that is filled again evenly, `refill` per refillMs (the generic cell rate algorithm). The count is what is missing in
 * the bucket. What does not fit is not taken: then the count is past `burst`, and who waits gets in again however often he asked.
 */
export interface Gcra {
  readonly kind: 'gcra';
  readonly burst: number;
  readonly refill: number;
  readonly refillMs: number;
}

/** What was taken under a key, this time included. */
export interface Count {
  readonly count: number;
  /** When the count is 0 again if nothing more is taken. */
  readonly resetAtMs: number;
  /** Others who should have been asked did not answer. */
  readonly isEstimate?: true;
}

/** A clock that is set back by so little forgets no window; by more, nobody is to be refused for as long as it was wrong. */
export const setBackMsMax = 60_000;
