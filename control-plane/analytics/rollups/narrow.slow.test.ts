import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import {
  always,
  dice,
  failed,
  hourMs,
  lineOf,
  ofA,
  ours,
  rolledUp,
  rolling,
  rollups,
  startMs,
  theirs,
  within,
} from '../../../test/kit/lake/rolled-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import type { Condition } from '../questions/conditions.ts';
import { figures } from '../questions/figures.ts';
import { errorKeys, foundCalls, newestCalls } from '../questions/log-questions.ts';

type TestLake = Awaited<ReturnType<typeof createTestLake>>;

const days = 3;
const perDay = 400;
const dayOf = (n: number): number => startMs + n * 24 * hourMs;

/** Some of one moment, which a page ends within; some that no API took; one path of which there is one. */
const linesOf = (day: number): readonly string[] => {
  const roll = dice(day);
  return Array.from({ length: perDay }, (_, n) =>
    lineOf(
      roll,
      {
        request_id: `r-${day}-${n}`,
        timestamp: dayOf(day) + Math.floor(n / 40),
        uri: n === 7 ? `/Only/${day}` : n % 50 === 0 ? undefined : `/Pets/${day}${n}?q=\u00c4&Page=${n % 3}`,
        ...(n % 9 === 0 && { api_id: undefined }),
      },
      dayOf(day),
    ),
  );
};

async function landed(t: TestContext): Promise<TestLake> {
  const lake = await createTestLake(t, sqlite);
  for (let day = 0; day < days; day += 1)
    await land(lake.blobs, linesOf(day), { ...ours, spool: String(day).padStart(32, '0') });
  return lake;
}

const contains = (text: string): Condition => ({ by: 'URI', operator: 'CONTAINS', values: [text] });

const searches: readonly (readonly Condition[])[] = [
  [contains('/pets/17')],
  [contains('PETS')],
  [contains('=\u00e4&p')],
  [contains('\u00c4')],
  [contains('%')],
  [contains("' OR true --")],
  [contains('')],
  [contains('only/1')],
  [contains('only'), contains('/2')],
  [contains('pets'), ofA],
  [contains('page=1'), failed, ofA],
  [contains('pets'), { by: 'HTTP_METHOD', operator: 'IN', values: ['OTHER', 'GET'] }],
  [contains('pets'), { by: 'ERROR_KEY', operator: 'CONTAINS', values: ['key'] }],
  [contains('pets'), { by: 'APPLICATION', operator: 'EQ', values: ['one'] }],
  [contains('pets'), { by: 'ENTRYPOINT', operator: 'EQ', values: ['http-proxy'] }],
  // What no copy tells.
  [contains('pets'), { by: 'REQUEST_ID', operator: 'CONTAINS', values: ['-1'] }],
  [contains('pets'), { by: 'HTTP_PATH', operator: 'EQ', values: ['/Pets/11'] }],
];

/** What the log and a dashboard ask of each search: out of narrow copies and known places, or of all records. */
async function answers(analytics: TestAnalytics, isPlain: boolean): Promise<unknown[]> {
  const all: unknown[] = [];
  const plain = isPlain ? { isNarrow: false } : {};
  for (const search of searches)
    for (const span of [always, { ...always, fromMs: dayOf(1) + 3, toMs: dayOf(2) + 5 }]) {
      for (const rows of [1, 25, 200]) {
        const found = foundCalls(search, rows);
        const { total, newest } = await analytics.ask({ ...found.question, ...plain }, span, found.params);
        all.push([search, total, newest]);
        if (newest === undefined) continue;
        const places = isPlain ? undefined : newest.places;
        const { question, params } = newestCalls(search, rows, { places });
        all.push(
          await analytics.ask(question, { ...span, fromMs: newest.fromMs, toMs: newest.toMs + 1 }, params),
        );
      }
      const keys = errorKeys(search);
      all.push(await analytics.ask({ ...keys.question, ...plain }, span, keys.params));
      const counted = figures({
        conditions: search,
        figures: [
          { of: 'requests', measure: 'COUNT' },
          { of: 'errors', measure: 'PERCENTAGE' },
        ],
        groupings: [{ by: 'API' }, { by: 'HTTP_STATUS_CODE_GROUP' }],
      });
      all.push(await analytics.ask({ ...counted.question, ...plain }, span, counted.params));
    }
  return all;
}

const narrowOf = (keys: readonly string[]): readonly string[] =>
  keys.filter((key) => key.endsWith('.narrow'));

test('a search for a text in URIs finds in narrow copies what reading everything finds', async (t) => {
  const lake = await landed(t);
  const analytics = await rolledUp(lake, days);
  const expected = await answers(analytics, true);
  assert.deepEqual(await answers(analytics, false), expected);
  await analytics.close();

  // One that has none yet is read; one whose copy is gone and one whose copy is damaged too, and they get theirs anew.
  await lake.storage.db
    .updateTable('lake_file')
    .set({ rollup: null })
    .where('max_ms', '<', dayOf(1))
    .execute();
  const copies = narrowOf(await lake.keys('rollups/'));
  assert.equal(copies.length, days);
  const good = await Promise.all(copies.map(async (key) => lake.blobs.get(key)));
  for (const [n, key] of copies.entries())
    if (n === 0) await lake.blobs.delete(key);
    else await lake.blobs.put(key, Buffer.alloc(good[n]?.length ?? 0, 0x55));
  const reader = await lake.start({ ...rolling, ingest: false }, { dir: join(lake.dir, 'elsewhere') });
  assert.deepEqual(await answers(reader, false), expected);
  const mender = await lake.start(rolling, { dir: join(lake.dir, 'mender') });
  const [asked] = searches.map((search) => foundCalls(search, 25));
  assert.ok(asked !== undefined);
  await eventually(async () => {
    await mender.ask(asked.question, always, asked.params);
    const now = await Promise.all(copies.map(async (key) => lake.blobs.get(key)));
    return now.every(
      (bytes, n) => bytes !== undefined && Buffer.from(bytes).equals(good[n] ?? new Uint8Array()),
    );
  }, within);
  assert.deepEqual(await answers(mender, false), expected);
  assert.deepEqual(await lake.events(), [], 'nothing of it is a record that is missing');
});

test('a text in URIs is looked for in no file that has a copy, and calls are read of those that hold them', async (t) => {
  const lake = await landed(t);
  await (await rolledUp(lake, days)).close();
  const gone = await lake.storage.db
    .selectFrom('lake_file')
    .select('object_key')
    .where('min_ms', '<', dayOf(2))
    .execute();
  for (const { object_key } of gone) await lake.blobs.delete(object_key);
  const reader = await lake.start({ ingest: false }, { dir: join(lake.dir, 'elsewhere') });
  const only = foundCalls([contains('only')], 25);
  const { total, newest } = await reader.ask(only.question, always, only.params);
  assert.equal(total, days);
  assert.deepEqual(newest?.places?.map(({ atMs }) => atMs).toSorted(), [dayOf(0), dayOf(1), dayOf(2)]);
  const places = newest?.places?.filter(({ atMs }) => atMs >= dayOf(2));
  const { question, params } = newestCalls([contains('only')], 25, { places });
  const rows = await reader.ask(question, always, params);
  assert.deepEqual(
    rows.map((row) => row['uri']),
    ['/Only/2'],
  );
  const all = newestCalls([contains('only')], 25, { places: newest?.places });
  await assert.rejects(reader.ask(all.question, always, all.params), { code: 'analytics.failed' });
});

test('a narrow copy names nothing of one tenant to another', async (t) => {
  const lake = await landed(t);
  const secrets = Array.from({ length: perDay }, (_, n) =>
    lineOf(dice(n), { env_id: theirs.environment, uri: '/only/secret' }),
  );
  await land(lake.blobs, secrets, { ...theirs, spool: randomBytes(16).toString('hex') });
  const analytics = await rolledUp(lake, days + 1);
  const { question, params } = foundCalls([contains('only')], 25);
  const total = async (): Promise<number> => (await analytics.ask(question, always, params)).total;
  assert.equal(await total(), days);
  const rows = await lake.storage.db.selectFrom('lake_file').select(['id', 'environment']).execute();
  const other = rows.find(({ environment }) => environment === theirs.environment);
  const foreign = await lake.blobs.get(
    narrowOf(await lake.keys('rollups/')).find((key) => key.includes(other?.id ?? '-')) ?? '',
  );
  assert.ok(foreign !== undefined);
  // As if somebody had put the copies of one environment in the place of those of another.
  for (const { id } of rows)
    await writeFile(join(lake.dir, 'analytics', 'narrow-cache', `${id}.parquet`), foreign);
  assert.equal(await total(), 0);
});

test('a narrow copy that would be larger than its file is left out, and the file is read', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const count = 3_000;
  const lines = Array.from({ length: count }, (_, n) =>
    lineOf(dice(n), { uri: `/Only/${randomBytes(300).toString('hex')}` }),
  );
  await land(lake.blobs, lines, { ...ours, spool: randomBytes(16).toString('hex') });
  const analytics = await rolledUp(lake, 1);
  assert.deepEqual(narrowOf(await lake.keys('rollups/')), []);
  assert.equal((await rollups(lake))[0]?.narrow, undefined);
  const { question, params } = foundCalls([contains('only')], 25);
  assert.equal((await analytics.ask(question, always, params)).total, count);
});
