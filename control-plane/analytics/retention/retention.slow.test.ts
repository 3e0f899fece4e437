import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, recordLines, type TestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { chooseDays, keptRecords } from './retention.store.ts';

const at = { organization: 'o', environment: 'e' };
const within = { timeoutMs: 60_000, everyMs: 50 };
const span = { ...at, api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const dayMs = 86_400_000;
const nobodyRetires = { objectsPerFileMax: 1, retireEveryMs: 3_600_000 };
const retiring = { objectsPerFileMax: 1, retireEveryMs: 1, mergeEveryMs: 1 };
const spool = (n: number): string => n.toString(16).padStart(32, '0');
const ago = (days: number): number => Date.now() - days * dayMs;

async function ingested(lake: TestLake): Promise<void> {
  const ingester = await lake.start(nobodyRetires);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await ingester.close();
}

const live = async ({ storage }: TestLake): Promise<number> =>
  (await storage.db.selectFrom('lake_file').select('id').where('state', '=', 'live').execute()).length;

async function choose({ storage }: TestLake, days: { records?: number; logs?: number }): Promise<void> {
  const { records, logs } = days;
  await storage.transaction((trx) => chooseDays(trx, at, { records, logs, nowMs: 1 }));
}

/** So many records are left, in so many files, the bucket has them, and the manifest names no other. */
async function settled(lake: TestLake, count: number, left: number): Promise<void> {
  await eventually(async () => {
    if ((await keptRecords(lake.storage.db, at)).records.records !== left) return false;
    const named = await lake.storage.db.selectFrom('lake_file').select('state').execute();
    return named.length === count && (await lake.keys('lake/')).length === count;
  }, within);
}

for (const database of testDatabases)
  describe(`retention on ${database.name}`, { skip: database.skip }, () => {
    test('what has had its time goes, logs before records, and each tenant as it has chosen', async (t) => {
      const lake = await createTestLake(t, database);
      const { blobs } = lake;
      await land(blobs, recordLines(10, { timestamp: ago(100) }), { spool: spool(1) });
      await land(blobs, recordLines(10, { timestamp: ago(50) }), { spool: spool(2) });
      const both = [
        ...recordLines(4, { timestamp: ago(100) }),
        ...recordLines(6, { timestamp: ago(5) }),
        ...recordLines(1, { timestamp: 5 }),
      ];
      await land(blobs, both, { spool: spool(3) });
      const log = { type: 'v4-log', timestamp: ago(50) };
      await land(blobs, recordLines(3, log), { spool: spool(4), stream: 'logs' });
      await land(blobs, recordLines(3, { ...log, timestamp: ago(5) }), { spool: spool(5), stream: 'logs' });
      const other = { environment: 'f', spool: spool(6) };
      await land(blobs, recordLines(10, { timestamp: ago(100), env_id: 'f' }), other);
      await ingested(lake);
      assert.equal(await live(lake), 6);
      await choose(lake, { records: 90 });

      const analytics = await lake.start({ ...retiring, logsKeptDays: 30 });
      // The one whose time means nothing goes with its file.
      await settled(lake, 4, 17);
      assert.equal((await analytics.requestsCount(span)).total, 16);
      assert.equal((await analytics.requestsCount({ ...span, environment: 'f' })).total, 10);
      const { records, logs } = await keptRecords(lake.storage.db, at);
      assert.deepEqual([records.files, records.records, logs.files, logs.records], [2, 17, 1, 3]);
      assert.ok(records.bytes > 0 && (records.oldestMs ?? 0) > ago(51) && (records.newestMs ?? 0) < ago(4));
      // What was there once counts nothing when it comes again, and is missed nowhere.
      await land(blobs, recordLines(10, { timestamp: ago(100) }), { spool: spool(1) });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      assert.equal((await analytics.requestsCount(span)).total, 16);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
      await choose(lake, { records: 1, logs: 1 });
      await eventually(async () => (await lake.keys('lake/')).length === 1, within);
    });

    test('no environment keeps anything longer than the platform lets it, and a day goes as a whole', async (t) => {
      const lake = await createTestLake(t, database);
      const midnight = Date.now() - (Date.now() % dayMs);
      await land(lake.blobs, recordLines(1, { timestamp: midnight - 10 * dayMs }), { spool: spool(1) });
      await land(lake.blobs, recordLines(1, { timestamp: midnight - 10 * dayMs - 1 }), { spool: spool(2) });
      await choose(lake, { records: 1_000 });
      const analytics = await lake.start({ ...retiring, keptDaysMax: 10 });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      await eventually(async () => (await lake.keys('lake/')).length === 1, within);
      assert.equal((await analytics.requestsCount(span)).total, 1);
    });

    test('an ingester that is killed between any two steps leaves what is young, once, and nothing else', async (t) => {
      const lake = await createTestLake(t, database);
      // Every step is two processes: on PostgreSQL one side of the commit is enough.
      const all = ['retired', 'rewrite named', 'rewrite written', 'rewrite durable', 'rewrite committed'];
      const steps = database.name === 'postgres' ? ['rewrite durable'] : all;
      let landed = 0;
      for (const step of steps) {
        await choose(lake, {});
        const old = recordLines(5, { timestamp: ago(100) });
        await land(lake.blobs, old, { first: landed * 15 });
        const both = [...recordLines(5, { timestamp: ago(100) }), ...recordLines(5, { timestamp: ago(5) })];
        await land(lake.blobs, both, { first: landed * 15 + 5 });
        landed += 1;
        await ingested(lake);
        await choose(lake, { records: 90 });
        const main = join(import.meta.dirname, '../../../test/kit/control-plane/ingester-main.ts');
        const child = startNode(t, [main, lake.dir, step, ...(lake.url === undefined ? [] : [lake.url])]);
        assert.equal(await child.ended, -1, `killed at ${step}: ${child.output()}`);
      }
      const analytics = await lake.start(retiring);
      // What is young is of one day, and merged besides.
      await settled(lake, 1, landed * 5);
      assert.equal((await analytics.requestsCount(span)).total, landed * 5);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
    });

    test('a database from before it has nothing to miss', async (t) => {
      const lake = await createTestLake(t, database);
      const { db } = lake.storage;
      await land(lake.blobs, recordLines(5, { timestamp: ago(100) }));
      const both = [...recordLines(5, { timestamp: ago(100) }), ...recordLines(5, { timestamp: ago(5) })];
      await land(lake.blobs, both, { first: 5 });
      await ingested(lake);
      await choose(lake, { records: 90 });
      const before = {
        files: await db.selectFrom('lake_file').selectAll().execute(),
        ranges: await db.selectFrom('covered_range').selectAll().execute(),
      };
      const ender = await lake.start(retiring);
      await settled(lake, 1, 5);
      await ender.close();
      await db.deleteFrom('lake_file').execute();
      await db.deleteFrom('covered_range').execute();
      await db.insertInto('lake_file').values(before.files).execute();
      await db.insertInto('covered_range').values(before.ranges).execute();

      const analytics = await lake.start(retiring);
      await settled(lake, 1, 5);
      assert.equal((await analytics.requestsCount(span)).total, 5);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
    });
  });
