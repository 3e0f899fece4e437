import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Clock } from '../../proto/process/clock.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { holdFor } from './hold.ts';

/** A clock whose only timer fires as late as it is told. */
function lateClock() {
  let nowMs = 0;
  let timer: { readonly dueMs: number; readonly callback: () => void } | undefined;
  const clock: Clock = {
    ...createFakeClock(),
    monotonicMs: () => nowMs,
    after(ms, callback) {
      timer = { dueMs: nowMs + ms, callback };
      return () => (timer = undefined);
    },
  };
  const fire = (lateMs: number): void => {
    const due = timer;
    timer = undefined;
    nowMs = (due?.dueMs ?? nowMs) + lateMs;
    due?.callback();
  };
  return { clock, fire };
}

test('the hold is as long as it says when the event loop runs', async () => {
  const clock = createFakeClock();
  let elapsed = 0;
  holdFor(clock, 100, () => (elapsed += 1));
  await clock.advance(99);
  assert.equal(elapsed, 0);
  await clock.advance(1);
  assert.equal(elapsed, 1);
  await clock.advance(1_000);
  assert.equal(elapsed, 1);
});

test('time in which the process stood still does not count, however long it was', () => {
  for (const pauseMs of [30, 400, 3_600_000]) {
    const { clock, fire } = lateClock();
    let isElapsed = false;
    holdFor(clock, 100, () => (isElapsed = true));
    for (let tick = 0; tick < 9; tick++) fire(1);
    fire(pauseMs);
    assert.equal(isElapsed, false, `${pauseMs} ms: what the thread was given is less than the hold`);
    fire(1);
    assert.equal(isElapsed, true, `${pauseMs} ms`);
  }
});

test('an event loop that is always late holds nobody for ever', () => {
  const { clock, fire } = lateClock();
  let isElapsed = false;
  holdFor(clock, 100, () => (isElapsed = true));
  let turns = 0;
  for (; !isElapsed && turns < 1_000; turns += 1) fire(40);
  assert.ok(turns >= 90 && turns <= 110, `${turns} late turns`);
});

test('a hold that is cancelled never calls back', async () => {
  const clock = createFakeClock();
  const cancel = holdFor(clock, 100, () => assert.fail('it was cancelled'));
  await clock.advance(55);
  cancel();
  await clock.advance(1_000);
});
