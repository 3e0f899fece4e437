import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { startNginxProxy, withoutNginx } from '../test/kit/servers/nginx.ts';
import { startNode } from '../test/kit/processes/processes.ts';
import { arrived, bridgeTenant, createSpool, enrolled, quick, ship } from '../test/kit/shipper/shipper.ts';
import { startStranger } from '../test/kit/bridge/stranger.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { GapRecord } from '../proto/model/access-record.ts';
import { WireSize } from './wire-size.ts';

const kibibyte = 1024;
/** A record that zstd makes hardly smaller. */
const lineOf = (n: number, bytes: number): string =>
  `{"n":${n},"timestamp":${1_800_000_000_000 + n},"text":"${randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64')}"}`;

async function scene(t: TestContext, directives?: string) {
  const bridge = await startTestBridge(t);
  const nginx = await startNginxProxy(t, bridge.url, directives);
  bridge.alsoAt(nginx.url);
  const dataDir = tempDir(t);
  enrolled(dataDir, bridge.repository.addGateway(), nginx.url);
  const spool = createSpool(dataDir, bridgeTenant);
  return { bridge, nginx, dataDir, spool };
}

const sizes = (objects: ReadonlyMap<string, Uint8Array>): readonly number[] =>
  Array.from(objects.values(), (bytes) => bytes.length);

test('by default every parcel passes an nginx as it comes', { skip: withoutNginx }, async (t) => {
  const { bridge, dataDir, spool } = await scene(t);
  const lines = Array.from({ length: 300 }, (_, n) => lineOf(n, 10 * kibibyte));
  spool.write(...lines);
  const shipper = await ship(t, { dataDir, batch: { msMax: 20 } });
  await eventually(() => spool.shipped() === 300, { timeoutMs: 10_000 });
  assert.deepEqual([...arrived(bridge.blobs.objects).values()], lines);
  assert.ok(Math.max(...sizes(bridge.blobs.objects)) <= 768 * kibibyte);
  assert.doesNotMatch(await shipper.metrics(), /failures_total\{/);
});

test(
  'a batch that a hop finds too large is cut, its ranges stay exact, and the size is learnt',
  { skip: withoutNginx },
  async (t) => {
    const { bridge, dataDir, spool } = await scene(t);
    const lines = Array.from({ length: 400 }, (_, n) => lineOf(n, 10 * kibibyte));
    spool.write(...lines.slice(0, 300));
    const batch = { msMax: 20, wireBytesMax: 8 * 1024 * kibibyte };
    const shipper = await ship(t, { dataDir, batch });
    await eventually(() => spool.shipped() === 300, { timeoutMs: 10_000 });
    const refused = /failures_total\{kind="tooLarge"\} ([0-9]+)/.exec(await shipper.metrics())?.[1];
    assert.ok(Number(refused) >= 1);
    spool.write(...lines.slice(300));
    await eventually(() => spool.shipped() === 400, { timeoutMs: 10_000 });
    assert.deepEqual([...arrived(bridge.blobs.objects).values()], lines);
    assert.match(await shipper.metrics(), new RegExp(`failures_total\\{kind="tooLarge"\\} ${refused}\\n`));
    const health = await shipper.health();
    assert.deepEqual([health.status, health.stuck, health.quarantine?.files], ['UP', [], 0]);
  },
);

test(
  'a record that does not fit even alone is set aside with a gap record, and the rest goes on',
  { skip: withoutNginx },
  async (t) => {
    const { bridge, dataDir, spool } = await scene(t, 'client_max_body_size 20k;');
    const lines = Array.from({ length: 40 }, (_, n) => lineOf(n, n === 17 ? 60 * kibibyte : kibibyte));
    spool.write(...lines);
    const shipper = await ship(t, { dataDir });
    await eventually(() => spool.shipped() === 40, { timeoutMs: 10_000 });
    const found = arrived(bridge.blobs.objects);
    for (const [n, line] of lines.entries()) if (n !== 17) assert.equal(found.get(n), line);
    const { org_id, env_id, reason, dropped, first, last, timestamp } = GapRecord.parse(
      JSON.parse(found.get(17) ?? ''),
    );
    assert.deepEqual(
      [org_id, env_id, reason, dropped, first, last, timestamp],
      ['org-1', 'dev', 'tooLarge', 1, 17, 17, 1_800_000_000_017],
    );
    const { setAside, quarantine, status } = await shipper.health();
    const file = join(dataDir, 'shipper/quarantine', `${spool.spool}-17.line`);
    assert.deepEqual([status, setAside[0]?.file, quarantine?.files], ['UP', file, 1]);
    assert.match(setAside[0]?.reason ?? '', /413 text\/html by nginx/);
    assert.equal(readFileSync(file, 'utf8'), `${lines[17]}\n`);
    assert.match(await shipper.metrics(), /isthmus_shipper_quarantined_records_total 1/);
  },
);

test(
  'a hop that takes nothing at all sets nothing aside: health names what is stuck, and all arrives once it is mended',
  { skip: withoutNginx },
  async (t) => {
    const { bridge, nginx, dataDir, spool } = await scene(t, 'client_max_body_size 1;');
    const lines = Array.from({ length: 20 }, (_, n) => lineOf(n, kibibyte));
    spool.write(...lines);
    const shipper = await ship(t, { dataDir, stuckMsMax: 100 });
    await eventually(async () => (await shipper.health()).degraded.length > 0);
    const [stuck] = (await shipper.health()).stuck;
    assert.deepEqual([stuck?.spool, stuck?.range], [spool.spool, { first: 0, last: 0 }]);
    assert.match(stuck?.reason ?? '', /413 text\/html by nginx.*gap record: 413/);
    assert.ok(Date.parse(stuck?.since ?? '') <= Date.now());
    assert.match(await shipper.metrics(), /isthmus_shipper_stuck_since_timestamp_seconds 1[0-9]{9}/);
    await eventually(() => readdirSync(join(dataDir, 'shipper/quarantine')).length === 0);
    await nginx.reload('');
    await eventually(() => spool.shipped() === 20, { timeoutMs: 10_000 });
    const found = arrived(bridge.blobs.objects);
    for (const [n, line] of lines.entries()) if (n > 0) assert.equal(found.get(n), line);
    // The hop may be mended just between the try of the first record and that of its gap: then the record is in the quarantine.
    const [kept] = readdirSync(join(dataDir, 'shipper/quarantine'));
    assert.equal(kept === undefined, found.get(0) === lines[0]);
    assert.deepEqual((await shipper.health()).degraded, []);
  },
);

test('killed at any moment of cutting, every offset arrives once', { skip: withoutNginx }, async (t) => {
  const { bridge, dataDir, spool } = await scene(t, 'client_max_body_size 32k;');
  const batch = { msMax: 5, wireBytesMax: 1024 * kibibyte };
  const settings = JSON.stringify({ ...quick, dataDir, batch });
  const lines: string[] = [];
  for (let round = 0; round < 4; round++) {
    const more = Array.from({ length: 150 }, (_, n) => lineOf(lines.length + n, 2 * kibibyte));
    lines.push(...more);
    spool.write(...more);
    const child = startNode(t, [join(import.meta.dirname, '../test/kit/shipper/shipper-main.ts'), settings]);
    const before = bridge.blobs.objects.size;
    await eventually(() => bridge.blobs.objects.size > before + round, { timeoutMs: 10_000, everyMs: 1 });
    child.kill('SIGKILL');
    await child.ended;
  }
  await ship(t, { dataDir, batch });
  await eventually(() => spool.shipped() === lines.length, { timeoutMs: 10_000 });
  assert.deepEqual(
    [...arrived(bridge.blobs.objects)].toSorted(([a], [b]) => a - b).map(([, line]) => line),
    lines,
  );
  assert.deepEqual(readdirSync(join(dataDir, 'shipper')), ['quarantine', 'seat.json']);
});

test('a hop that cuts the connection under a large body gets smaller ones', async (t) => {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  bridge.alsoAt(stranger.url);
  stranger.cutsAbove(150 * kibibyte);
  const dataDir = tempDir(t);
  enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
  const spool = createSpool(dataDir, bridgeTenant);
  const lines = Array.from({ length: 60 }, (_, n) => lineOf(n, 10 * kibibyte));
  spool.write(...lines);
  const shipper = await ship(t, { dataDir });
  await eventually(() => spool.shipped() === 60, { timeoutMs: 10_000 });
  assert.deepEqual([...arrived(bridge.blobs.objects).values()], lines);
  assert.equal((await shipper.health()).quarantine?.files, 0);
});

for (const status of [200, 302, 403, 406, 501])
  test(`a hop that answers large bodies with a page of its own and ${status} gets smaller ones`, async (t) => {
    const bridge = await startTestBridge(t);
    const stranger = await startStranger(t, bridge.url);
    bridge.alsoAt(stranger.url);
    stranger.refusesAbove(150 * kibibyte, status);
    const dataDir = tempDir(t);
    enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
    const spool = createSpool(dataDir, bridgeTenant);
    const lines = Array.from({ length: 60 }, (_, n) => lineOf(n, 10 * kibibyte));
    spool.write(...lines);
    await ship(t, { dataDir });
    await eventually(() => spool.shipped() === 60, { timeoutMs: 10_000 });
    assert.deepEqual([...arrived(bridge.blobs.objects).values()], lines);
  });

test('a line too slow for a large body gets smaller ones', async (t) => {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  bridge.alsoAt(stranger.url);
  stranger.stallsAbove(150 * kibibyte);
  const dataDir = tempDir(t);
  enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
  const spool = createSpool(dataDir, bridgeTenant);
  const lines = Array.from({ length: 60 }, (_, n) => lineOf(n, 10 * kibibyte));
  spool.write(...lines);
  await ship(t, { dataDir, deliveryMsMax: 200 });
  await eventually(() => spool.shipped() === 60, { timeoutMs: 10_000 });
  assert.deepEqual([...arrived(bridge.blobs.objects).values()], lines);
});

for (const [what, answersGo] of [
  ['the shipper is killed before it hears', 'nowhere'],
  ['the answer is lost', 'astray'],
] as const) {
  test(`a gap record arrives and ${what}: the record, which would fit by now, does not come after it`, async (t) => {
    const bridge = await startTestBridge(t);
    const stranger = await startStranger(t, bridge.url);
    bridge.alsoAt(stranger.url);
    stranger.refusesAbove(20 * kibibyte);
    stranger.answersGo(answersGo);
    const dataDir = tempDir(t);
    enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
    const spool = createSpool(dataDir, bridgeTenant);
    const line = lineOf(0, 60 * kibibyte);
    spool.write(line);
    const settings = JSON.stringify({ ...quick, dataDir });
    const child = startNode(t, [join(import.meta.dirname, '../test/kit/shipper/shipper-main.ts'), settings]);
    await eventually(() => bridge.blobs.objects.size > 0, { timeoutMs: 10_000, everyMs: 1 });
    if (answersGo === 'nowhere') {
      child.kill('SIGKILL');
      await child.ended;
    }
    stranger.refusesAbove(Infinity);
    stranger.answersGo('through');
    if (answersGo === 'nowhere') await ship(t, { dataDir });
    await eventually(() => spool.shipped() === 1, { timeoutMs: 10_000 });
    const found = arrived(bridge.blobs.objects);
    assert.equal(GapRecord.parse(JSON.parse(found.get(0) ?? '')).reason, 'tooLarge');
    const kept = join(dataDir, 'shipper/quarantine', `${spool.spool}-0.line`);
    assert.equal(readFileSync(kept, 'utf8'), `${line}\n`);
    await eventually(() => readdirSync(join(dataDir, 'shipper')).length === 2);
  });
}

test('a refused size is halved, and doubled again step by step once time has passed', async () => {
  const clock = createFakeClock();
  const size = new WireSize({ clock, bytesMax: 1_000_000, growEveryMs: 60_000 });
  size.refused(900_000, true);
  assert.equal(size.bytes, 450_000);
  await clock.advance(59_999);
  size.passed(440_000);
  assert.equal(size.bytes, 450_000);
  await clock.advance(1);
  size.passed(200_000);
  assert.equal(size.bytes, 450_000, 'a parcel that makes no use of the size proves nothing');
  size.passed(440_000);
  assert.equal(size.bytes, 900_000);
  size.passed(890_000);
  assert.equal(size.bytes, 900_000);
  await clock.advance(60_000);
  size.passed(890_000);
  assert.equal(size.bytes, 1_000_000);
  for (let n = 0; n < 30; n++) size.refused(100, true);
  assert.equal(size.bytes, 16 * 1024);
});
