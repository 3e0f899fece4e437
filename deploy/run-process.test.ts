import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { Fault } from '../proto/faults/fault.ts';
import { runProcess } from './run-process.ts';
import { startIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
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

test('a gateway whose port is taken says so before it says that anything is in service', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'apis'));
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  for (const [section, workers] of [
    ['listen', 1],
    ['admin', 1],
    ['admin', 2],
  ] as const) {
    const sets = ['listen.host=127.0.0.1', 'listen.port=0', 'admin.port=0', `${section}.port=${port}`];
    const args = ['gateway', '--local', join(dir, 'apis'), '--data-dir', join(dir, 'data')];
    for (const pair of [...sets, `workers=${workers}`]) args.push('--set', pair);
    const child = startIsthmus(t, args);
    assert.equal(await child.ended, 1, child.output());
    assert.match(
      child.output(),
      new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use \\(${section}\\.port\\)`),
    );
    assert.doesNotMatch(child.output(), /in service/);
  }
});
