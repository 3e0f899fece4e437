import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sweep } from './sweep.ts';

test('the date of an answer is right however long nobody was connected', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.UTC(2026, 0, 1) });
  const sweep = new Sweep(() => undefined);
  const member = { onSweep: () => undefined, onThrown: () => undefined };
  sweep.add(member);
  assert.equal(sweep.dateLine, 'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n');
  t.mock.timers.tick(1_000);
  assert.equal(sweep.dateLine, 'Date: Thu, 01 Jan 2026 00:00:01 GMT\r\n');
  sweep.delete(member);
  t.mock.timers.tick(60_000);
  sweep.add(member);
  assert.equal(sweep.dateLine, 'Date: Thu, 01 Jan 2026 00:01:01 GMT\r\n');
  sweep.delete(member);
});
