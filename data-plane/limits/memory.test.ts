import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Count } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

const shown = ({ count, resetAtMs }: Count): Count => ({ count, resetAtMs });

test('a window is replaced by the first hit after its end', () => {
  const counters = createMemoryCounters({ windowsMax: 10 });
  const hit = (nowMs: number): Count => shown(counters.hit('k', 1_000, nowMs));
  assert.deepEqual(hit(0), { count: 1, resetAtMs: 1_000 });
  assert.deepEqual(hit(999), { count: 2, resetAtMs: 1_000 });
  assert.deepEqual(hit(1_000), { count: 1, resetAtMs: 2_000 });
});

test('memory is bounded: the oldest window goes, others stay', () => {
  const counters = createMemoryCounters({ windowsMax: 2 });
  counters.hit('a', 1_000, 0);
  counters.hit('b', 1_000, 1);
  counters.hit('c', 1_000, 2);
  assert.equal(counters.size, 2);
  assert.deepEqual(shown(counters.hit('b', 1_000, 3)), { count: 2, resetAtMs: 1_001 });
  assert.deepEqual(shown(counters.hit('a', 1_000, 4)), { count: 1, resetAtMs: 1_004 });
  assert.equal(counters.size, 2);
});

test('a clock that was hours ahead and is set back locks nobody out; a request that began before the window counts in it', () => {
  const counters = createMemoryCounters({ windowsMax: 2 });
  const hours = 2 * 3_600_000;
  for (let hit = 1; hit <= 5; hit += 1) counters.hit('k', 1_000, hours);
  assert.deepEqual(shown(counters.hit('k', 1_000, 100_000)), { count: 1, resetAtMs: 101_000 });
  assert.deepEqual(shown(counters.hit('k', 1_000, 40_000)), { count: 2, resetAtMs: 101_000 });
});
