import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import {
  arrived,
  bridgeTenant,
  createSpool,
  enrolled,
  folderObjects,
  ship,
  type TestSpool,
} from '../test/kit/shipper/shipper.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import { segmentFile, writeCheckpoint } from '../proto/spool/folder.ts';

/** What becomes of a small file when a disk, a copy or a hand goes wrong. */
const damages: readonly (readonly [name: string, damage: (path: string) => void])[] = [
  [
    'cut in half',
    (path) => writeFileSync(path, readFileSync(path).subarray(0, readFileSync(path).length >> 1)),
  ],
  ['empty', (path) => writeFileSync(path, '')],
  ['garbage', (path) => writeFileSync(path, Buffer.from([0, 255, 1, 254, 123]))],
  ['JSON of something else', (path) => writeFileSync(path, '{"spool":1,"shipped":"all"}\n')],
  ['one byte flipped', (path) => writeFileSync(path, flipped(readFileSync(path)))],
  [
    'a folder',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  ],
];

function flipped(bytes: Buffer): Buffer {
  // In the middle: of a number in a checkpoint, of the lines in a parcel.
  const at = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

const record = (n: number): string =>
  JSON.stringify({
    n,
    type: 'v4-metrics',
    org_id: 'o',
    env_id: 'e',
    gateway_id: 'g',
    text: `${n}`.repeat(40),
  });

/** A shipper that has begun to deliver and was stopped: its parcels are on disk. */
async function interrupted(
  t: TestContext,
  { dataDir, spool, batch = { msMax: 20 } }: { dataDir: string; spool: TestSpool; batch?: object },
): Promise<string[]> {
  const nowhere = join(tempDir(t), 'a-file');
  writeFileSync(nowhere, '');
  const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: nowhere }, batch });
  const parcels = (): string[] =>
    readdirSync(join(dataDir, 'shipper')).filter((name) => name.endsWith('.parcel'));
  await eventually(async () => (await shipper.health()).stuck.length > 0);
  await shipper.lifecycle.close();
  assert.equal(spool.shipped(), 0);
  return parcels();
}

for (const [name, damage] of damages) {
  test(`a parcel on its way that is ${name} ends nothing: it is moved aside, named, and its range goes anew`, async (t) => {
    const [dataDir, bucket] = [tempDir(t), tempDir(t)];
    const spool = createSpool(dataDir);
    spool.write(record(0), record(1));
    const [parcel] = await interrupted(t, { dataDir, spool });
    assert.ok(parcel);
    damage(join(dataDir, 'shipper', parcel));
    const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
    await eventually(() => spool.shipped() === 2);
    assert.deepEqual([...arrived(folderObjects(bucket)).values()], [record(0), record(1)]);
    const { setAside, quarantine, status } = await shipper.health();
    assert.deepEqual([status, setAside.length, quarantine?.files], ['UP', 1, 1]);
    assert.match(setAside[0]?.file ?? '', /shipper\/quarantine\/damaged-.*\.parcel\.[0-9a-f]{8}$/);
    assert.deepEqual(readdirSync(join(dataDir, 'shipper')), ['quarantine']);
  });

  test(`an acknowledgement that is ${name} makes nothing look lost: it is moved aside, named, and the rest goes again`, async (t) => {
    const [dataDir, bucket] = [tempDir(t), tempDir(t)];
    const { checkpoints } = foldersOf(dataDir);
    const spool = createSpool(dataDir, { segmentBytes: 100 });
    spool.write(record(0));
    spool.write(record(1));
    spool.write(record(2));
    const settings = { dataDir, output: 'folder', folder: { dir: bucket } };
    const first = await ship(t, settings);
    await eventually(() => spool.shipped() === 3);
    await first.lifecycle.close();
    // As the gateway does: it notes, then deletes what has arrived.
    writeCheckpoint(spool.dir, spool.spool, 2);
    for (const offset of [0, 1]) rmSync(join(spool.dir, segmentFile(offset)));
    damage(join(checkpoints, `${spool.spool}.json`));
    spool.write(record(3));
    const second = await ship(t, settings);
    await eventually(() => spool.shipped() === 4);
    const { setAside, status } = await second.health();
    assert.deepEqual([status, setAside.length], ['UP', 1]);
    assert.match(setAside[0]?.file ?? '', /quarantine\/damaged-[0-9a-f]{32}\.json\./);
    assert.doesNotMatch(await second.metrics(), /gap_records_total [1-9]/);
    const offsets = [...folderObjects(bucket).keys()].map(
      (key) => /\/([0-9]+-[0-9]+)-[0-9a-f]{8}\./.exec(key)?.[1],
    );
    assert.ok(offsets.includes('2-3') || offsets.includes('3-3'));
  });

  test(`a spool.json that is ${name} loses nothing: the records say whose they are`, async (t) => {
    const [dataDir, bucket] = [tempDir(t), tempDir(t)];
    const spool = createSpool(dataDir);
    damage(join(spool.dir, 'spool.json'));
    const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
    spool.write('nonsense', record(1));
    await eventually(() => spool.shipped() === 2);
    assert.match([...folderObjects(bucket).keys()][0] ?? '', /org=o\/env=e\/fleet=local\/gateway=g\//);
    const { setAside } = await shipper.health();
    assert.ok(setAside.some(({ file }) => file === join(spool.dir, 'spool.json')));
  });
}

test('a deleted acknowledgement makes no shipped record look lost, and what goes again has the same names', async (t) => {
  const [dataDir, bucket] = [tempDir(t), tempDir(t)];
  const { checkpoints } = foldersOf(dataDir);
  const spool = createSpool(dataDir, { segmentBytes: 100 });
  // Long enough for a busy machine to read all three: what goes again has the same names when it is the same batch.
  const settings = { dataDir, output: 'folder', folder: { dir: bucket }, batch: { msMax: 1_000 } };
  for (let n = 0; n < 3; n++) spool.write(record(n));
  const first = await ship(t, settings);
  await eventually(() => spool.shipped() === 3);
  await first.lifecycle.close();
  const names = [...folderObjects(bucket).keys()];
  rmSync(checkpoints, { recursive: true });
  const second = await ship(t, settings);
  await eventually(() => spool.shipped() === 3);
  assert.deepEqual([...folderObjects(bucket).keys()], names);
  await second.lifecycle.close();

  writeCheckpoint(spool.dir, spool.spool, 2);
  for (const offset of [0, 1]) rmSync(join(spool.dir, segmentFile(offset)));
  rmSync(checkpoints, { recursive: true });
  const third = await ship(t, settings);
  await eventually(() => spool.shipped() === 3);
  assert.doesNotMatch(await third.metrics(), /gap_records_total [1-9]/);
  assert.deepEqual((await third.health()).setAside, []);
});

test('where one part of a batch is damaged the others arrive, and nothing is acknowledged across the hole', async (t) => {
  const [dataDir, bucket] = [tempDir(t), tempDir(t)];
  const spool = createSpool(dataDir);
  const { randomBytes } = await import('node:crypto');
  const lines = Array.from(
    { length: 40 },
    (_, n) => `{"n":${n},"text":"${randomBytes(1_500).toString('base64')}"}`,
  );
  spool.write(...lines);
  const batch = { msMax: 20, wireBytesMax: 16 * 1024 };
  const parcels = await interrupted(t, { dataDir, spool, batch });
  assert.ok(parcels.length >= 3);
  const first = parcels.find((name) => name.includes('.0-'));
  writeFileSync(join(dataDir, 'shipper', first ?? ''), 'x');
  // Not even a crash in the middle of writing parcels, or somebody's file, is in the way.
  writeFileSync(join(dataDir, 'shipper', `.unfinished-0123456789abcdef.tmp`), 'half');
  writeFileSync(join(dataDir, 'shipper', 'notes.txt'), 'hello');
  await ship(t, { dataDir, output: 'folder', folder: { dir: bucket }, batch });
  await eventually(() => spool.shipped() === 40);
  assert.deepEqual(
    [...arrived(folderObjects(bucket))].toSorted(([a], [b]) => a - b).map(([, line]) => line),
    lines,
  );
  assert.deepEqual(readdirSync(join(dataDir, 'shipper')).toSorted(), ['notes.txt', 'quarantine']);
});

test('what is on its way of a spool that is gone still arrives', async (t) => {
  const [dataDir, bucket] = [tempDir(t), tempDir(t)];
  const spool = createSpool(dataDir);
  spool.write(record(0));
  await interrupted(t, { dataDir, spool });
  rmSync(spool.dir, { recursive: true });
  await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
  await eventually(() => folderObjects(bucket).size === 1);
  await eventually(() => readdirSync(join(dataDir, 'shipper')).length === 1);
});

test('what is on its way of a gateway that enrols again arrives under its new name', async (t) => {
  const bridge = await startTestBridge(t);
  const dataDir = tempDir(t);
  const spool = createSpool(dataDir, bridgeTenant);
  spool.write(record(0), record(1));
  enrolled(dataDir, bridge.repository.addGateway(), bridge.url);
  await interrupted(t, { dataDir, spool });
  const again = bridge.repository.addGateway();
  enrolled(dataDir, again, bridge.url);
  await ship(t, { dataDir });
  await eventually(() => spool.shipped() === 2);
  assert.deepEqual([...arrived(bridge.blobs.objects).values()], [record(0), record(1)]);
  assert.ok([...bridge.blobs.objects.keys()][0]?.includes(`/gateway=${again.identity.id}/`));
});

test('folders that are deleted while a parcel is under way stop nothing: it arrives, and what is recorded then', async (t) => {
  const [dataDir, bucket] = [tempDir(t), join(tempDir(t), 'bucket')];
  const { shipper: own, checkpoints } = foldersOf(dataDir);
  const spool = createSpool(dataDir);
  spool.write(record(0));
  writeFileSync(bucket, '');
  const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
  await eventually(async () => (await shipper.health()).stuck.length > 0);
  for (const dir of [own, checkpoints]) rmSync(dir, { recursive: true });
  rmSync(bucket);
  await eventually(() => folderObjects(bucket).size > 0);
  spool.write(record(1));
  await eventually(() => spool.shipped() === 2);
  await eventually(async () => (await shipper.health()).stuck.length === 0);
});

test('files in place of the folders are moved aside', async (t) => {
  for (const place of ['shipper', 'shipper/quarantine', 'checkpoints']) {
    const [dataDir, bucket] = [tempDir(t), tempDir(t)];
    const spool = createSpool(dataDir);
    spool.write(record(0));
    mkdirSync(join(dataDir, place, '..'), { recursive: true });
    writeFileSync(join(dataDir, place), 'in the way');
    const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
    await eventually(() => spool.shipped() === 1);
    const { setAside } = await shipper.health();
    assert.ok(setAside[0]?.file.startsWith(join(dataDir, `${place}.damaged-`)), place);
  }
});

test('a full quarantine loses nothing: its spool waits, health says so, and goes on once it is emptied', async (t) => {
  const [dataDir, bucket] = [tempDir(t), tempDir(t)];
  const [spool, other] = [createSpool(dataDir), createSpool(dataDir)];
  const bytesMax = 64 * 1024 * 1024;
  const old = join(dataDir, 'shipper/quarantine/old.line');
  mkdirSync(join(old, '..'), { recursive: true });
  writeFileSync(old, '');
  truncateSync(old, bytesMax);
  spool.write(record(0), 'nonsense', record(2));
  const settings = { dataDir, output: 'folder', folder: { dir: bucket }, stuckMsMax: 20 };
  const shipper = await ship(t, { ...settings, quarantine: { bytesMax } });
  await eventually(async () => (await shipper.health()).degraded.length > 0);
  assert.match((await shipper.health()).stuck[0]?.reason ?? '', /quarantine is full.*empty it/);
  other.write(record(0));
  await eventually(() => other.shipped() === 1);
  assert.equal(spool.shipped(), 0);
  rmSync(old);
  await eventually(() => spool.shipped() === 3);
  assert.deepEqual(readdirSync(join(old, '..')), [`${spool.spool}-1.line`]);
  await eventually(async () => (await shipper.health()).degraded.length === 0);
});

test('a spool that cannot be read stops no other and does not end the process', async (t) => {
  const [dataDir, bucket] = [tempDir(t), tempDir(t)];
  const [broken, other] = [createSpool(dataDir), createSpool(dataDir)];
  broken.write(record(0));
  const segment = join(broken.dir, segmentFile(0));
  rmSync(segment);
  mkdirSync(segment);
  const shipper = await ship(t, { dataDir, output: 'folder', folder: { dir: bucket }, stuckMsMax: 20 });
  other.write(record(0));
  await eventually(() => other.shipped() === 1);
  await eventually(async () => (await shipper.health()).degraded.length > 0);
  assert.equal((await shipper.health()).stuck[0]?.spool, broken.spool);
});
