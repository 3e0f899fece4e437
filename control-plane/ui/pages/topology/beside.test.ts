import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideOf } from './beside.ts';

const running = (counters: Readonly<Record<string, number>>) => ({ state: 'connected' as const, counters });
const told = (...counters: readonly Readonly<Record<string, number>>[]) =>
  besideOf(counters.map(running)).map(({ words, tone }) => [words, tone]);

test('beside a fleet stands what its running gateways tell of, and nothing else', () => {
  assert.deepEqual(told({ requests: 7 }), []);
  assert.deepEqual(besideOf([{ state: 'silent', counters: { redisWays: 1, spoolBytes: 1 } }]), []);
  assert.deepEqual(told({ redisWays: 2, redisWaysAway: 0 }, { requests: 1 }), [['Redis counts', 'ok']]);
  assert.deepEqual(told({ spoolBytes: 1_024 }, { spoolBytes: 512 }), [['Spool 1.5 KiB', 'ok']]);
});

test('who has lost Redis is counted among those that ask it', () => {
  const [lost, fine] = [
    { redisWays: 4, redisWaysAway: 1 },
    { redisWays: 4, redisWaysAway: 0 },
  ];
  assert.deepEqual(told(lost, fine, fine, {}), [['Redis away, 1 of 3', 'warn']]);
  assert.deepEqual(told(lost, lost), [['Redis away, 2 of 2', 'bad']]);
});

test('records that are lost come before what a spool holds; a disk that stalls warns', () => {
  assert.deepEqual(told({ spoolBytes: 9, droppedRecords: 1 }, { spoolBytes: 9 }), [
    ['1 record dropped', 'bad'],
  ]);
  assert.deepEqual(told({ spoolBytes: 9, spoolDegraded: 1 }), [['Spool 9 B', 'warn']]);
});
