import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import {
  always,
  dice,
  failed,
  lineOf,
  ofA,
  ours,
  recordByRecord,
  rolledUp,
  rollups,
  theirs,
} from '../../../test/kit/lake/rolled-lake.ts';
import {
  assertMended,
  besideKeys,
  contains,
  dayOf,
  days,
  landDays,
  loseDaysBefore,
} from '../../../test/kit/lake/searched-days.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import type { Condition } from '../questions/conditions.ts';
import { figures } from '../questions/figures.ts';
import type { Span } from '../questions/from.ts';
import { type Asked, errorKeys, foundCalls, newestCalls } from '../questions/log-questions.ts';

type TestLake = Awaited<ReturnType<typeof createTestLake>>;

const perDay = 400;

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
  await landDays(lake, linesOf);
  return lake;
}

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
  const answered = async <Answer>(asked: Asked<Answer>, span: Span): Promise<Answer> => {
    const { question, params } = isPlain ? recordByRecord(asked) : asked;
    return analytics.ask(question, span, params);
  };
  for (const search of searches)
    for (const span of [always, { ...always, fromMs: dayOf(1) + 3, toMs: dayOf(2) + 5 }]) {
      for (const rows of [1, 25, 200]) {
        const { total, newest } = await answered(foundCalls(search, rows), span);
        all.push([search, total, newest]);
        if (newest === undefined) continue;
        const { fromMs, toMs } = newest;
        const places = isPlain ? undefined : newest.places;
        all.push(await answered(newestCalls(search, rows, { places }), { ...span, fromMs, toMs: toMs + 1 }));
      }
      all.push(await answered(errorKeys(search), span));
      const counted = figures({
        conditions: search,
        figures: [
          { of: 'requests', measure: 'COUNT' },
          { of: 'errors', measure: 'PERCENTAGE' },
        ],
        groupings: [{ by: 'API' }, { by: 'HTTP_STATUS_CODE_GROUP' }],
      });
      all.push(await answered(counted, span));
    }
  return all;
}

test('a search for a text in URIs finds in narrow copies what reading everything finds', async (t) => {
  const lake = await landed(t);
  const analytics = await rolledUp(lake, days);
  const expected = await answers(analytics, true);
  const check = async (asked: TestAnalytics): Promise<void> =>
    assert.deepEqual(await answers(asked, false), expected);
  await check(analytics);
  await analytics.close();
  await assertMended(lake, { beside: 'narrow', search: [contains('/pets/17')], check });
});

test('a text in URIs is looked for in no file that has a copy, and calls are read of those that hold them', async (t) => {
  const lake = await landed(t);
  await (await rolledUp(lake, days)).close();
  await loseDaysBefore(lake, 2);
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
    (await besideKeys(lake, 'narrow')).find((key) => key.includes(other?.id ?? '-')) ?? '',
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
  assert.deepEqual(await besideKeys(lake, 'narrow'), []);
  assert.equal((await rollups(lake))[0]?.narrow, undefined);
  const { question, params } = foundCalls([contains('only')], 25);
  assert.equal((await analytics.ask(question, always, params)).total, count);
});
