import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, spoolName } from '../../../test/kit/control-plane/landing.ts';
import { plantFile } from '../../../test/kit/control-plane/planted-file.ts';
import { createTestLake, recordLines, type TestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import type { Question, Row } from '../questions/question.ts';

const at = { organization: 'o', environment: 'e' };
const within = { timeoutMs: 20_000, everyMs: 100 };
const span = { ...at, api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const oneFilePerObject = { objectsPerFileMax: 1 };
const merging = { ...oneFilePerObject, mergeEveryMs: 1 };
const nobodyMerges = oneFilePerObject;

/** Everything that is recorded of requests, in an order of its own. */
const everything: Question<Record<never, never>, readonly Row[]> = {
  id: 'everything',
  about: 'requests',
  params: z.strictObject({}),
  sql: (from) => `SELECT * FROM ${from} ORDER BY timestamp, request_id, status`,
  shape: (rows) => rows,
};

/** Objects of ten records each, one behind the other. */
async function landObjects(lake: TestLake, { from = 0, count = 5, over = {} }): Promise<number> {
  for (let n = from; n < from + count; n++) await land(lake.blobs, recordLines(10, over), { first: n * 10 });
  return count * 10;
}

/** Lands and ingests, each object into a file of its own. */
async function ingested(lake: TestLake, objects: number, over = {}): Promise<number> {
  const landed = await landObjects(lake, { count: objects, over });
  const analytics = await lake.start(nobodyMerges);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await analytics.close();
  assert.equal((await lake.keys('lake/')).length, objects);
  return landed;
}

const filesAre = async (lake: TestLake, count: number): Promise<boolean> =>
  eventually(async () => (await lake.keys('lake/')).length === count, within);

for (const database of testDatabases)
  describe(`merging on ${database.name}`, { skip: database.skip }, () => {
    test('many files become one that holds the same, and what lands again counts nothing', async (t) => {
      const lake = await createTestLake(t, database);
      const landed = await ingested(lake, 6);
      const analytics = await lake.start(merging);
      await filesAre(lake, 1);
      assert.equal((await analytics.ask(everything, span, {})).length, landed);
      assert.equal((await lake.storage.db.selectFrom('covered_range').selectAll().execute()).length, 1);
      await land(lake.blobs, recordLines(10), { first: 20 });
      await land(lake.blobs, recordLines(10, { status: 500 }), { first: 30 });
      await land(lake.blobs, recordLines(10), { first: landed - 5 });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      await filesAre(lake, 1);
      assert.equal((await analytics.requestsCount(span)).total, landed + 5);
      assert.deepEqual(await analytics.holes(at), []);
    });

    test('a database from before a merge takes the merged file for the files that it names', async (t) => {
      const lake = await createTestLake(t, database);
      const landed = await ingested(lake, 4);
      const { db } = lake.storage;
      const before = {
        files: await db.selectFrom('lake_file').selectAll().execute(),
        ranges: await db.selectFrom('covered_range').selectAll().execute(),
      };
      const merger = await lake.start(merging);
      await filesAre(lake, 1);
      await eventually(
        async () => (await db.selectFrom('lake_file').selectAll().execute()).length === 1,
        within,
      );
      await merger.close();
      await db.deleteFrom('lake_file').execute();
      await db.deleteFrom('covered_range').execute();
      await db.insertInto('lake_file').values(before.files).execute();
      await db.insertInto('covered_range').values(before.ranges).execute();
      const analytics = await lake.start(nobodyMerges);
      const named = new Set(before.files.map(({ id }) => id));
      await eventually(async () => {
        const live = await db.selectFrom('lake_file').select('id').where('state', '=', 'live').execute();
        return live.length === 1 && live.every(({ id }) => !named.has(id));
      }, within);
      assert.equal((await analytics.requestsCount(span)).total, landed);
      assert.equal((await lake.keys('lake/')).length, 1);
      assert.deepEqual(await lake.events(), []);
    });

    test('an ingester that is killed between any two steps of a merge leaves each record counted once', async (t) => {
      const lake = await createTestLake(t, database);
      let landed = 0;
      // Every step is two processes: on PostgreSQL the sides of the commit are enough.
      const sides = ['durable', 'committed'];
      for (const step of database.name === 'postgres' ? sides : ['named', 'written', ...sides, 'deleted']) {
        landed += await landObjects(lake, { from: landed / 10, count: 3 });
        const ingester = await lake.start(nobodyMerges);
        await eventually(async () => (await lake.keys('landing/')).length === 0, within);
        await ingester.close();
        const main = join(import.meta.dirname, '../../../test/kit/control-plane/ingester-main.ts');
        const child = startNode(t, [
          main,
          lake.dir,
          `merge ${step}`,
          ...(lake.url === undefined ? [] : [lake.url]),
        ]);
        assert.equal(await child.ended, -1, `killed at ${step}: ${child.output()}`);
      }
      const analytics = await lake.start(merging);
      await filesAre(lake, 1);
      assert.equal((await analytics.requestsCount(span)).total, landed);
      const files = await lake.storage.db.selectFrom('lake_file').select(['state', 'object_key']).execute();
      assert.deepEqual(files, [{ state: 'live', object_key: (await lake.keys('lake/'))[0] }]);
      assert.deepEqual(await lake.events(), []);
    });
  });

async function openLake(t: TestContext): Promise<TestLake> {
  return createTestLake(t, sqlite);
}

test('as long as its day lasts, other content for a range that is in the lake is told', async (t) => {
  const lake = await openLake(t);
  const today = { timestamp: Date.now() };
  await ingested(lake, 17, today);
  const analytics = await lake.start(merging);
  await filesAre(lake, 1);
  await land(lake.blobs, recordLines(10, { ...today, status: 500 }), { first: 20 });
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  assert.deepEqual(await lake.events(), ['records.quarantined its range arrived before with other content']);
  assert.equal((await analytics.requestsCount(span)).total, 170);
});

test('as long as its day lasts, a few files stay as they are', async (t) => {
  const lake = await openLake(t);
  await ingested(lake, 15, { timestamp: Date.now() });
  const files = await lake.keys('lake/');
  // Another day's files are merged meanwhile, which shows that there was time to.
  await land(lake.blobs, recordLines(10), { first: 1_000 });
  await land(lake.blobs, recordLines(10), { first: 2_000 });
  await lake.start(merging);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await filesAre(lake, 16);
  const left = new Set(await lake.keys('lake/'));
  assert.ok(files.every((key) => left.has(key)));
});

test('tenants, days, requests and logs are merged apart', async (t) => {
  const lake = await openLake(t);
  const tomorrow = 1_700_000_000_000 + 86_400_000;
  const kinds = [
    { over: {}, place: {} },
    { over: { timestamp: tomorrow }, place: {} },
    { over: { env_id: 'f' }, place: { environment: 'f' } },
    { over: { org_id: 'p' }, place: { organization: 'p' } },
    { over: { type: 'v4-log' }, place: { stream: 'logs' as const } },
  ];
  for (const [n, { over, place }] of kinds.entries())
    for (const first of [0, 10])
      await land(lake.blobs, recordLines(10, over), { first, spool: spoolName(n), ...place });
  const analytics = await lake.start(merging);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await filesAre(lake, kinds.length);
  assert.equal((await analytics.requestsCount(span)).total, 40);
  assert.equal((await analytics.requestsCount({ ...span, environment: 'f' })).total, 20);
  assert.equal((await analytics.requestsCount({ ...span, organization: 'p' })).total, 20);
  assert.equal((await lake.keys('lake/')).filter((key) => key.includes('stream=logs/')).length, 1);
});

test('a file with the columns of another version is merged with the others, and keeps what it says', async (t) => {
  const lake = await openLake(t);
  await plantFile(lake, {
    columns:
      `'v4-metrics' AS type, 'o' AS org_id, 'e' AS env_id, 'a' AS api_id, 'old' AS request_id, 200::BIGINT AS status, ` +
      `make_timestamp_ms(1700000000000) AS timestamp, 'x' AS of_tomorrow, '${'e'.repeat(32)}' AS spool, 0::BIGINT AS spool_offset`,
    covered: [{ last: 0 }],
  });
  const landed = await landObjects(lake, { count: 3 });
  const analytics = await lake.start(merging);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await filesAre(lake, 1);
  const rows = await analytics.ask(everything, span, {});
  assert.equal(rows.length, landed + 1);
  assert.equal(rows.filter((row) => row['request_id'] === 'old').length, 1);
});

test('a damaged file holds up neither the others of its day for good nor another day', async (t) => {
  const lake = await openLake(t);
  await ingested(lake, 3);
  const [damaged = ''] = await lake.keys('lake/');
  const bytes = await lake.blobs.get(damaged);
  assert.ok(bytes !== undefined);
  const bad = Buffer.from(bytes).fill(0x55, 4, bytes.length - 600);
  await lake.blobs.put(damaged, bad);
  const id = damaged.split('/').at(-1) ?? '';
  await writeFile(join(lake.dir, 'analytics', 'cache', id), bad);
  for (const first of [1_000, 2_000])
    await land(lake.blobs, recordLines(10, { timestamp: 1_710_000_000_000 }), { first });
  const analytics = await lake.start(merging);
  await eventually(
    async () => (await lake.events()).some((event) => event.startsWith('records.file_missing')),
    within,
  );
  // The damaged one is left where it is; the day that failed rests, and the other one is merged.
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await filesAre(lake, 4);
  assert.equal((await analytics.requestsCount(span)).total, 40);
});
