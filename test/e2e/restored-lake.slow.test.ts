import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, type TestContext } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { rebuildLake, type RebuildOptions } from '../../control-plane/analytics/reconcile/rebuild.ts';
import type { Reconciled } from '../../control-plane/analytics/reconcile/reconcile.ts';
import { analyticsSettings } from '../../control-plane/analytics/settings.ts';
import { backup, restore } from '../../control-plane/publish/backup.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { shortTest as test, testOnce } from '../kit/long-run.ts';
import { sqlite, testDatabases, type TestDatabase } from '../kit/servers/databases.ts';
import { eventually } from '../kit/eventually.ts';
import { land, recordLine } from '../kit/control-plane/landing.ts';
import {
  createTestLake,
  recordLines,
  type TestAnalytics,
  type TestLake,
} from '../kit/control-plane/test-lake.ts';

const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
// Each look is a question, which costs more than a look at a variable.
const within = { timeoutMs: 20_000, everyMs: 100 };
const log = createLog({ name: 'test', level: 'silent' });

const rebuild = (lake: TestLake, more: Partial<RebuildOptions> = {}): Promise<Reconciled> =>
  rebuildLake({
    ...lake,
    dir: join(lake.dir, 'analytics'),
    settings: analyticsSettings.parse({ leaseMs: 100 }),
    log,
    clock: systemClock,
    isDryRun: false,
    ...more,
  });

/** One whose database can be backed up: it has an organization. */
async function createLake(t: TestContext, database: TestDatabase): Promise<TestLake> {
  const lake = await createTestLake(t, database);
  const times = { created_at_ms: 1, updated_at_ms: 1 };
  await lake.storage.db
    .insertInto('organization')
    .values({ id: 'o', name: 'o', description: '', hrid: 'o', ...times })
    .execute();
  return lake;
}

/** Lands objects of 5 records each and waits until they count and are deleted; gives back their keys and bytes. */
async function ingest(lake: TestLake, analytics: TestAnalytics, range: { from: number; to: number }) {
  const landed = new Map<string, Uint8Array>();
  for (let n = range.from; n < range.to; n++) {
    const key = await land(lake.blobs, recordLines(5, { request_id: `r${n}` }), { first: n * 5 });
    landed.set(key, (await lake.blobs.get(key)) ?? new Uint8Array());
  }
  await settled(lake);
  assert.equal((await analytics.requestsCount(span)).total, range.to * 5);
  return landed;
}

async function settled(lake: TestLake): Promise<void> {
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
}

async function landAgain(lake: TestLake, objects: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [key, bytes] of objects) await lake.blobs.put(key, bytes);
}

async function restoreFrom(lake: TestLake, file: string): Promise<void> {
  const keyring = openKeyring({ keys: [{ id: 'k', key: randomBytes(32) }] });
  await restore({ storage: lake.storage, keyring, clock: systemClock, log }, file);
}

/** What another engine sees that reads every file in the bucket: rows, and how many records they are. */
async function rowsInFiles(t: TestContext, lake: TestLake): Promise<{ rows: number; records: number }> {
  const instance = await DuckDBInstance.create(':memory:');
  t.after(() => instance.closeSync());
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER AS rows, count(DISTINCT (spool, spool_offset))::INTEGER AS records
     FROM read_parquet('${join(lake.dir, 'bucket')}/lake/v1/**/*.parquet')`,
  );
  const [row] = reader.getRowObjectsJson();
  return { rows: Number(row?.['rows']), records: Number(row?.['records']) };
}

async function assertExactly(
  t: TestContext,
  { lake, analytics, count }: { lake: TestLake; analytics: TestAnalytics; count: number },
) {
  assert.equal((await analytics.requestsCount(span)).total, count);
  assert.deepEqual(await rowsInFiles(t, lake), { rows: count, records: count });
  assert.deepEqual(await analytics.holes(span), []);
  assert.deepEqual(await lake.events(), []);
}

for (const database of testDatabases) {
  // Files are compared with rows, whoever keeps those: on PostgreSQL the long run asks again.
  describe(`a restored database on ${database.name}`, { skip: database.skip }, () => {
    test('everything ingested since the backup counts again, once, also when it is uploaded again', async (t) => {
      const lake = await createLake(t, database);
      const first = await lake.start({ objectsPerFileMax: 4 });
      const old = await ingest(lake, first, { from: 0, to: 10 });
      const file = join(lake.dir, 'backup');
      await backup(lake.storage, file, systemClock);
      const since = await ingest(lake, first, { from: 10, to: 20 });
      await first.close();
      await restoreFrom(lake, file);

      const dry = await rebuild(lake, { isDryRun: true });
      const done = await rebuild(lake);
      assert.equal(dry.adoptedRecords, 50);
      assert.equal(done.adoptedRecords, 50);
      assert.deepEqual({ ...done, seen: 0, adopted: 0 }, { ...dry, seen: 0, adopted: 0 });
      const second = await lake.start();
      await assertExactly(t, { lake, analytics: second, count: 100 });
      await landAgain(lake, new Map([...old, ...since]));
      await settled(lake);
      await assertExactly(t, { lake, analytics: second, count: 100 });
      await second.close();
      const again = await rebuild(lake);
      assert.equal(again.adopted + again.trimmed + again.doubled + again.missing, 0, 'nothing is left to do');
    });

    testOnce(database)(
      'an ingester asks the bucket before it ingests what lies in landing still, without a command',
      async (t) => {
        const lake = await createLake(t, database);
        const first = await lake.start();
        const old = await ingest(lake, first, { from: 0, to: 4 });
        const file = join(lake.dir, 'backup');
        await backup(lake.storage, file, systemClock);
        const since = await ingest(lake, first, { from: 4, to: 8 });
        // While it runs: its lease goes with the database that was replaced.
        await landAgain(lake, since);
        await restoreFrom(lake, file);
        await landAgain(lake, new Map([...old, ...since]));
        await settled(lake);
        await eventually(async () => (await first.requestsCount(span)).total === 40, within);
        await assertExactly(t, { lake, analytics: first, count: 40 });
      },
    );

    testOnce(database)(
      'a file that was only named when the backup was made is not deleted as a leftover',
      async (t) => {
        const lake = await createLake(t, database);
        const file = join(lake.dir, 'backup');
        let isSaved = false;
        const onStep = async (step: string): Promise<void> => {
          if (step !== 'durable' || isSaved) return;
          isSaved = true;
          await backup(lake.storage, file, systemClock);
        };
        const first = await lake.start({}, { onStep });
        await ingest(lake, first, { from: 0, to: 2 });
        await first.close();
        await restoreFrom(lake, file);
        const second = await lake.start();
        await eventually(async () => (await second.requestsCount(span)).total === 10, within);
        await assertExactly(t, { lake, analytics: second, count: 10 });
      },
    );

    testOnce(database)(
      'a file that is gone from the bucket is said, queries go on, and its records count again when they come again',
      async (t) => {
        const lake = await createLake(t, database);
        const analytics = await lake.start({ cacheBytesMax: 1 });
        await ingest(lake, analytics, { from: 0, to: 2 });
        const { object_key: gone, record_count: lost } = await lake.storage.db
          .selectFrom('lake_file')
          .selectAll()
          .orderBy('changed_at_ms')
          .executeTakeFirstOrThrow();
        await ingest(lake, analytics, { from: 2, to: 4 });
        await analytics.close();
        await lake.blobs.delete(gone);
        const second = await lake.start({ cacheBytesMax: 1 });
        await eventually(async () => (await second.requestsCount(span)).total === 20 - lost, within);
        assert.deepEqual(await lake.events(), [`records.file_missing ${gone}`]);
        assert.match(await second.metrics.text(), /reconciled_files_total\{outcome="missing"\} 1\b/);
        const [spool] = await second.holes(span);
        assert.deepEqual(spool?.holes, [{ first: 0, last: lost - 1 }]);
        for (let n = 0; n < 2; n++)
          await land(lake.blobs, recordLines(5, { request_id: `r${n}` }), { first: n * 5 });
        await settled(lake);
        assert.equal((await second.requestsCount(span)).total, 20);
        assert.deepEqual(await rowsInFiles(t, lake), { rows: 20, records: 20 });
      },
    );
  });
}

test('a file of which others cover a part, or all, comes in with the rest or not at all', async (t) => {
  const lake = await createLake(t, sqlite);
  const first = await lake.start();
  const rows = Array.from({ length: 30 }, (_, n) => recordLine({ request_id: `r${n}` }));
  await land(lake.blobs, rows.slice(0, 20), { first: 0 });
  await settled(lake);
  await first.close();
  const [early = ''] = await lake.keys('lake/');
  const bytes = (await lake.blobs.get(early)) ?? new Uint8Array();
  const forget = async (): Promise<void> => {
    await lake.storage.db.deleteFrom('lake_file').execute();
    await lake.storage.db.deleteFrom('covered_range').execute();
  };
  // As after a failover that lost the last commits, while the ingester went on.
  for (const { lands, trimmed, doubled } of [
    { lands: [5, 12], trimmed: 1, doubled: 0 },
    { lands: [0, 30], trimmed: 0, doubled: 1 },
  ] as const) {
    for (const key of await lake.keys('lake/')) await lake.blobs.delete(key);
    await forget();
    const later = await lake.start();
    await land(lake.blobs, rows.slice(...lands), { first: lands[0] });
    await settled(lake);
    await later.close();
    await lake.blobs.put(early, bytes);
    const found = await rebuild(lake);
    assert.deepEqual([found.adopted, found.trimmed, found.doubled], [0, trimmed, doubled]);
    assert.ok(!(await lake.keys('lake/')).includes(early));
    const analytics = await lake.start();
    await assertExactly(t, { lake, analytics, count: lands[1] === 30 ? 30 : 20 });
    await analytics.close();
  }
});

test('a rebuild keeps away from a working ingester, and from files that prove nothing', async (t) => {
  const lake = await createLake(t, sqlite);
  // Longer than a busy machine keeps this process waiting: a lease that ran out may be taken.
  const analytics = await lake.start({ leaseMs: 60_000 });
  await ingest(lake, analytics, { from: 0, to: 2 });
  await assert.rejects(rebuild(lake), { code: 'request.conflict' });
  const [known = ''] = await lake.keys('lake/');
  const bytes = (await lake.blobs.get(known)) ?? new Uint8Array();
  const copy = known.replace(/[0-9a-f]{8}-/, 'deadbeef-');
  const ofOthers = known.replace('env=e', 'env=other');
  await lake.blobs.put(copy, bytes);
  await lake.blobs.put(ofOthers, bytes);
  await lake.blobs.put(known.replace(/[0-9a-f]{8}-/, 'cafecafe-'), bytes.subarray(0, 100));
  await lake.blobs.put('lake/v1/readme.txt', bytes);
  const before = await lake.keys('lake/');
  const dry = await rebuild(lake, { isDryRun: true });
  assert.equal(dry.unreadable, 3);
  assert.equal(dry.adopted + dry.trimmed + dry.doubled + dry.missing, 0);
  assert.deepEqual(await lake.keys('lake/'), before);
  assert.equal((await analytics.requestsCount(span)).total, 10);
});

test('each record of the lake has its spool and its offset, also where a part was cut off', async (t) => {
  const lake = await createLake(t, sqlite);
  const analytics = await lake.start();
  const rows = Array.from({ length: 3_000 }, (_, n) =>
    n % 7 === 0
      ? '{}'
      : recordLine({ request_id: `r${n}`, timestamp: 1_700_000_000_000 - n, api_id: `a${n % 3}` }),
  );
  await land(lake.blobs, rows.slice(1_000, 1_500), { first: 1_000 });
  await settled(lake);
  await land(lake.blobs, rows, { first: 0 });
  await settled(lake);
  await analytics.close();
  const instance = await DuckDBInstance.create(':memory:');
  t.after(() => instance.closeSync());
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER AS rows, count(*) FILTER (request_id = 'r' || spool_offset)::INTEGER AS right_ones
     FROM read_parquet('${join(lake.dir, 'bucket')}/lake/v1/**/*.parquet')`,
  );
  const expected = rows.filter((row) => row !== '{}').length;
  assert.deepEqual(reader.getRowObjectsJson(), [{ rows: expected, right_ones: expected }]);
});
