import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runProcess } from './run-process.ts';

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
