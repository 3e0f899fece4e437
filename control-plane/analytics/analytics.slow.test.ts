import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test as inBothRuns } from 'node:test';
import fc from 'fast-check';
import { isLongRun, shortTest as test, testOnce } from '../../test/kit/long-run.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { sealParcel } from '../../proto/wire/parcel.ts';
import { land, landBytes, recordLine } from '../../test/kit/control-plane/landing.ts';
import { startNode } from '../../test/kit/processes/processes.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { createTestLake, recordLines } from '../../test/kit/control-plane/test-lake.ts';
import { createDuck } from './duck.ts';
import { holes, uncovered } from './ranges.ts';

const at = { organization: 'o', environment: 'e' };
// Each look is a question, which costs more than a look at a variable.
const within = { timeoutMs: 20_000, everyMs: 100 };
const span = { ...at, api: 'a', fromMs: 1_700_000_000_000, toMs: 1_700_000_001_000 };
for (const database of testDatabases) {
  // What an object is worth is decided before a database hears of it: on PostgreSQL the long run asks again.
  describe(`the lake on ${database.name}`, { skip: database.skip }, () => {
    test('what lands is counted once by span, status and entrypoint, and its landing object is deleted', async (t) => {
      const lake = await createTestLake(t, database);
      await land(lake.blobs, [
        ...recordLines(3),
        '{}',
        recordLine({ status: 404 }),
        recordLine({ status: 0 }),
      ]);
      await land(
        lake.blobs,
        [
          ...recordLines(2, { api_id: 'b' }),
          recordLine({ timestamp: span.toMs }),
          '{"type":"gap","org_id":"o","env_id":"e","timestamp":1800000000000,"dropped":7}',
        ],
        { first: 6 },
      );
      const analytics = await lake.start();
      await eventually(async () => (await analytics.requestsCount(span)).total === 5, within);
      assert.deepEqual(await analytics.requestsCount(span), {
        total: 5,
        countsByEntrypoint: { 'http-proxy': 5 },
      });
      const { ranges, rangesByEntrypoint } = await analytics.responseStatusRanges(span);
      const expected = {
        '100.0-200.0': 0,
        '200.0-300.0': 3,
        '300.0-400.0': 0,
        '400.0-500.0': 1,
        '500.0-600.0': 0,
      };
      assert.deepEqual(ranges, expected);
      assert.deepEqual(rangesByEntrypoint, { 'http-proxy': expected });
      assert.equal((await analytics.requestsCount({ ...span, api: 'b' })).total, 2);
      assert.equal((await analytics.requestsCount({ ...span, organization: 'other' })).total, 0);
      assert.equal((await analytics.requestsCount({ ...span, api: "x' OR 1=1 --" })).total, 0);
      await eventually(async () => (await lake.keys('landing/')).length === 0);
      assert.equal((await lake.keys('lake/v1/org=o/env=e/')).length, 1);
    });

    testOnce(database)('repeated, overlapping and contradicting ranges count each offset once', async (t) => {
      const lake = await createTestLake(t, database);
      const all = recordLines(30).map((line, n) => line.replace('"r"', `"r${n}"`));
      await land(lake.blobs, all.slice(5, 15), { first: 5 });
      await land(lake.blobs, all.slice(0, 10), { first: 0 });
      await land(lake.blobs, all.slice(20, 25), { first: 20 });
      const analytics = await lake.start();
      const total = async (): Promise<number> => (await analytics.requestsCount(span)).total;
      await eventually(async () => (await total()) === 20, within);
      assert.deepEqual(await analytics.holes(at), [
        { spool: '00112233445566778899aabbccddeeff', gateway: 'g', holes: [{ first: 15, last: 19 }] },
      ]);
      await land(lake.blobs, all.slice(20, 25), { first: 20 });
      await land(lake.blobs, all.slice(2, 28), { first: 2 });
      await land(lake.blobs, recordLines(5, { status: 500 }), { first: 20 });
      await eventually(async () => (await lake.keys('landing/')).length === 0);
      assert.equal(await total(), 28);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), [
        'records.quarantined its range arrived before with other content',
      ]);
      assert.equal((await lake.keys('quarantine/landing/')).length, 1);
      assert.equal((await analytics.responseStatusRanges(span)).ranges['500.0-600.0'], 0);
    });

    testOnce(database)(
      'a landing object copied under a free range, or to another gateway, counts nothing and is named',
      async (t) => {
        const lake = await createTestLake(t, database);
        const original = await land(lake.blobs, recordLines(3), { first: 0 });
        const bytes = await lake.blobs.get(original);
        assert.ok(bytes !== undefined);
        for (const copy of [
          original.replace('/0-2-', '/3-5-'),
          original.replace('gateway=g', 'gateway=h').replace('/0-2-', '/6-8-'),
        ])
          await lake.blobs.put(copy, bytes);
        const analytics = await lake.start();
        await eventually(async () => (await lake.keys('landing/')).length === 0, within);
        assert.equal((await analytics.requestsCount(span)).total, 3);
        const said = `records.quarantined it is a copy of ${original}`;
        assert.deepEqual(await lake.events(), [said, said]);
        assert.equal((await lake.keys('quarantine/landing/')).length, 2);
      },
    );

    testOnce(database)('objects that are not what their key says go to quarantine alone', async (t) => {
      const lake = await createTestLake(t, database);
      await land(lake.blobs, recordLines(3, { org_id: 'victim' }), { first: 10 });
      await land(lake.blobs, recordLines(3), { first: 20, count: 4 });
      await land(lake.blobs, recordLines(3), { first: 30, hash8: '00000000' });
      const junk = Buffer.from('no zstd at all');
      await landBytes(lake.blobs, { first: 40, last: 41 }, (place) => sealParcel(place, junk));
      await landBytes(lake.blobs, { first: 50, last: 51 }, () => junk);
      await lake.blobs.put('landing/v1/stranger.txt', junk);
      await land(lake.blobs, recordLines(3), { first: 0 });
      const analytics = await lake.start();
      await eventually(async () => (await analytics.requestsCount(span)).total === 3, within);
      // What is no landing object, and what may be half of one that comes again.
      await eventually(async () => (await lake.keys('landing/')).length === 2, within);
      await eventually(async () => (await lake.events()).length === 5, within);
      assert.deepEqual(
        (await lake.events()).toSorted((a, b) => (a < b ? -1 : 1)),
        [
          'records.quarantined it cannot be read',
          'records.quarantined it does not say whose lines it holds',
          'records.quarantined it holds records of another tenant',
          'records.quarantined its bytes are not those that its key names',
          'records.quarantined its lines are not as many as its key says',
        ],
      );
      assert.equal((await analytics.requestsCount({ ...span, organization: 'victim' })).total, 0);
    });

    // Every step is a process: on PostgreSQL the short run kills on both sides of the commit, the long one everywhere.
    const isSample = database.name === 'postgres' && !isLongRun;
    const steps = isSample
      ? ['durable', 'committed']
      : ['named', 'converted', 'durable', 'committed', 'deleted'];
    const killing = database.name === 'postgres' ? inBothRuns : test;
    const between = isSample ? 'before and after the commit' : 'between any two steps';
    killing(
      `an ingester that is killed ${between} leaves nothing uncounted and nothing counted twice`,
      async (t) => {
        const lake = await createTestLake(t, database);
        let landed = 0;
        for (const step of steps) {
          await land(lake.blobs, recordLines(7), { first: landed });
          await land(lake.blobs, recordLines(3), { first: landed + 7 });
          landed += 10;
          const main = join(import.meta.dirname, '../../test/kit/control-plane/ingester-main.ts');
          const child = startNode(t, [main, lake.dir, step, ...(lake.url === undefined ? [] : [lake.url])]);
          assert.equal(await child.ended, -1, `killed at ${step}: ${child.output()}`);
        }
        const analytics = await lake.start();
        await eventually(async () => (await analytics.requestsCount(span)).total === landed, within);
        await eventually(async () => (await lake.keys('landing/')).length === 0, within);
        assert.equal((await analytics.requestsCount(span)).total, landed);
        const files = await lake.storage.db.selectFrom('lake_file').select(['state', 'object_key']).execute();
        assert.deepEqual(
          (await lake.keys('lake/')).toSorted((a, b) => (a < b ? -1 : 1)),
          files.map(({ object_key }) => object_key).toSorted((a, b) => (a < b ? -1 : 1)),
        );
        assert.ok(files.every(({ state }) => state === 'live'));
      },
    );

    test('of several ingesters on one database one works at a time', async (t) => {
      const lake = await createTestLake(t, database);
      const all = await Promise.all(
        [lake.start(), lake.start(), lake.start()].map(async (started) => started),
      );
      for (let n = 0; n < 10; n++) await land(lake.blobs, recordLines(5), { first: n * 5 });
      const [analytics] = all;
      assert.ok(analytics);
      await eventually(async () => (await analytics.requestsCount(span)).total === 50, within);
      await eventually(async () => (await lake.keys('landing/')).length === 0);
      for (const one of all) assert.equal((await one.requestsCount(span)).total, 50);
    });
  });
}

test('a query that takes too long is killed, one too many is refused, and the next one runs', async (t) => {
  const duck = createDuck({
    dir: tempDir(t),
    spillsDir: tempDir(t),
    spillBytesMax: 64_000_000,
    memoryBytesMax: 128_000_000,
    threads: 1,
    timeoutMs: 1_500,
    queueMax: 2,
  });
  t.after(() => duck.close());
  const endless = duck.query('SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c');
  const second = duck.query('SELECT 1 AS one');
  await assert.rejects(async () => duck.query('SELECT 2'), { code: 'analytics.overloaded' });
  await assert.rejects(endless, { code: 'analytics.failed' });
  assert.deepEqual(await second, [{ one: 1 }]);
  await assert.rejects(duck.query("SELECT * FROM read_text('/etc/passwd')"), { code: 'analytics.failed' });
});

test('what is uncovered and what is covered make up the range, without overlap', () => {
  const range = fc.tuple(fc.nat(50), fc.nat(10)).map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 8 }), (wanted, covered) => {
      const isIn = (offset: number, ranges: readonly { first: number; last: number }[]): number =>
        ranges.filter(({ first, last }) => first <= offset && offset <= last).length;
      const parts = uncovered(wanted, covered);
      for (let offset = 0; offset <= 70; offset++) {
        const expected = isIn(offset, [wanted]) === 1 && isIn(offset, covered) === 0 ? 1 : 0;
        assert.equal(isIn(offset, parts), expected);
      }
    }),
  );
  assert.deepEqual(holes([]), []);
});
