import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { tempDir } from '../temp-dir.ts';
import { freePort, runIsthmus, startIsthmus } from './processes.ts';
import { freePortOffset } from './up.ts';

/** What starts a process with nothing around it, with its settings in a file. */
export interface Scene {
  readonly args: readonly string[];
  readonly file: string;
  /** Where its node API is. */
  readonly live: string;
}

type Name = 'control-plane' | 'bridge' | 'gateway' | 'shipper' | 'up';
/** All that run until they are told to end. */
export const lasting: readonly Name[] = ['control-plane', 'bridge', 'gateway', 'shipper', 'up'];

/** Chooses its ports and makes its folders. */
export async function sceneOf(t: TestContext, name: Name): Promise<Scene> {
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
  if (name === 'bridge') cpSync(await dataOfBridge(t), join(dir, 'data'), { recursive: true });
  mkdirSync(join(dir, 'data'), { recursive: true });
  const own = {
    'control-plane': ['--set', 'listen.port=0', '--set', 'lameDuckMs=0'],
    bridge: ['--set', 'lameDuckMs=0', '--set', 'listen.port=0', '--set', 'listen.host=127.0.0.1'],
    gateway: ['--set', 'listen.port=0', '--set', 'lameDuckMs=0', '--set', 'workers=2', '--local', dir],
    shipper: [],
  }[name];
  return { args: [name, ...data, ...own], file, live: `http://127.0.0.1:${node}/health/live` };
}

let adopted: Promise<string> | undefined;

/** A folder that was migrated and whose bucket was adopted, once in each test file: each bridge has a copy. */
export function dataOfBridge(t: TestContext): Promise<string> {
  adopted ??= (async () => {
    // It goes with the process, since later tests copy it.
    const dir = join(tempDir({ after: () => undefined }), 'data');
    for (const command of [['migrate'], ['bucket', 'adopt']])
      await runIsthmus(t, [...command, '--data-dir', dir]);
    return dir;
  })();
  return adopted;
}

let booted: Promise<string> | undefined;

/** Fills a folder as a control plane leaves it that has started and ended; started once in each test file, then copied. */
export async function bootOnce(t: TestContext, dir: string): Promise<void> {
  booted ??= (async () => {
    const made = tempDir({ after: () => undefined });
    const sets = ['listen.port=0', 'admin.port=0', 'lameDuckMs=0'].flatMap((pair) => ['--set', pair]);
    const child = startIsthmus(t, ['control-plane', ...sets, '--data-dir', made]);
    await eventually(() => child.output().includes('control plane listening'), { timeoutMs: 60_000 });
    child.kill('SIGTERM');
    assert.equal(await child.ended, 0, child.output());
    return made;
  })();
  cpSync(await booted, dir, { recursive: true });
}

/** Whether somebody answers there that it lives. */
export const isLive = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
};

/** Whoever reads its output has gone before its first word, or cannot keep it: the process goes on all the same. */
export function testOutlivesOutput(name: Name, reader: 'gone' | 'on a full disk'): void {
  test(`${name} outlives its output: who reads it is ${reader}`, async (t) => {
    const { args, live } = await sceneOf(t, name);
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const output = reader === 'gone' ? 'pipe' : full;
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../../../deploy/isthmus.js'), ...args],
      {
        stdio: ['ignore', output, output],
        env: { PATH: process.env['PATH'] ?? '', ISTHMUS_ADMIN_PASSWORD: 'correct-horse-battery' },
      },
    );
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
}

function endOf(t: TestContext, child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return ended;
}
