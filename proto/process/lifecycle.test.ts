import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { systemClock } from './clock.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';

function lifecycleFor(closeMsMax = 1_000) {
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    lifecycle: createLifecycle({ log, clock: systemClock, closeMsMax }),
    logged: () => lines.join(''),
  };
}

test('closers run once, in reverse order, one after the other, after the signal has aborted', async () => {
  const { lifecycle } = lifecycleFor();
  const seen: string[] = [];
  lifecycle.onClose('first', () => void seen.push('first'));
  lifecycle.onClose('second', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(`second, aborted ${lifecycle.signal.aborted}`);
  });
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  assert.deepEqual(seen, ['second, aborted true', 'first']);
});

test('what runs before closing runs to its end before the signal aborts, and one that fails keeps nobody from closing', async () => {
  const { lifecycle, logged } = lifecycleFor();
  const seen: string[] = [];
  lifecycle.onClose('closer', () => void seen.push('closed'));
  lifecycle.beforeClose('fails', () => Promise.reject(new Error('no')));
  lifecycle.beforeClose('warns', async (asked) => {
    seen.push(`warned by ${asked}`);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(`still open: ${!lifecycle.signal.aborted}`);
  });
  await Promise.all([lifecycle.close('SIGTERM'), lifecycle.close()]);
  assert.deepEqual(seen, ['warned by SIGTERM', 'still open: true', 'closed']);
  assert.match(logged(), /"step":"fails"/);
});

test('a closer that fails or hangs does not keep the others from closing', async () => {
  const { lifecycle, logged } = lifecycleFor(30);
  let isClosed = false;
  lifecycle.onClose('last', () => void (isClosed = true));
  lifecycle.onClose('hangs', () => new Promise(() => undefined));
  lifecycle.onClose('fails', () => Promise.reject(new Error('no')));
  await lifecycle.close();
  assert.equal(isClosed, true);
  assert.match(logged(), /"closer":"hangs"/);
  assert.match(logged(), /"closer":"fails"/);
});

test('a task that rejects closes the process with exit code 1; an abort while closing does not', async () => {
  const failing = lifecycleFor();
  failing.lifecycle.task('tail', Promise.reject(new Error('disk')));
  assert.equal(await failing.lifecycle.untilSignal(), 1);
  assert.match(failing.logged(), /"task":"tail".*disk/);

  const ending = lifecycleFor();
  const waiting = new Promise((_, reject) => {
    ending.lifecycle.signal.addEventListener('abort', () => reject(ending.lifecycle.signal.reason));
  });
  ending.lifecycle.task('wait', waiting);
  await ending.lifecycle.close();
  assert.equal(await ending.lifecycle.untilSignal(), 0);
});

test('SIGTERM closes and exits 0; a second signal exits at once', async (t) => {
  const clean = run(t, '() => undefined');
  await eventually(() => clean.output().includes('ready'));
  clean.child.kill('SIGTERM');
  assert.equal(await clean.exit, 0);

  const stuck = run(t, '() => new Promise(() => undefined)');
  await eventually(() => stuck.output().includes('ready'));
  stuck.child.kill('SIGINT');
  await eventually(() => stuck.output().includes('a second signal exits at once'));
  // One Ctrl-C may arrive twice at once, so only a later signal counts as the second.
  await eventually(() => (stuck.child.kill('SIGINT'), stuck.child.exitCode !== null), { everyMs: 50 });
  assert.equal(await stuck.exit, 130);
});

function run(t: TestContext, closer: string) {
  const file = join(tempDir(t), 'main.ts');
  const here = import.meta.dirname;
  writeFileSync(
    file,
    `import { createLifecycle } from '${here}/lifecycle.ts';
     import { createLog } from '${here}/log.ts';
     import { systemClock } from '${here}/clock.ts';
     const log = createLog({ name: 'child', level: 'info' });
     const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 60_000 });
     lifecycle.onClose('closer', ${closer});
     const code = lifecycle.untilSignal();
     log.info('ready');
     process.exit(await code);`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  return { child, output: () => output, exit: new Promise((resolve) => child.on('exit', resolve)) };
}
