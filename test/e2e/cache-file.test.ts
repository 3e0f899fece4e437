import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { eventually } from '../kit/eventually.ts';
import { skipWithout } from '../kit/require.ts';
import {
  orders,
  trafficScene,
  type TrafficGateway,
  type TrafficScene,
} from '../kit/processes/traffic-scene.ts';

/*
 * The gateway's cache file meets what disks do to files. A row each, seen by callers: the gateway starts, serves what the bridge
 * has, and says what is wrong. What the store does in detail stands in data-plane/store/store.test.ts.
 */

const isRoot = process.getuid?.() === 0;
const canMount = isRoot && readFileSync('/proc/filesystems', 'utf8').includes('tmpfs');
const storeDir = ({ dataDir }: TrafficScene): string => join(dataDir, 'gateway');

const spoiled: readonly {
  readonly name: string;
  readonly spoil: (path: string) => void;
  readonly code: string;
  readonly aside: string;
}[] = [
  {
    name: 'corrupt',
    spoil: (path) => writeFileSync(path, 'no database '.repeat(1_000)),
    code: 'store.corrupt',
    aside: '.corrupt-',
  },
  {
    name: 'truncated',
    spoil: (path) => truncateSync(path, 8_192),
    code: 'store.corrupt',
    aside: '.corrupt-',
  },
  { name: 'written by a newer schema', spoil: makeNewer, code: 'store.newer_schema', aside: '.newer-' },
];

for (const { name, spoil, code, aside } of spoiled) {
  test(`a cache file that is ${name} is moved aside, and the gateway serves what the bridge has`, async (t) => {
    const scene = await trafficScene(t);
    await runOnce(scene);
    spoil(join(storeDir(scene), 'store.sqlite'));
    const gateway = await scene.start();
    await eventually(async () => (await gateway.call()) === 200);
    assert.deepEqual(await storeOf(gateway), ['durable', code]);
    assert.equal((await gateway.node('/health/ready')).status, 200);
    assert.ok(readdirSync(storeDir(scene)).some((file) => file.includes(aside)));

    await gateway.close();
    scene.border.setDown(true);
    const again = await scene.start();
    assert.equal(await again.call(), 200, 'the fresh file serves a cold start');
  });

  test(`a cache file that is ${name} while the bridge is away makes a gateway that is not ready, never one that says no`, async (t) => {
    const scene = await trafficScene(t);
    await runOnce(scene);
    spoil(join(storeDir(scene), 'store.sqlite'));
    scene.border.setDown(true);
    const gateway = await scene.start();
    assert.equal(await gateway.call(), 503);
    assert.equal((await gateway.node('/health/ready')).status, 503);
    scene.border.setDown(false);
    await eventually(async () => (await gateway.call()) === 200);
  });
}

test('a cache file that is read-only is served from with no bridge, and lived without', async (t) => {
  const undo = undoFirst(t);
  const scene = await trafficScene(t);
  await runOnce(scene);
  const dir = storeDir(scene);
  if (isRoot) {
    // Root writes through file modes, so the folder is mounted read-only.
    execFileSync('mount', ['--bind', dir, dir]);
    undo(() => execFileSync('umount', ['--lazy', dir]));
    execFileSync('mount', ['-o', 'remount,bind,ro', dir]);
  } else {
    chmodSync(dir, 0o500);
    undo(() => chmodSync(dir, 0o700));
  }
  scene.border.setDown(true);
  const gateway = await scene.start();
  assert.equal(await gateway.call(), 200);
  assert.deepEqual(await storeOf(gateway), ['memory', 'store.read_only']);
  scene.repository.publish('dev', [orders(scene.target, '2')]);
  scene.border.setDown(false);
  await eventually(async () => /"revision":"2"/.test((await gateway.node('/apis/orders')).body));
  assert.equal(await gateway.call(), 200);
});

test(
  'a full disk stops no change from being served, and is said',
  { skip: skipWithout('loop-mount', canMount) },
  async (t) => {
    const undo = undoFirst(t);
    const scene = await trafficScene(t);
    const dir = storeDir(scene);
    mkdirSync(dir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
    undo(() => execFileSync('umount', ['--lazy', dir]));
    const gateway = await scene.start();
    await eventually(async () => (await gateway.call()) === 200);
    assert.deepEqual(await storeOf(gateway), ['durable', undefined]);

    fillUp(dir);
    const rest = Array.from({ length: 200 }, (_, n) => orders(scene.target, String(n + 2)));
    for (const change of rest) scene.repository.publish('dev', [change]);
    await eventually(async () => /"revision":"201"/.test((await gateway.node('/apis/orders')).body));
    await eventually(async () => (await storeOf(gateway))[1] === 'store.disk_full');
    assert.equal(await gateway.call(), 200);
    assert.match((await gateway.node('/health')).body, /"degraded":\["store"\]/);
  },
);

/** Lets a gateway enrol, store what it serves, and stop. */
async function runOnce(scene: TrafficScene): Promise<void> {
  const gateway = await scene.start();
  await eventually(async () => (await gateway.call()) === 200);
  await gateway.close();
}

async function storeOf(gateway: TrafficGateway): Promise<readonly unknown[]> {
  const { store } = JSON.parse((await gateway.node('/health')).body) as {
    store: { mode: string; problem?: { code: string } };
  };
  return [store.mode, store.problem?.code];
}

function makeNewer(path: string): void {
  const database = openSqlite(path, { durable: 'normal' });
  database.pragma('user_version = 99');
  database.close();
}

/** Hooks run in the order of their registration; what is undone here is undone before a folder is removed. */
function undoFirst(t: TestContext): (step: () => void) => void {
  const steps: (() => void)[] = [];
  t.after(() => steps.forEach((step) => step()));
  return (step) => void steps.push(step);
}

/** Writes until nothing more goes in. */
function fillUp(dir: string): void {
  try {
    for (let n = 0; n < 4_096; n += 1) writeFileSync(join(dir, `filler-${n}`), Buffer.alloc(4_096));
  } catch {
    return;
  }
  assert.fail('the disk did not fill');
}
