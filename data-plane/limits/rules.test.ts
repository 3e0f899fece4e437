import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import type { CounterRule } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

/** Counts under one rule on a clock that is set by hand; `take` answers [count, resetAtMs]. */
function start(rule: CounterRule, startMs = 0) {
  const clock = createFakeClock(startMs);
  const counters = createMemoryCounters({ windowsMax: 10, clock }).within('e');
  return {
    clock,
    take(amount = 1): [number, number] {
      const { count, resetAtMs } = counters.take('k', rule, amount);
      return [count, resetAtMs];
    },
    /** To a time of the clock, e.g. 2026-02-01T00:00Z. */
    to: (at: string | number) => clock.jump(new Date(at).getTime() - clock.now()),
  };
}

const at = (text: string): number => Date.parse(text);

test('calendar, from the first: as many units later at the same time of day; a month ends on its last day at the latest', () => {
  const month = { kind: 'calendar', unit: 'month', units: 1, from: 'first' } as const;
  const { take, to } = start(month, at('2026-01-30T12:00Z'));
  assert.deepEqual(take(), [1, at('2026-02-28T12:00Z')]);
  // On the last day of January a month is 28 days; the window of 29 that runs is kept.
  to('2026-01-31T00:00Z');
  assert.deepEqual(take(), [2, at('2026-02-28T12:00Z')]);
  to('2026-02-28T11:59:59.999Z');
  assert.equal(take()[0], 3);
  to('2026-02-28T12:00Z');
  assert.deepEqual(take(), [1, at('2026-03-28T12:00Z')]);
  const ends = (unit: 'hour' | 'day' | 'week' | 'month', units: number, from: string): number =>
    start({ kind: 'calendar', unit, units, from: 'first' }, at(from)).take()[1];
  assert.equal(ends('month', 13, '2027-01-31T01:02:03Z'), at('2028-02-29T01:02:03Z'));
  assert.equal(ends('week', 2, '2026-01-01T00:00Z'), at('2026-01-15T00:00Z'));
  assert.equal(ends('day', 1, '2026-12-31T23:00Z'), at('2027-01-01T23:00Z'));
  assert.equal(ends('hour', 36, '2026-12-31T23:00Z'), at('2027-01-02T11:00Z'));
});

test('calendar, on the calendar: ends so many units after the beginning of the one that runs', () => {
  const ends = (unit: 'hour' | 'day' | 'week' | 'month', units: number, from: string): string =>
    new Date(start({ kind: 'calendar', unit, units, from: 'calendar' }, at(from)).take()[1]).toISOString();
  assert.equal(ends('hour', 1, '2026-03-04T05:06:07Z'), '2026-03-04T06:00:00.000Z');
  assert.equal(ends('day', 1, '2026-03-04T00:00Z'), '2026-03-05T00:00:00.000Z');
  // 2 March 2026 is a Monday.
  assert.equal(ends('week', 1, '2026-03-04T05:06Z'), '2026-03-09T00:00:00.000Z');
  assert.equal(ends('week', 1, '2026-03-08T23:59:59.999Z'), '2026-03-09T00:00:00.000Z');
  assert.equal(ends('month', 1, '2026-12-31T23:59Z'), '2027-01-01T00:00:00.000Z');
  assert.equal(ends('month', 3, '2026-02-11T00:00Z'), '2026-05-01T00:00:00.000Z');
  assert.equal(ends('week', 2, '2026-03-04T05:06Z'), '2026-03-16T00:00:00.000Z');
  assert.equal(ends('hour', 36, '2026-03-04T05:06Z'), '2026-03-05T17:00:00.000Z');
  const { take, to } = start({ kind: 'calendar', unit: 'hour', units: 1, from: 'calendar' });
  assert.equal(take()[0], 1);
  to(3_599_999);
  assert.deepEqual(take(), [2, 3_600_000]);
  to(3_600_000);
  assert.deepEqual(take(), [1, 7_200_000]);
});

test('sliding: of the window before counts what the last windowMs reach', () => {
  const { take, to } = start({ kind: 'sliding', windowMs: 1_000 });
  to(10_900);
  assert.deepEqual(take(8), [8, 12_000]);
  to(11_000);
  assert.deepEqual(take(0), [8, 12_000], 'all of it, at the edge');
  to(11_250);
  assert.deepEqual(take(0), [6, 12_000]);
  assert.deepEqual(take(1), [7, 13_000]);
  to(11_999);
  assert.deepEqual(take(0), [1, 13_000]);
  to(12_500);
  assert.deepEqual(take(2), [2, 14_000], 'half of one is none');
  to(14_000);
  assert.deepEqual(take(0), [0, 15_000]);
});

test('gcra: a burst, then evenly; what does not fit is not taken, so who asked too often gets in as soon as the others', () => {
  const { take, to } = start({ kind: 'gcra', burst: 3, refill: 2, refillMs: 1_000 }, 5_000);
  assert.deepEqual(take(), [1, 5_500]);
  assert.deepEqual(take(2), [3, 6_500]);
  for (let asked = 0; asked < 100; asked += 1) assert.deepEqual(take(), [4, 6_500]);
  to(5_499);
  assert.equal(take()[0], 4);
  to(5_500);
  assert.deepEqual(take(), [3, 7_000]);
  to(6_500);
  assert.deepEqual(take(0), [1, 7_000]);
  assert.deepEqual(take(3), [4, 7_000], 'more than fits is refused whole');
  to(7_000);
  assert.deepEqual(take(0), [0, 7_000]);
  assert.deepEqual(take(3), [3, 8_500]);
});

test('no way of counting refuses for as long as a clock was hours ahead', () => {
  const rules: readonly CounterRule[] = [
    { kind: 'fixed', windowMs: 1_000 },
    { kind: 'calendar', unit: 'hour', units: 1, from: 'first' },
    { kind: 'sliding', windowMs: 1_000 },
    { kind: 'gcra', burst: 5, refill: 1, refillMs: 1_000 },
  ];
  for (const rule of rules) {
    const { take, clock } = start(rule, at('2026-01-01T00:00Z'));
    clock.jump(50 * 3_600_000);
    take(5);
    clock.jump(-30_000);
    assert.equal(take(0)[0], 5, `${rule.kind}: a little back forgets nothing`);
    clock.jump(-50 * 3_600_000);
    assert.equal(take(1)[0], 1, rule.kind);
  }
});

test('a look begins no window, and a key under another kind of rule begins anew', () => {
  const clock = createFakeClock(0);
  const store = createMemoryCounters({ windowsMax: 10, clock });
  const counters = store.within('e');
  const fixed = { kind: 'fixed', windowMs: 1_000 } as const;
  assert.equal(counters.take('k', fixed, 0).count, 0);
  assert.equal(store.size, 0);
  clock.jump(500);
  assert.equal(counters.take('k', fixed, 2).resetAtMs, 1_500);
  assert.equal(counters.take('k', { kind: 'sliding', windowMs: 1_000 }, 1).count, 1);
  assert.equal(counters.take('k', { kind: 'gcra', burst: 9, refill: 1, refillMs: 1 }, 1).count, 1);
  assert.equal(counters.take('k', fixed, 1).count, 1);
  assert.equal(store.size, 1);
});
