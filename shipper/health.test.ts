import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { bridgeTenant, createSpool, enrolled, ship } from '../test/kit/shipper/shipper.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const atMs = Date.UTC(2026, 2, 1, 12);
const line = (timestamp: number): string => JSON.stringify({ timestamp, path: '/a' });

test('health says whether the far end is there, when something arrived last, what waits and how old it is', async (t) => {
  const dataDir = tempDir(t);
  const bucket = join(dataDir, 'bucket');
  writeFileSync(bucket, 'no folder');
  const spool = createSpool(dataDir);
  spool.write(line(atMs), line(atMs + 1));
  createSpool(dataDir).write(line(atMs + 5));
  const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket }, stuckMsMax: 20 });
  await eventually(async () => (await shipper.health()).degraded.includes('deliveries'));
  const cut = await shipper.health();
  assert.deepEqual([cut.status, cut.connected, cut.lastDelivery], ['UP', false, undefined]);
  assert.deepEqual([cut.backlog.spools, cut.backlog.oldestRecord], [2, new Date(atMs).toISOString()]);
  assert.ok(cut.backlog.bytes > line(atMs).length * 3);
  assert.match(
    await shipper.metrics(),
    new RegExp(`^isthmus_shipper_oldest_record_timestamp_seconds ${atMs / 1_000}$`, 'm'),
  );

  rmSync(bucket);
  await eventually(async () => (await shipper.health()).backlog.spools === 0, { timeoutMs: 10_000 });
  const well = await shipper.health();
  assert.deepEqual([well.degraded, well.connected, well.backlog], [[], true, { spools: 0, bytes: 0 }]);
  assert.ok(Date.now() - Date.parse(well.lastDelivery ?? '') < 60_000);
  assert.match(await shipper.metrics(), /^isthmus_shipper_backlog_bytes 0$/m);
});

test('a shipper that waits for its gateway to enrol is not ready, is well, and counts what waits with it', async (t) => {
  const dataDir = tempDir(t);
  createSpool(dataDir).write(line(atMs));
  const shipper = await ship(t, { dataDir, output: 'bridge' });
  await eventually(async () => (await shipper.ready()).waitsFor === 'the gateway to enrol');
  assert.equal((await shipper.ready()).ready, false);
  const { status, degraded, connected, backlog } = await shipper.health();
  assert.deepEqual([status, degraded, connected], ['UP', [], undefined]);
  assert.equal(backlog.oldestRecord, new Date(atMs).toISOString());
});

test('when the far end takes records again, the log says how many wait and how long it was away, once', async (t) => {
  const dataDir = tempDir(t);
  const bucket = join(dataDir, 'bucket');
  writeFileSync(bucket, 'no folder');
  const spool = createSpool(dataDir, { segmentBytes: 4096 });
  // Over several segments, of which only the newest is read to count.
  for (let each = 0; each < 200; each += 1) spool.write(line(atMs + each), line(atMs + each));
  const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
  await eventually(async () => (await shipper.health()).connected === false);
  rmSync(bucket);
  await eventually(() => spool.shipped() === 400, { timeoutMs: 10_000 });
  const said = shipper.logged
    .map((text) => JSON.parse(text) as Record<string, unknown>)
    .filter(({ msg }) => /takes records again/.test(String(msg)));
  assert.equal(said.length, 1);
  assert.equal(said[0]?.['records'], 400);
  assert.equal(typeof said[0]?.['awaySeconds'], 'number');
});

test('a shipper dials the bridge of its settings and not the one enrolled at', async (t) => {
  const dataDir = tempDir(t);
  const bridge = await startTestBridge(t);
  enrolled(dataDir, bridge.repository.addGateway(), 'http://127.0.0.1:1');
  const spool = createSpool(dataDir, bridgeTenant);
  spool.write(line(atMs));
  await ship(t, { dataDir, output: 'bridge', bridge: { url: bridge.url } });
  await eventually(() => spool.shipped() === 1, { timeoutMs: 10_000 });
});
