import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AnswerPace } from './answer-pace.ts';

const limits = { answerIdleMsMax: 20_000, answerBytesPerSecondMin: 240 };

/** Looks every 100 ms at a client that takes so many bytes of a large answer at a time; when it is cut off, undefined for never in 10 min. */
function cutAfterMs(bytes: number, everyMs: number, of = limits): number | undefined {
  const pace = new AnswerPace();
  for (let nowMs = 100; nowMs <= 600_000; nowMs += 100) {
    const leftBytes = Math.floor(nowMs / everyMs) * bytes;
    if (pace.isStuck({ unsentBytes: 10_000_000 - leftBytes, leftBytes }, nowMs, of)) return nowMs - 100;
  }
  return undefined;
}

test('a client that takes single bytes is cut off, however often it does; one that takes enough in bursts is not', () => {
  assert.equal(cutAfterMs(0, 100), 20_000);
  assert.equal(cutAfterMs(1, 100), 30_000);
  assert.equal(cutAfterMs(23, 100), 30_000);
  assert.equal(cutAfterMs(24, 100), undefined);
  assert.equal(cutAfterMs(5_000, 15_000), undefined);
  assert.equal(cutAfterMs(1, 100, { ...limits, answerBytesPerSecondMin: 0 }), undefined);
});

test('where nobody knows what has left, that it moves is enough', () => {
  const pace = new AnswerPace();
  const isStuck = (unsentBytes: number, nowMs: number): boolean =>
    pace.isStuck({ unsentBytes, leftBytes: undefined }, nowMs, limits);
  for (let nowMs = 100; nowMs < 100_000; nowMs += 100) assert.equal(isStuck(1_000_000 - nowMs, nowMs), false);
  assert.deepEqual([isStuck(7, 100_000), isStuck(7, 119_900), isStuck(7, 120_000)], [false, false, true]);
});

test('what leaves counts though as much comes behind it, and what comes does not count as what leaves', () => {
  const pace = new AnswerPace();
  for (let nowMs = 100; nowMs < 100_000; nowMs += 100)
    assert.equal(pace.isStuck({ unsentBytes: 65_536, leftBytes: nowMs }, nowMs, limits), false);
  const isStuck = (nowMs: number): boolean =>
    pace.isStuck({ unsentBytes: nowMs, leftBytes: 99_900 }, nowMs, limits);
  assert.deepEqual([isStuck(119_800), isStuck(119_900)], [false, true]);
});

test('time in which nothing waits for the client does not count', () => {
  const pace = new AnswerPace();
  for (let round = 0; round < 10; round += 1) {
    const startMs = 1 + round * 100_000;
    for (let at = 0; at < 29_900; at += 100)
      assert.equal(pace.isStuck({ unsentBytes: 1 + at, leftBytes: at / 100 }, startMs + at, limits), false);
    assert.equal(pace.isStuck({ unsentBytes: 0, leftBytes: 0 }, startMs + 29_900, limits), false);
  }
});
