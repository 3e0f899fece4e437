import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createRecurring } from './recurring.ts';

test('a trouble that is met every second is told at once, once a minute with how often, and when it is over', async () => {
  const clock = createFakeClock(1_000_000);
  const lines: unknown[] = [];
  const log = {
    info: (facts: object, message: string) => void lines.push([message, facts]),
    warn: (facts: object, message: string) => void lines.push([message, facts]),
  };
  const { failed, worked } = createRecurring({ log, clock }, { lasts: 'fails', over: 'works' });
  worked();
  for (let second = 0; second < 70; second++) {
    failed({ object: second });
    await clock.advance(1_000);
  }
  worked();
  worked();
  failed({ object: 'later' });
  assert.deepEqual(lines, [
    ['fails', { object: 0, times: 1 }],
    ['fails', { object: 60, times: 61 }],
    ['works', { times: 70 }],
    ['fails', { object: 'later', times: 1 }],
  ]);
});
