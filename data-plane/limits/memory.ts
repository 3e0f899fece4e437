import type { Clock } from '../../proto/process/clock.ts';
import {
  type Count,
  type CounterRule,
  type Counters,
  type CounterStore,
  type Gcra,
  setBackMsMax,
  type SlidingWindow,
} from './limiter.ts';
import { windowMsFrom, windowMsMax } from './window-length.ts';

/** Bounds of counters in memory. */
export interface MemoryCountersOptions {
  /** Windows kept at once, about 110 bytes each with its key; past it the oldest window is forgotten, which admits its caller again. */
  readonly windowsMax: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** What is kept under a key; the ways of counting share no fields, so that reading one of them stays cheap. */
type Held = HeldWindow | HeldSliding | HeldGcra;

/** As small as it can be, since there may be one for every caller: two small numbers in 40 bytes. */
class HeldWindow {
  count: number;
  /** Since `originMs`: of 24 days and less it is a small number for V8, and takes no place of its own. */
  readonly endsMs: number;

  constructor(count: number, resetAtMs: number) {
    this.count = count;
    this.endsMs = resetAtMs - originMs;
  }

  get resetAtMs(): number {
    return originMs + this.endsMs;
  }
}

/** The start of the process, in whole ms. */
const originMs = Math.round(performance.timeOrigin);

/** Counters of one environment: by group, then by key. */
interface Environment {
  readonly groups: Map<string, Map<string, Held>>;
  size: number;
}

interface HeldSliding {
  readonly kind: 'sliding';
  count: number;
  resetAtMs: number;
  startMs: number;
  before: number;
  current: number;
}

interface HeldGcra {
  readonly kind: 'gcra';
  count: number;
  resetAtMs: number;
  /** What is missing at atMs; one taken is refillMs of it, and `refill` of it comes back per ms: whole numbers, so that nothing is rounded. */
  debt: number;
  atMs: number;
}

/** Counters that answer at once. */
export interface MemoryCounters extends Counters {
  take(...asked: Parameters<Counters['take']>): Count;
  /** From now on it goes on from what somebody else has counted. */
  learn(key: string, rule: CounterRule, counted: Count): void;
}

/** Counters of one process. */
export interface MemoryCounterStore extends CounterStore {
  within(environment: string): MemoryCounters;
  /** Windows kept. */
  readonly size: number;
}

/**
 * Counters of one process.
 *
 * A window that has ended is replaced by the next, and so is one whose end is too far away: the clock was ahead and was set back, and
 * nobody is to be refused for as long as it was wrong. The result is what is kept: read it before something more is taken.
 *
 * When there is no room, the environment with the most windows forgets the oldest of one of its groups: none can push out what another counts while it
 * holds more itself.
 */
export function createMemoryCounters({ windowsMax, clock }: MemoryCountersOptions): MemoryCounterStore {
  const environments = new Map<string, Environment>();
  let size = 0;
  const forget = (): void => {
    let most: Environment | undefined;
    for (const environment of environments.values())
      if (environment.size > (most?.size ?? 0)) most = environment;
    if (most !== undefined && forgetOne(most)) size -= 1;
  };
  const environmentOf = (name: string): Environment => {
    const known = environments.get(name) ?? { groups: new Map<string, Map<string, Held>>(), size: 0 };
    environments.set(name, known);
    return known;
  };
  return {
    get size() {
      return size;
    },
    within(name) {
      const environment = environmentOf(name);
      const { groups } = environment;
      const keep = (key: string, group: string, counted: Held): void => {
        // Deleted first, so that the order of the map stays the order in which windows began.
        if (groups.get(group)?.delete(key) !== true) {
          if (size >= windowsMax) forget();
          environment.size += 1;
          size += 1;
        }
        const windows = groups.get(group);
        if (windows === undefined) groups.set(group, new Map([[key, counted]]));
        else windows.set(key, counted);
      };
      return {
        take(key, rule, amount): Count {
          const group = rule.group ?? '';
          const held = groups.get(group)?.get(key);
          const counted = live(held, rule, clock.now());
          add(counted, rule, amount);
          if (counted !== held && amount !== 0) keep(key, group, counted);
          return counted;
        },
        learn(key, rule, counted) {
          const nowMs = clock.now();
          if (counted.resetAtMs > nowMs) keep(key, rule.group ?? '', heldOf(counted, rule, nowMs));
        },
      };
    },
  };
}

/** The oldest of a group, of each in turn. */
function forgetOne(environment: Environment): boolean {
  const { groups } = environment;
  for (const [name, windows] of groups) {
    groups.delete(name);
    const oldest = windows.keys().next();
    if (oldest.done === true) continue;
    windows.delete(oldest.value);
    if (windows.size > 0) groups.set(name, windows);
    environment.size -= 1;
    return true;
  }
  return false;
}

/** What is kept of what somebody else has counted; how it is spread over time is not known, so it counts as if it had been taken now. */
function heldOf({ count, resetAtMs }: Count, rule: CounterRule, nowMs: number): Held {
  switch (rule.kind) {
    case 'fixed':
    case 'calendar':
      return new HeldWindow(count, resetAtMs);
    case 'sliding': {
      const startMs = nowMs - (nowMs % rule.windowMs);
      return { kind: 'sliding', count, resetAtMs, startMs, before: 0, current: count };
    }
    case 'gcra': {
      const debt = Math.min(count, rule.burst) * rule.refillMs;
      return { kind: 'gcra', count, resetAtMs, debt, atMs: nowMs };
    }
  }
}

/** What of `held` counts at nowMs: itself, or an empty one. */
function live(held: Held | undefined, rule: CounterRule, nowMs: number): Held {
  switch (rule.kind) {
    case 'fixed':
    case 'calendar':
      return held instanceof HeldWindow &&
        nowMs < held.resetAtMs &&
        held.resetAtMs - nowMs <= windowMsMax(rule) + setBackMsMax
        ? held
        : new HeldWindow(0, nowMs + windowMsFrom(nowMs, rule));
    case 'sliding':
      return slid(held, rule, nowMs);
    case 'gcra':
      return drained(held, rule, nowMs);
  }
}

function add(held: Held, rule: CounterRule, amount: number): void {
  if (held instanceof HeldWindow) {
    held.count += amount;
    return undefined;
  }
  switch (held.kind) {
    case 'sliding':
      held.current += amount;
      held.count += amount;
      if (held.current > 0 && rule.kind === 'sliding') held.resetAtMs = held.startMs + 2 * rule.windowMs;
      return undefined;
    case 'gcra':
      return rule.kind === 'gcra' ? fill(held, rule, amount) : undefined;
  }
}

const isSliding = (held: Held | undefined): held is HeldSliding => held !== undefined && 'before' in held;

function slid(held: Held | undefined, { windowMs }: SlidingWindow, nowMs: number): HeldSliding {
  const startMs = nowMs - (nowMs % windowMs);
  const age = isSliding(held) ? nowMs - held.startMs : 2 * windowMs;
  if (!isSliding(held) || age >= 2 * windowMs || -age > setBackMsMax)
    return { kind: 'sliding', count: 0, resetAtMs: startMs + windowMs, startMs, before: 0, current: 0 };
  if (age >= windowMs) {
    held.before = held.current;
    held.current = 0;
    held.startMs += windowMs;
  }
  const leftMs = windowMs - Math.max(0, nowMs - held.startMs);
  held.count = Math.floor((held.before * leftMs) / windowMs) + held.current;
  held.resetAtMs = held.startMs + (held.current > 0 ? 2 : 1) * windowMs;
  return held;
}

function drained(held: Held | undefined, { burst, refill, refillMs }: Gcra, nowMs: number): HeldGcra {
  const fullMs = (burst * refillMs) / refill;
  if (
    held === undefined ||
    !('debt' in held) ||
    held.atMs - nowMs > setBackMsMax ||
    nowMs - held.atMs >= fullMs
  )
    return { kind: 'gcra', count: 0, resetAtMs: nowMs, debt: 0, atMs: nowMs };
  held.debt = Math.max(0, held.debt - Math.max(0, nowMs - held.atMs) * refill);
  held.atMs = Math.max(held.atMs, nowMs);
  return held;
}

function fill(held: HeldGcra, { burst, refill, refillMs }: Gcra, amount: number): void {
  const debt = held.debt + amount * refillMs;
  if (debt <= burst * refillMs) held.debt = debt;
  held.count = Math.ceil(debt / refillMs);
  held.resetAtMs = held.atMs + Math.ceil(held.debt / refill);
}
