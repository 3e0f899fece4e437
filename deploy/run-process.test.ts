import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../proto/faults/fault.ts';
import { runProcess } from './run-process.ts';
import { createCommandLog } from './terminal.ts';

test(
  'a signal ends a process also when its start waits for what the signal has closed',
  { timeout: 20_000 },
  async () => {
    let isClosed = false;
    const code = await runProcess({ name: 'gateway', level: 'silent' }, ({ lifecycle }) => {
      lifecycle.onClose('something', () => void (isClosed = true));
      process.kill(process.pid, 'SIGTERM');
      return new Promise<void>(() => undefined);
    });
    assert.deepEqual([code, isClosed], [0, true]);
  },
);

test('a start that fails is told after what it had opened is closed', async () => {
  let isClosed = false;
  const failed = runProcess({ name: 'gateway', level: 'silent' }, async ({ lifecycle }) => {
    lifecycle.onClose('something', () => void (isClosed = true));
    throw new Error('a bug');
  });
  await assert.rejects(failed, { message: 'a bug' });
  assert.equal(isClosed, true);
});

test('what rooms log under a command is a sentence among its talk', (t) => {
  const said: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => said.push(text));
  const log = createCommandLog();
  log.info({}, 'not for people');
  log.warn({ file: 'a', records: 5 }, 'it counts again');
  log.error({ err: new Fault('storage.unavailable', { internal: 'no route' }), password: 'SECRET' }, 'no');
  t.mock.restoreAll();
  assert.equal(said[0], 'warn: it counts again (file: a, records: 5)\n');
  assert.match(said[1] ?? '', /^error: no \(storage\.unavailable: .*: no route, password: \*\*\*\)\n$/);
  assert.equal(said.length, 2);
});
