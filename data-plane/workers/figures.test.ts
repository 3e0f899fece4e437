import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFigures } from './figures.ts';
import type { WorkerStats } from './messages.ts';

const stats = (counters: Readonly<Record<string, number>>): WorkerStats => ({
  connections: 0,
  counters,
  spool: undefined,
  metrics: [],
});

test('a worker that has ended leaves what it counted, and neither its part of the disk nor its ways to Redis', () => {
  const figures = createFigures({ label: 'api', valuesMax: 10, rest: 'other', under: [] });
  const worker = stats({ requests: 5, spoolBytes: 100, redisWays: 2, redisWaysAway: 1 });
  assert.deepEqual(figures.counters([worker, worker]), {
    requests: 10,
    spoolBytes: 200,
    redisWays: 4,
    redisWaysAway: 2,
  });
  figures.retire(worker);
  assert.deepEqual(figures.counters([worker]), { ...worker.counters, requests: 10 });
});
