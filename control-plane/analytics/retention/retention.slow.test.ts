import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, spoolName } from '../../../test/kit/control-plane/landing.ts';
import {
  createTestLake,
  lakeParts,
  recordLines,
  type TestLake,
} from '../../../test/kit/control-plane/test-lake.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import { rebuildLake } from '../reconcile/rebuild.ts';
import { insertDeletion } from './deletions.store.ts';
import { EndedRanges, endedFolder } from './ended-ranges.ts';
import { chooseDays, keptRecords } from './retention.store.ts';

const at = { organization: 'o', environment: 'e' };
const within = { timeoutMs: 60_000, everyMs: 50 };
const span = { ...at, api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const dayMs = 86_400_000;
const nobodyRetires = { objectsPerFileMax: 1, retireEveryMs: 3_600_000 };
const retiring = { objectsPerFileMax: 1, retireEveryMs: 1, mergeEveryMs: 1 };
const ago = (days: number): number => Date.now() - days * dayMs;

async function ingested(lake: TestLake): Promise<void> {
  const ingester = await lake.start(nobodyRetires);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await ingester.close();
}

const live = async ({ storage }: TestLake): Promise<number> =>
  (await storage.db.selectFrom('lake_file').select('id').where('state', '=', 'live').execute()).length;

/** What the manifest knows now; the answer makes it know that again. */
async function backUp({ storage: { db } }: TestLake): Promise<() => Promise<void>> {
  const files = await db.selectFrom('lake_file').selectAll().execute();
  const ranges = await db.selectFrom('covered_range').selectAll().execute();
  return async () => {
    await db.deleteFrom('lake_file').execute();
    await db.deleteFrom('covered_range').execute();
    await db.insertInto('lake_file').values(files).execute();
    await db.insertInto('covered_range').values(ranges).execute();
  };
}

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
      await land(blobs, recordLines(10, { timestamp: ago(100) }), { spool: spoolName(1) });
      await land(blobs, recordLines(10, { timestamp: ago(50) }), { spool: spoolName(2) });
      const both = [
        ...recordLines(4, { timestamp: ago(100) }),
        ...recordLines(6, { timestamp: ago(5) }),
        ...recordLines(1, { timestamp: 5 }),
      ];
      await land(blobs, both, { spool: spoolName(3) });
      const log = { type: 'v4-log', timestamp: ago(50) };
      await land(blobs, recordLines(3, log), { spool: spoolName(4), stream: 'logs' });
      await land(blobs, recordLines(3, { ...log, timestamp: ago(5) }), {
        spool: spoolName(5),
        stream: 'logs',
      });
      const other = { environment: 'f', spool: spoolName(6) };
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
      await land(blobs, recordLines(10, { timestamp: ago(100) }), { spool: spoolName(1) });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      assert.equal((await analytics.requestsCount(span)).total, 16);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
      await choose(lake, { records: 1, logs: 1 });
      await eventually(async () => (await lake.keys('lake/')).length === 1, within);
    });

    test('what came into quarantine goes with the days of its stream, and of its environment', async (t) => {
      const lake = await createTestLake(t, database);
      const bad = async (environment: string, stream: 'records' | 'logs', days: number): Promise<string> => {
        const name = spoolName((landed += 1));
        await land(lake.blobs, recordLines(3, { env_id: environment }), {
          environment,
          stream,
          spool: name,
          count: 4,
        });
        await ingested(lake);
        const [key = ''] = (await lake.keys('quarantine/')).filter((one) => one.includes(name));
        const writtenS = ago(days) / 1_000;
        await utimes(join(lake.dir, 'bucket', key), writtenS, writtenS);
        return key;
      };
      let landed = 0;
      const kept = [await bad('e', 'records', 9), await bad('f', 'records', 12), await bad('e', 'logs', 4)];
      await bad('e', 'records', 12);
      await bad('f', 'records', 31);
      await bad('e', 'logs', 7);
      await choose(lake, { records: 10, logs: 5 });
      await lake.start({ ...retiring, recordsKeptDays: 30 });
      await eventually(async () => (await lake.keys('quarantine/')).length <= kept.length, within);
      assert.deepEqual(await lake.keys('quarantine/'), kept.toSorted());
    });

    test('no environment keeps anything longer than the platform lets it, and a day goes as a whole', async (t) => {
      const lake = await createTestLake(t, database);
      const midnight = Date.now() - (Date.now() % dayMs);
      await land(lake.blobs, recordLines(1, { timestamp: midnight - 10 * dayMs }), { spool: spoolName(1) });
      await land(lake.blobs, recordLines(1, { timestamp: midnight - 10 * dayMs - 1 }), {
        spool: spoolName(2),
      });
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
      await land(lake.blobs, recordLines(5, { timestamp: ago(100) }));
      const both = [...recordLines(5, { timestamp: ago(100) }), ...recordLines(5, { timestamp: ago(5) })];
      await land(lake.blobs, both, { first: 5 });
      await ingested(lake);
      await choose(lake, { records: 90 });
      const restore = await backUp(lake);
      const ender = await lake.start(retiring);
      await settled(lake, 1, 5);
      await ender.close();
      await restore();

      const analytics = await lake.start(retiring);
      await settled(lake, 1, 5);
      assert.equal((await analytics.requestsCount(span)).total, 5);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
    });

    test('a rebuild over a database from before the choice, the time or the deletion misses what is missing and nothing else', async (t) => {
      const lake = await createTestLake(t, database);
      const { blobs, storage } = lake;
      const wishes = [
        { timestamp: ago(50) },
        { timestamp: ago(100) },
        { timestamp: ago(7), application_id: 'gone' },
        { timestamp: ago(5) },
        { timestamp: ago(6) },
      ];
      for (const [n, over] of wishes.entries())
        await land(blobs, recordLines(3, over), { spool: spoolName(n + 1) });
      await ingested(lake);
      const restore = await backUp(lake);
      await choose(lake, { records: 30 });
      const value = { subject: 'APPLICATION', value: 'gone', from_ms: null, to_ms: Date.now() } as const;
      const asked = { asked_by: 'u', asked_at_ms: Date.now(), late_until_ms: Date.now() };
      await storage.transaction((trx) => insertDeletion(trx, { ...at, id: 'd', ...value, ...asked }));
      const ender = await lake.start(retiring);
      await settled(lake, 2, 6);
      await ender.close();
      const [lost = ''] = await lake.keys('lake/');
      await blobs.delete(lost);
      await restore();
      await storage.db.deleteFrom('lake_retention').execute();

      const rebuilt = (isDryRun: boolean) =>
        rebuildLake({ ...lakeParts(lake, { recordsKeptDays: 90, keptDaysMax: 90 }), isDryRun });
      for (const isDryRun of [true, false]) {
        const { seen, ended, missing, adopted } = await rebuilt(isDryRun);
        assert.deepEqual({ seen, ended, missing, adopted }, { seen: 1, ended: 3, missing: 1, adopted: 0 });
      }
      assert.deepEqual(await lake.events(), [`records.file_missing ${lost}`]);
      assert.deepEqual((await rebuilt(false)).ended, 0);
      // What has ended counts nothing when it comes again; what is missing does.
      for (const [n, over] of wishes.entries())
        await land(blobs, recordLines(3, over), { spool: spoolName(n + 1) });
      const analytics = await lake.start(retiring);
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      assert.equal((await analytics.requestsCount(span)).total, 6);
      assert.deepEqual(await analytics.holes(at), []);
    });
  });

test('notes of what has ended are forgotten with the last backup that could need them, and a foreign one says nothing', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const ended = new EndedRanges(lake.blobs);
  const range = (first: number) => ({ spool: spoolName(1), gateway: 'g', hash8: '', first, last: first + 9 });
  await ended.note(at, [range(0)], 1_000);
  await ended.note(at, [range(20), range(30)], 2_000);
  await ended.note({ ...at, environment: 'f' }, [range(50)], 1_000);
  await ended.note(at, [], 3_000);
  await lake.blobs.put(`${endedFolder}org=o/env=e/000000000002500-x.json`, Buffer.from('{"format":1,'));
  assert.deepEqual(await ended.of(at), [range(0), { ...range(20), last: 39 }]);
  assert.equal(await ended.forget(2_000, 1), 1);
  assert.equal(await ended.forget(2_000, 100), 1);
  assert.deepEqual(await ended.of(at), [{ ...range(20), last: 39 }]);
});
