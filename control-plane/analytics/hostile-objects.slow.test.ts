import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { eventually } from '../../test/kit/eventually.ts';
import { land, landBytes, recordLine } from '../../test/kit/control-plane/landing.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { createTestLake, recordLines, type TestLake } from '../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../test/kit/servers/databases.ts';
import type { BlobStore, LandingKey } from '../../proto/wire/blobs.ts';
import { createLog } from '../../proto/process/log.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { isContentOf, sealParcel } from '../../proto/wire/parcel.ts';
import { createDuck } from './duck.ts';
import { openOwnFolder } from './own-folder.ts';
import { isWithin } from '../../test/kit/pace.ts';

const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const evil = { environment: 'a-evil', spool: 'f'.repeat(32) };
// Each look is a question, which costs more than a look at a variable.
const within = { timeoutMs: 20_000, everyMs: 100 };

/** Puts any bytes as the data of a landing object of the evil environment, under a key that says so many lines. */
const landEvil = (lake: TestLake, [first, count]: readonly [number, number], data: Uint8Array) =>
  landBytes(lake.blobs, { ...evil, first, last: first + count - 1 }, (place) => sealParcel(place, data));

const emptyLines = (count: number): Buffer => zstdCompressSync(Buffer.alloc(count * 3, '{}\n'));

async function untilLanded(lake: TestLake, left = 0): Promise<void> {
  await eventually(async () => (await lake.keys('landing/')).length === left, within);
}

test('bombs of one tenant delay no other, are named, and leave nothing behind', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const bomb = emptyLines(40_000_000);
  assert.ok(bomb.length < 20_000, `${bomb.length} bytes make 120 MB`);
  await landEvil(lake, [0, 40_000_000], bomb);
  await landEvil(lake, [1_000_000_000, 300_000_000], bomb);
  await landEvil(lake, [10, 3], bomb);
  await landEvil(lake, [20, 3], Buffer.concat([emptyLines(3), bomb]));
  await landEvil(lake, [30, 1], zstdCompressSync(Buffer.alloc(200_000_000, 'x')));
  // A frame that asks for a window of 2 GiB: magic, no flags, exponent 21, one raw block of 3 bytes.
  await landEvil(lake, [40, 1], Buffer.from('28b52ffd00a81900007b7d0a', 'hex'));
  await landEvil(lake, [50, 1], Buffer.from('28b52ffd', 'hex'));
  await land(lake.blobs, recordLines(3));
  const startedMs = performance.now();
  const analytics = await lake.start();
  await eventually(async () => (await analytics.requestsCount(span)).total === 3, within);
  await untilLanded(lake);
  isWithin(performance.now() - startedMs, { msMax: 15_000, what: 'a try of one of them took minutes' });
  assert.deepEqual(await lake.events(), [
    'records.quarantined a line has more than 2097152 bytes',
    'records.quarantined it cannot be decompressed',
    'records.quarantined it cannot be read',
    'records.quarantined it says that it has 300000000 lines',
    'records.quarantined it says that it has 40000000 lines',
    'records.quarantined its lines are not as many as its key says',
    'records.quarantined its lines are not as many as its key says',
  ]);
  assert.match(await analytics.metrics.text(), /landing_objects_total\{outcome="quarantined"\} 7\b/);
  await analytics.close();
  assert.deepEqual(readdirSync(join(lake.dir, 'analytics', 'run')), []);
});

test('deep nesting, a million keys, bytes that are no text: the records beside them count', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const keys = Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join(',');
  const odd = [
    recordLine().replace('"status"', `"x":${'['.repeat(300_000)}${']'.repeat(300_000)},"status"`),
    recordLine().replace('"status"', `"host":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"status"`),
    recordLine().replace('"status"', `${keys},"status"`),
    `{"type":${'['.repeat(500_000)}`,
    recordLine({ host: '\u0000\ud800' }),
    recordLine().replace('"status":200', '"status":1e999'),
  ];
  const bytes = Buffer.concat([
    Buffer.from(`${recordLine()}\n${odd.join('\n')}\n`),
    Buffer.from([0xff, 0xfe, 0x80, 0, 10]),
    Buffer.from(`${recordLine()}\n`),
  ]);
  const place = { first: 0, last: odd.length + 2 };
  await landBytes(lake.blobs, place, (key) => sealParcel(key, zstdCompressSync(bytes)));
  const analytics = await lake.start();
  await eventually(async () => (await analytics.requestsCount(span)).total >= 2, within);
  await untilLanded(lake);
  assert.deepEqual(await lake.events(), []);
});

test('environments take turns: one with much to ingest keeps no other waiting', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const much = 16;
  for (let n = 0; n < much; n++)
    await land(lake.blobs, [recordLine({ env_id: 'a-evil' })], { ...evil, first: n });
  await land(lake.blobs, recordLines(3));
  const analytics = await lake.start({ objectsPerFileMax: 1 });
  // At once: what is looked at is how far the other has come.
  await eventually(async () => (await analytics.requestsCount(span)).total === 3, {
    ...within,
    everyMs: 10,
  });
  const before = (await analytics.requestsCount({ ...span, environment: 'a-evil' })).total;
  assert.ok(before < much / 2, `${before} of ${much} came first`);
  await eventually(
    async () => (await analytics.requestsCount({ ...span, environment: 'a-evil' })).total === much,
    within,
  );
});

test('an environment whose objects cannot be fetched pauses alone, and goes on when they can', async (t) => {
  const lake = await createTestLake(t, sqlite);
  let isBroken = true;
  const blobs: BlobStore = {
    ...lake.blobs,
    async get(key, options) {
      if (isBroken && key.includes('env=a-evil')) throw new Fault('blobs.unavailable');
      return lake.blobs.get(key, options);
    },
  };
  for (let n = 0; n < 5; n++)
    await land(lake.blobs, [recordLine({ env_id: 'a-evil' })], { ...evil, first: n });
  await land(lake.blobs, recordLines(3));
  const analytics = await lake.start({}, { blobs });
  await eventually(async () => (await analytics.requestsCount(span)).total === 3, within);
  isBroken = false;
  await eventually(
    async () => (await analytics.requestsCount({ ...span, environment: 'a-evil' })).total === 5,
    within,
  );
});

test('a bucket that is away is told of once, not at every try, and its return too', async (t) => {
  const lake = await createTestLake(t, sqlite);
  let isAway = true;
  let tries = 0;
  const blobs: BlobStore = {
    ...lake.blobs,
    folders(...asked) {
      tries += 1;
      if (isAway) throw new Fault('blobs.unavailable');
      return lake.blobs.folders(...asked);
    },
  };
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  await lake.start({}, { blobs, log });
  await eventually(() => tries > 5, within);
  const told = (words: RegExp): number => lines.filter((line) => words.test(line)).length;
  assert.equal(told(/rounds of the ingester fail/), 1);
  isAway = false;
  await eventually(() => told(/the ingester works again/) === 1, within);
});

test('an empty, foreign, cut or otherwise hashed object takes no good one with it, before or behind it', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const zstd = (text: string) => zstdCompressSync(Buffer.from(text));
  const text = `${recordLine()}\n`.repeat(10);
  const good = (place: Omit<LandingKey, 'hash8'>) => sealParcel(place, zstd(text));
  const bad: readonly ((place: Omit<LandingKey, 'hash8'>) => Uint8Array)[] = [
    () => new Uint8Array(),
    (place) => good(place).subarray(0, 100),
    (place) => sealParcel(place, zstd(`${recordLine({ org_id: 'victim' })}\n`.repeat(10))),
    (place) => sealParcel(place, zstd(`${recordLine()}\n`.repeat(9))),
    (place) => sealParcel(place, zstd(`${recordLine()}\n\n`.repeat(5))),
    (place) => sealParcel(place, zstd(`${text}{"type":`)),
    (place) => good({ ...place, first: place.first + 1 }),
  ];
  let first = 0;
  for (const make of bad) {
    // The listing is in the order of keys, and those differ in their hash only: under a false one it comes first or last.
    for (const hash8 of [undefined, '00000000', 'ffffffff']) {
      const range = { first, last: first + 9 };
      await landBytes(lake.blobs, { ...range, ...(hash8 === undefined ? {} : { hash8 }) }, make);
      await landBytes(lake.blobs, range, good);
      first += 10;
    }
  }
  const analytics = await lake.start();
  await eventually(async () => (await analytics.requestsCount(span)).total === first, within);
  // Under a false hash is what may be half of an upload: it stays for the repeat.
  await untilLanded(lake, bad.length * 2);
  assert.equal((await analytics.requestsCount(span)).total, first);
  assert.deepEqual(await analytics.holes(span), []);
  await eventually(async () => (await lake.events()).length === bad.length * 3, within);
});

test('half of an upload waits for the repeat, covers nothing meanwhile, and is told of once when it has waited long enough', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const key = await land(lake.blobs, recordLines(5));
  const whole = (await lake.blobs.get(key)) ?? new Uint8Array();
  const half = whole.subarray(0, whole.length >> 1);
  await lake.blobs.put(key, half);
  const patient = await lake.start({ unfinishedMs: 600_000 });
  await land(lake.blobs, recordLines(3), { first: 5 });
  await eventually(async () => (await patient.requestsCount(span)).total === 3, within);
  assert.match(await patient.metrics.text(), /isthmus_analytics_unfinished_objects 1\b/);
  // What counts is deleted in the next round.
  await eventually(async () => (await lake.keys('landing/')).length === 1, within);
  assert.deepEqual(await lake.keys('landing/'), [key]);
  await lake.blobs.put(key, whole);
  await eventually(async () => (await patient.requestsCount(span)).total === 8, within);
  assert.deepEqual(await lake.events(), []);
  await patient.close();

  const other = await land(lake.blobs, recordLines(4), { first: 8 });
  const bytes = (await lake.blobs.get(other)) ?? new Uint8Array();
  await lake.blobs.put(other, bytes.subarray(0, 50));
  const told = ['records.quarantined its bytes are not those that its key names'];
  const analytics = await lake.start({ unfinishedMs: 0 });
  await eventually(async () => (await lake.events()).length > 0, within);
  await analytics.close();
  const successor = await lake.start({ unfinishedMs: 0 });
  await land(lake.blobs, recordLines(2), { first: 12 });
  await eventually(async () => (await successor.requestsCount(span)).total === 10, within);
  assert.deepEqual(await lake.events(), told);
  assert.equal((await lake.keys('quarantine/')).length, 1);
  await lake.blobs.put(other, bytes);
  await eventually(async () => (await successor.requestsCount(span)).total === 14, within);
});

test('the repeat of an upload counts, at whatever moment of putting its half aside it arrives', async (t) => {
  const steps = ['list', 'get', 'copy', 'delete'] as const;
  for (const step of steps) {
    const lake = await createTestLake(t, sqlite);
    const key = await land(lake.blobs, recordLines(5));
    const whole = (await lake.blobs.get(key)) ?? new Uint8Array();
    await lake.blobs.put(key, whole.subarray(0, 50));
    let looks = 0;
    /** The second look comes after the wait. */
    const arrives = async (at: (typeof steps)[number], object: string): Promise<void> => {
      if (at === 'get' && object === key) looks += 1;
      if (at === step && object.includes(key) && (step !== 'get' || looks === 2))
        await lake.blobs.put(key, whole, { ifAbsent: true, isSound: (present) => isContentOf(key, present) });
    };
    const { get, copy, delete: remove, list } = lake.blobs;
    const blobs: TestLake['blobs'] = {
      ...lake.blobs,
      get: async (...wish) => (await arrives('get', wish[0]), get(...wish)),
      copy: async (...wish) => (await arrives('copy', wish[0]), copy(...wish)),
      delete: async (...wish) => (await arrives('delete', wish[0]), remove(...wish)),
      async *list(...wish) {
        await arrives('list', wish[0]);
        yield* list(...wish);
      },
    };
    const analytics = await lake.start({ unfinishedMs: 0 }, { blobs });
    if (step === 'delete') {
      await eventually(async () => (await lake.events()).length > 0, within);
      await arrives('delete', key);
    }
    await eventually(async () => (await analytics.requestsCount(span)).total === 5, within);
    await analytics.close();
  }
});

test('objects that cannot be deleted are told once and not in every round, and when they can be again', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await land(lake.blobs, recordLines(5));
  const log = createLog({ name: 'test', level: 'silent' });
  const lines: string[] = [];
  log.warn = (_: unknown, message?: string) => void lines.push(message ?? '');
  log.info = (_: unknown, message?: string) => void lines.push(message ?? '');
  let refusals = 0;
  const blobs: TestLake['blobs'] = {
    ...lake.blobs,
    async delete(key) {
      if (refusals === 5) return lake.blobs.delete(key);
      refusals += 1;
      throw new Fault('blobs.unavailable');
    },
  };
  await lake.start({}, { blobs, log });
  await eventually(async () => lines.includes('landing objects can be deleted again'), within);
  assert.equal(refusals, 5);
  assert.deepEqual(await lake.keys('landing/'), []);
  assert.equal(lines.filter((line) => line.startsWith('a landing object could not be deleted')).length, 1);
});

test('an ingester that slept past its lease leaves no file behind', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const asleep = Promise.withResolvers<void>();
  const awake = Promise.withResolvers<void>();
  await land(lake.blobs, recordLines(7));
  const sleeper = await lake.start(
    { leaseMs: 60_000 },
    {
      async onStep(step) {
        if (step !== 'converted') return;
        asleep.resolve();
        await awake.promise;
      },
    },
  );
  await asleep.promise;
  await lake.storage.db.deleteFrom('lease').execute();
  const successor = await lake.start({ leaseMs: 60_000 });
  await eventually(async () => (await successor.requestsCount(span)).total === 7, within);
  awake.resolve();
  await eventually(async () => /refused_commits_total 1\b/.test(await sleeper.metrics.text()), within);
  const files = await lake.storage.db.selectFrom('lake_file').select(['object_key', 'state']).execute();
  assert.deepEqual(
    files.map(({ object_key, state }) => [object_key, state]),
    (await lake.keys('lake/')).map((key) => [key, 'live']),
  );
  assert.equal(files.length, 1);
});

test('what a killed query has spilled is gone, and so is what a killed process left', async (t) => {
  const dir = tempDir(t);
  const spillsDir = join(dir, 'spill');
  const limits = { dir, spillsDir, spillBytesMax: 500_000_000, memoryBytesMax: 64_000_000, threads: 1 };
  const duck = createDuck({ ...limits, timeoutMs: 3_000, queueMax: 2 });
  t.after(() => duck.close());
  const sorting = duck.query(
    'SELECT max(r) FROM (SELECT r, row_number() OVER (ORDER BY hash(r)) n FROM range(40000000) t(r)) WHERE n % 3 = 0',
  );
  await eventually(
    () => existsSync(spillsDir) && readdirSync(spillsDir, { recursive: true }).length > 1,
    within,
  );
  await assert.rejects(sorting, { code: 'analytics.failed' });
  await eventually(() => readdirSync(spillsDir).length === 0);

  const run = join(dir, 'run');
  for (const name of ['4194305-dead', `${process.pid}-former`, '1-alive', 'stray'])
    mkdirSync(join(run, name), { recursive: true });
  const own = await openOwnFolder(run);
  const second = await openOwnFolder(run);
  assert.deepEqual(
    readdirSync(run).toSorted(),
    ['1-alive', ...[own, second].map((path) => path.slice(run.length + 1))].toSorted(),
  );
});

test('what is compressed at any level a shipper may choose is read', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const text = Buffer.from(`${recordLine()}\n`.repeat(1_000));
  for (const [index, level] of [1, 3, 19].entries()) {
    const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: index % 2 };
    const range = { first: index * 1_000, last: index * 1_000 + 999 };
    await landBytes(lake.blobs, range, (place) => sealParcel(place, zstdCompressSync(text, { params })));
  }
  const analytics = await lake.start();
  await eventually(async () => (await analytics.requestsCount(span)).total === 3_000, within);
});
