import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { freePort, runIsthmus, startIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { freePortOffset } from '../test/kit/processes/up.ts';

interface Scene {
  readonly args: readonly string[];
  readonly file: string;
  /** Where its node API is. */
  readonly live: string;
}

type Name = 'control-plane' | 'bridge' | 'gateway' | 'shipper' | 'up';
const names: readonly Name[] = ['control-plane', 'bridge', 'gateway', 'shipper', 'up'];

/** What starts a process with nothing around it, with its settings in a file. */
async function sceneOf(t: TestContext, name: Name): Promise<Scene> {
  const dir = tempDir(t);
  const file = join(dir, 'isthmus.yaml');
  const data = ['--data-dir', join(dir, 'data'), '--config', file];
  if (name === 'up') {
    const offset = freePortOffset();
    writeFileSync(file, 'gateway: { request: { answerMsMax: 1000 } }');
    const args = ['up', ...data, '--port-offset', String(offset)];
    return { args, file, live: `http://127.0.0.1:${18_083 + offset}/health/live` };
  }
  const node = await freePort();
  writeFileSync(file, `admin: { port: ${node} }`);
  if (name === 'bridge')
    for (const command of [['migrate'], ['bucket', 'adopt']])
      await runIsthmus(t, [...command, '--data-dir', join(dir, 'data')]);
  mkdirSync(join(dir, 'data'), { recursive: true });
  const own = {
    'control-plane': ['--set', 'listen.port=0', '--set', 'lameDuckMs=0'],
    bridge: ['--set', 'lameDuckMs=0', '--set', 'listen.port=0', '--set', 'listen.host=127.0.0.1'],
    gateway: ['--set', 'listen.port=0', '--set', 'lameDuckMs=0', '--set', 'workers=2', '--local', dir],
    shipper: [],
  }[name];
  return { args: [name, ...data, ...own], file, live: `http://127.0.0.1:${node}/health/live` };
}

const isLive = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
};

for (const name of names)
  test(`SIGHUP does not end ${name}: what has changed is taken over or named, and it goes on`, async (t) => {
    const { args, file, live } = await sceneOf(t, name);
    const child = startIsthmus(t, args);
    await eventually(() => (child.isRunning() ? isLive(live) : assert.fail(child.output())), {
      timeoutMs: 30_000,
    });
    if (name === 'up') writeFileSync(file, 'gateway: { request: { answerMsMax: 2000 } }');
    else writeFileSync(file, `{ log: { level: debug }, admin: { port: 1 } }`);
    child.kill('SIGHUP');
    const waiting = name === 'up' ? 'gateway.request.answerMsMax' : 'admin.port';
    await eventually(() => child.output().includes(`"settings":["${waiting}"]`), { timeoutMs: 10_000 });
    if (name !== 'up') await eventually(() => /the log level has changed/.test(child.output()));
    writeFileSync(file, 'no: [settings');
    child.kill('SIGHUP');
    await eventually(() => /the settings cannot be read again/.test(child.output()), { timeoutMs: 10_000 });
    assert.ok(await isLive(live));
    child.kill('SIGINT');
    assert.equal(await child.ended, 0, child.output());
  });

for (const name of names)
  for (const reader of ['gone', 'on a full disk'] as const)
    test(`${name} outlives its output: who reads it is ${reader}`, async (t) => {
      const { args, live } = await sceneOf(t, name);
      const full = openSync('/dev/full', 'w');
      t.after(() => closeSync(full));
      const output = reader === 'gone' ? 'pipe' : full;
      const child = spawn(process.execPath, [join(import.meta.dirname, 'isthmus.js'), ...args], {
        stdio: ['ignore', output, output],
        env: { PATH: process.env['PATH'] ?? '', ISTHMUS_ADMIN_PASSWORD: 'correct-horse-battery' },
      });
      const ended = endOf(t, child);
      // Before it has said its first word.
      child.stdout?.destroy();
      child.stderr?.destroy();
      await eventually(() => (child.exitCode === null ? isLive(live) : assert.fail(`${child.exitCode}`)), {
        timeoutMs: 30_000,
      });
      // It has something to log, to nobody.
      for (let times = 0; times < 3; times += 1) child.kill('SIGHUP');
      for (let times = 0; times < 5; times += 1) assert.ok(await isLive(live), `${child.exitCode}`);
      child.kill('SIGINT');
      assert.equal(await ended, 0);
    });

function endOf(t: TestContext, child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return ended;
}
