import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import type { Count, CounterRule } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

const rule: CounterRule = { kind: 'fixed', windowMs: 1_000 };

/** Counters on a clock that starts at 0. */
function start(windowsMax: number) {
  const clock = createFakeClock(0);
  const store = createMemoryCounters({ windowsMax, clock });
  const counters = store.within('one');
  return {
    clock,
    store,
    take(key: string, amount = 1): Count {
      const { count, resetAtMs } = counters.take(key, rule, amount);
      return { count, resetAtMs };
    },
  };
}

test('a window is replaced by the first take after its end', async () => {
  const { clock, take } = start(10);
  assert.deepEqual(take('k'), { count: 1, resetAtMs: 1_000 });
  await clock.advance(999);
  assert.deepEqual(take('k'), { count: 2, resetAtMs: 1_000 });
  await clock.advance(1);
  assert.deepEqual(take('k'), { count: 1, resetAtMs: 2_000 });
});

test('any amount is taken at once, and 0 only looks', async () => {
  const { clock, take } = start(10);
  assert.deepEqual(take('tokens', 250), { count: 250, resetAtMs: 1_000 });
  assert.equal(take('tokens', 0).count, 250);
  assert.equal(take('tokens', 1_000).count, 1_250);
  await clock.advance(1_000);
  assert.equal(take('tokens', 7).count, 7);
});

test('memory is bounded: the oldest window goes, others stay', async () => {
  const { clock, store, take } = start(2);
  for (const key of ['a', 'b', 'c']) {
    take(key);
    await clock.advance(1);
  }
  assert.equal(store.size, 2);
  assert.deepEqual(take('b'), { count: 2, resetAtMs: 1_001 });
  await clock.advance(1);
  assert.deepEqual(take('a'), { count: 1, resetAtMs: 1_004 });
  assert.equal(store.size, 2);
});

test('a clock that was hours ahead and is set back locks nobody out; one that is set back a little forgets no window', () => {
  const { clock, take } = start(2);
  clock.jump(2 * 3_600_000);
  for (let taken = 1; taken <= 5; taken += 1) take('k');
  clock.jump(100_000 - 2 * 3_600_000);
  assert.deepEqual(take('k'), { count: 1, resetAtMs: 101_000 });
  clock.jump(-60_000);
  assert.deepEqual(take('k'), { count: 2, resetAtMs: 101_000 });
});

test('the same key in two environments is two counters, and none pushes out what the other counts', () => {
  const { store, take } = start(4);
  const other = store.within('other');
  assert.equal(take('all').count, 1);
  assert.equal(take('all').count, 2);
  assert.equal(other.take('all', rule, 1).count, 1);
  for (let n = 0; n < 50; n++) other.take(`flood-${n}`, rule, 1);
  assert.equal(store.size, 4);
  assert.equal(take('all').count, 3);
  assert.equal(store.within('one').take('all', rule, 1).count, 4, 'asked for again it is the same');
});

test('100,000 keys take at most 120 bytes each, with addresses as their own texts', (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const keys = 100_000;
  const store = createMemoryCounters({ windowsMax: keys, clock: { now: () => Date.now() } });
  const grouped = { ...rule, windowMs: 3_600_000, group: 'step:rl:1MINUTES:0123456789abcdef:0::plan:' };
  const counters = store.within('e');
  const before = heapBytes();
  for (let n = 0; n < keys; n += 1)
    counters.take(Buffer.from(`10.1.${n >> 8}.${n & 255}`).toString('latin1'), grouped, 1);
  const bytes = (heapBytes() - before) / keys;
  t.diagnostic(`${bytes.toFixed(0)} bytes each`);
  assert.equal(store.size, keys);
  assert.ok(bytes <= 120, `${bytes}`);
});

test('a look-up among 100,000 keys costs little more than one in a map of as many, whose memory nobody has at hand either', (t) => {
  const keys = 100_000;
  const nowMs = Date.now();
  const store = createMemoryCounters({ windowsMax: keys, clock: { now: () => nowMs } });
  const counters = store.within('e');
  const long = { ...rule, windowMs: 3_600_000 };
  const plain = new Map<string, { count: number }>();
  const keyOf = (n: number): string => `subscription-${(n * 7_919) % keys}`;
  for (let n = 0; n < keys; n += 1) {
    counters.take(keyOf(n), long, 1);
    plain.set(keyOf(n), { count: 1 });
  }
  const costOf = (work: (key: string) => void): number => {
    const before = process.cpuUsage().user;
    for (let n = 0; n < keys; n += 1) work(keyOf(n * 31));
    return process.cpuUsage().user - before;
  };
  const ratios = Array.from({ length: 5 }, () => {
    const taken = costOf((key) => counters.take(key, long, 1));
    return taken / costOf((key) => void ((plain.get(key) ?? { count: 0 }).count += 1));
  });
  const least = Math.min(...ratios);
  t.diagnostic(`${least.toFixed(1)} times`);
  assert.ok(least <= 2.5, ratios.join());
});

test('groups are apart, and each in turn forgets its oldest when there is no room', () => {
  const store = createMemoryCounters({ windowsMax: 4, clock: createFakeClock(0) });
  const counters = store.within('e');
  const take = (group: string, key: string): number => counters.take(key, { ...rule, group }, 1).count;
  assert.deepEqual([take('a', '1'), take('a', '2'), take('b', '1'), take('b', '2')], [1, 1, 1, 1]);
  assert.deepEqual([take('a', '3'), take('a', '4')], [1, 1]);
  assert.equal(store.size, 4);
  assert.deepEqual([take('a', '2'), take('b', '2')], [2, 2], 'the first of each is gone');
});
