import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { createTestLake, type TestLake } from '../kit/control-plane/test-lake.ts';
import { sqlite } from '../kit/servers/databases.ts';
import { recordLine } from '../kit/control-plane/landing.ts';
import { eventually } from '../kit/eventually.ts';
import { descendantsOf, startNode } from '../kit/processes/processes.ts';
import { skipWithout } from '../kit/require.ts';
import { startNginxProxy, withoutNginx, type NginxProxy } from '../kit/servers/nginx.ts';
import { bridgeTenant, createSpool, enrolled, quick, ship, type TestSpool } from '../kit/shipper/shipper.ts';
import { startTestBridge, type TestBridge } from '../kit/bridge/test-bridge.ts';
import { Random } from '../kit/random.ts';
import { tempDir } from '../kit/temp-dir.ts';

/*
 * A shipper in a process of its own behind a real nginx that refuses, cuts, answers for the bridge or loses its answers, killed between
 * any two steps. In the end every offset is in the lake once: as its record, or as the one gap record that tells of it.
 */

const withoutStrace = skipWithout('strace', existsSync('/usr/bin/strace'));
const main = join(import.meta.dirname, '../kit/shipper/shipper-main.ts');
const kibibyte = 1024;
const within = { timeoutMs: 60_000 };
/** Larger than the hop of these tests takes even alone, with a gap record that fits. */
const largeBytes = 60 * kibibyte;
const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? 20_261_129);

interface Scene {
  readonly bridge: TestBridge;
  readonly nginx: NginxProxy;
  readonly lake: TestLake;
  /** A new gateway with a spool that holds those records. */
  machine(sizes: readonly number[]): Machine;
}
interface Machine {
  readonly dataDir: string;
  readonly gateway: string;
  readonly spool: TestSpool;
  write(sizes: readonly number[]): void;
}

async function scene(t: TestContext, directives: string): Promise<Scene> {
  // The successor of a killed process has its seat at once.
  const bridge = await startTestBridge(t, { limits: { seatLeaseMs: 100 } });
  const nginx = await startNginxProxy(t, bridge.url, directives);
  bridge.alsoAt(nginx.url);
  const lake = await createTestLake(t, sqlite);
  return {
    bridge,
    nginx,
    lake,
    machine(sizes) {
      const dataDir = tempDir(t);
      const gateway = bridge.repository.addGateway();
      enrolled(dataDir, gateway, nginx.url);
      const spool = createSpool(dataDir, bridgeTenant);
      const write = (more: readonly number[]): void =>
        spool.write(
          ...more.map((bytes) =>
            recordLine({
              org_id: 'org-1',
              env_id: 'dev',
              gateway_id: gateway.identity.id,
              uri: randomBytes((bytes * 3) >> 2).toString('base64'),
            }),
          ),
        );
      if (sizes.length > 0) write(sizes);
      return { dataDir, gateway: gateway.identity.id, spool, write };
    },
  };
}

/** Brings into a lake what arrived, in whatever order, and gives back type and number by offset of each spool. */
async function ingest({ bridge, lake }: Scene): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const [key, bytes] of bridge.blobs.objects) await lake.blobs.put(key, bytes);
  const analytics = await lake.start();
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  assert.deepEqual(await analytics.holes({ organization: 'org-1', environment: 'dev' }), []);
  const files = (await lake.keys('lake/')).map((key) => `'${join(lake.dir, 'bucket', key)}'`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const answer = await connection.runAndReadAll(
      `SELECT spool, spool_offset::INTEGER AS n, type FROM read_parquet([${files.join(', ')}]) ORDER BY spool, n`,
    );
    const rows = answer
      .getRowObjects()
      .map((row) => [String(row['spool']), `${String(row['n'])} ${String(row['type'])}`] as const);
    const bySpool = Map.groupBy(rows, ([spool]) => spool);
    return new Map([...bySpool].map(([spool, found]) => [spool, found.map(([, what]) => what)]));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Runs a shipper that is killed with SIGKILL as it enters its n-th system call that moves or removes a file; false when it made fewer. */
async function killedAt(t: TestContext, { dataDir, spool }: Machine, n: number): Promise<boolean> {
  const calls = 'rename,renameat,renameat2,unlink,unlinkat,rmdir';
  const batch = { msMax: 5, wireBytesMax: 1024 * kibibyte };
  const settings = JSON.stringify({ ...quick, dataDir, batch });
  const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:signal=SIGKILL:when=${n}`];
  const args = ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, main, settings];
  const child = spawn('strace', args, { stdio: 'ignore' });
  let isOver = false;
  const ended = once(child, 'exit').then(() => (isOver = true));
  // It passes no signal on, and without it what it traces would go on.
  const stop = async (): Promise<void> => {
    if (!isOver) for (const pid of descendantsOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    await ended;
  };
  t.after(stop);
  // What is removed last is removed after the acknowledgement.
  const isDone = (): boolean =>
    spool.shipped() === sizes.length &&
    !readdirSync(join(dataDir, 'shipper')).some((name) => name.endsWith('.parcel'));
  await eventually(() => isOver || isDone(), within);
  const wasKilled = isOver;
  await stop();
  return wasKilled;
}

/** Records of a machine that is killed once. */
const sizes = [kibibyte, 9 * kibibyte, largeBytes, 12 * kibibyte, kibibyte, largeBytes, 400];

test(
  'killed at every step of cutting, setting aside, telling the gap and acknowledging, each offset is in the lake once',
  { skip: withoutNginx || withoutStrace },
  async (t) => {
    const stage = await scene(t, 'client_max_body_size 20k;');
    const machines: Machine[] = [];
    for (let n = 1, isKilled = true; isKilled; n += 1) {
      assert.ok(n < 200, 'it ends some time');
      const machine = stage.machine(sizes);
      machines.push(machine);
      isKilled = await killedAt(t, machine, n);
      // Started again it needs nothing but what is on disk.
      const shipper = await ship(t, { dataDir: machine.dataDir, batch: { msMax: 5 } });
      await eventually(() => machine.spool.shipped() === sizes.length, within);
      await shipper.lifecycle.close();
      const kept = readdirSync(join(machine.dataDir, 'shipper', 'quarantine'));
      assert.deepEqual(
        kept.toSorted(),
        [2, 5].map((offset) => `${machine.spool.spool}-${offset}.line`),
        `killed at step ${n}: each set aside once`,
      );
    }
    t.diagnostic(`killed at ${machines.length - 1} steps`);
    assert.ok(machines.length > 20);
    const found = await ingest(stage);
    const right = sizes.map((bytes, n) => `${n} ${bytes === largeBytes ? 'gap' : 'v4-metrics'}`);
    for (const [index, { spool }] of machines.entries())
      assert.deepEqual(found.get(spool.spool), right, `killed at step ${index + 1}`);
    assert.deepEqual(await stage.lake.events(), []);
  },
);

/** What a hop does, as an operator's setting or accident has it; the bridge's other doors stay open. */
const uploads = 'location /bridge/v1/uploads';
const passing = (bridge: string): string =>
  `proxy_pass ${bridge}; proxy_http_version 1.1; proxy_set_header Host $http_host;`;
const weathers: readonly { readonly name: string; readonly directives: (bridge: string) => string }[] = [
  { name: 'its defaults', directives: () => '' },
  { name: 'little room', directives: () => 'client_max_body_size 20k;' },
  {
    name: 'a log-in page',
    directives: () =>
      `${uploads} { default_type text/html; return 200 "<form action=/login><input name=password></form>"; }`,
  },
  { name: 'a redirect to one', directives: () => `${uploads} { return 302 https://login.example/; }` },
  {
    name: 'a bridge that it cannot reach',
    directives: () => `${uploads} { proxy_pass http://127.0.0.1:1; }`,
  },
  // The bridge has stored it, and nobody hears of that.
  {
    name: 'no patience for answers',
    directives: (bridge) => `${uploads} { ${passing(bridge)} proxy_read_timeout 1ms; }`,
  },
  {
    name: 'a 502 after the bridge has answered',
    directives: (bridge) =>
      `${uploads} { ${passing(bridge)} proxy_buffer_size 64; proxy_buffers 2 64; proxy_busy_buffers_size 64; }`,
  },
  { name: 'no patience for bodies', directives: () => 'client_body_timeout 1ms;' },
  {
    name: 'bodies passed on as they come, and cut',
    directives: (bridge) =>
      `${uploads} { ${passing(bridge)} proxy_request_buffering off; proxy_send_timeout 1ms; proxy_read_timeout 20ms; }`,
  },
  {
    name: 'bodies on disk first',
    directives: () => 'client_body_buffer_size 1k; client_body_in_file_only clean;',
  },
  { name: 'a plain 403', directives: () => `${uploads} { return 403; }` },
];

test(
  `behind a hop whose ways change, killed now and then, each offset is in the lake once (seed ${seed})`,
  { skip: withoutNginx },
  async (t) => {
    const stage = await scene(t, '');
    const machine = stage.machine([]);
    const { dataDir, spool } = machine;
    const random = new Random(seed, 0);
    const batch = { msMax: 5, wireBytesMax: 256 * kibibyte };
    const settings = JSON.stringify({ ...quick, dataDir, batch, deliveryMsMax: 2_000 });
    let count = 0;
    for (let round = 0; round < weathers.length * 2; round += 1) {
      const weather = weathers[round % weathers.length];
      await stage.nginx.reload(weather?.directives(stage.bridge.url) ?? '');
      const child = startNode(t, [main, settings]);
      for (let part = 0; part < 4; part += 1) {
        const more = Array.from({ length: 15 }, () =>
          random.chance(5) ? largeBytes : 200 + random.below(6 * kibibyte),
        );
        machine.write(more);
        count += more.length;
        const shippedBefore = spool.shipped();
        const untilMs = performance.now() + random.below(600);
        await eventually(() => performance.now() > untilMs || spool.shipped() > shippedBefore + 40, within);
      }
      child.kill('SIGKILL');
      await child.ended;
    }
    await stage.nginx.reload('');
    const shipper = await ship(t, { dataDir, batch });
    await eventually(() => spool.shipped() === count, within);
    const { quarantine } = await shipper.health();
    const found = (await ingest(stage)).get(spool.spool) ?? [];
    const gaps = found.filter((what) => what.endsWith(' gap'));
    assert.deepEqual(
      found.map((what) => Number(what.split(' ')[0])),
      Array.from({ length: count }, (_, n) => n),
    );
    // Whoever is told as lost lies in the quarantine; one there may have arrived all the same, before anybody heard of it.
    assert.ok((quarantine?.files ?? 0) >= gaps.length);
    for (const gap of gaps) {
      const file = `${spool.spool}-${gap.split(' ')[0]}.line`;
      assert.ok(existsSync(join(dataDir, 'shipper', 'quarantine', file)), file);
    }
    t.diagnostic(`${count} records, ${gaps.length} told as lost, ${quarantine?.files} in quarantine`);
  },
);
