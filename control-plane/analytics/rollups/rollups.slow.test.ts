import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import {
  ours,
  theirs,
  hourMs,
  startMs,
  always,
  within,
  rolling,
  dice,
  lineOf,
  recordByRecord,
  recordsPerObject,
  landSome,
  rolledUp,
  rollups,
  counts,
  ofA,
  failed,
  wishes,
  spans,
  assertSame,
} from '../../../test/kit/lake/rolled-lake.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import type { Condition } from '../questions/conditions.ts';
import { customMetricNames } from '../questions/custom-metrics.ts';
import { figures } from '../questions/figures.ts';
import { type Asked, errorKeys, newestCalls } from '../questions/log-questions.ts';
import type { QuestionParams } from '../questions/question.ts';
import { requestsCount, responseStatusRanges } from '../questions/questions.ts';
import { besides } from './rollup-file.ts';

for (const database of testDatabases)
  describe(`figures of files on ${database.name}`, { skip: database.skip }, () => {
    test('counts, sums, least and most are those of the records, and percentiles at most 2 % away', async (t) => {
      const lake = await createTestLake(t, database);
      for (const day of [0, 1]) await landSome(lake, day, { dayMs: startMs + day * 24 * hourMs });
      // Of another tenant, which has other figures; and late ones, in a file that is too small for figures of its own.
      await landSome(lake, 3, { env_id: theirs.environment });
      await (await rolledUp(lake, 3)).close();
      const analytics = await lake.start();
      const late = Array.from({ length: 50 }, (_, n) => lineOf(dice(n), {}));
      await land(lake.blobs, late, { spool: randomBytes(16).toString('hex') });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      for (const span of spans) for (const wish of wishes) await assertSame(analytics, span, wish);
      for (const span of spans)
        for (const asked of [
          errorKeys([ofA]),
          errorKeys([]),
          customMetricNames([]),
          customMetricNames([ofA]),
        ] as const) {
          const exact = recordByRecord<unknown>(asked);
          assert.deepEqual(
            await analytics.ask<QuestionParams, unknown>(asked.question, span, asked.params),
            await analytics.ask(exact.question, span, exact.params),
          );
        }
      for (const question of [requestsCount, responseStatusRanges] as const)
        for (const span of spans)
          assert.deepEqual(
            await analytics.ask<{ readonly api: string }, unknown>(question, span, { api: 'a' }),
            await analytics.ask<{ readonly api: string }, unknown>({ ...question, rolled: undefined }, span, {
              api: 'a',
            }),
          );
    });
  });

test('the newest calls are those of the whole span, however far back they lie', async (t) => {
  const lake = await createTestLake(t, sqlite);
  for (const day of [0, 1, 9, 30]) await landSome(lake, day, { dayMs: startMs + day * 24 * hourMs });
  const rare: Condition = { by: 'REQUEST_ID', operator: 'CONTAINS', values: ['777'] };
  const analytics = await rolledUp(lake, 4);
  const oldest = { ...ours, fromMs: startMs, toMs: startMs + 2 * hourMs };
  for (const span of [always, oldest, { ...always, fromMs: startMs + 12 * hourMs }])
    for (const conditions of [[], [ofA, failed], [rare]])
      for (const [rows, total] of [[1], [25], [25, 30], [5_000, 9_000]] as const) {
        const { question, params } = newestCalls(conditions, rows, { total });
        const found = await analytics.ask(question, span, params);
        const plain = { ...question, newestFirst: undefined };
        assert.deepEqual(
          found,
          await analytics.ask(plain, span, params),
          JSON.stringify({ span, conditions, rows }),
        );
        assert.ok(found.length > 0);
      }
});

test('what figures answer is not read of the files', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  await (await rolledUp(lake, 1)).close();
  for (const key of await lake.keys('lake/')) await lake.blobs.delete(key);
  const reader = await lake.start({ ingest: false }, { dir: join(lake.dir, 'elsewhere') });
  const ask = async <Answer>({ question, params }: Asked<Answer>): Promise<Answer> =>
    reader.ask(question, always, params);
  for (const wish of wishes) {
    await assert.doesNotReject(ask(figures(wish)), JSON.stringify(wish));
  }
  assert.deepEqual(await ask(customMetricNames([])), ['custom.tenant', 'custom.items']);
  assert.deepEqual(await ask(errorKeys([])), ['API_KEY_INVALID']);
  // What no figures tell is asked of the file, which is gone.
  const ofPath = figures({
    conditions: [{ by: 'HTTP_PATH', operator: 'EQ', values: ['/'] }],
    figures: counts,
  });
  await assert.rejects(ask(ofPath), { code: 'analytics.failed' });
});

test('figures that are gone, cut or damaged cost nobody an answer, and are written anew', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  await (await rolledUp(lake, 1)).close();
  const [key = ''] = await lake.keys('rollups/');
  const good = await lake.blobs.get(key);
  assert.ok(good !== undefined);
  const count = async (analytics: TestAnalytics): Promise<number | undefined> => {
    const { question, params } = figures({ conditions: [], figures: counts });
    return (await analytics.ask(question, always, params)).steps.get(0)?.figures[0];
  };
  const harms = [
    () => lake.blobs.delete(key),
    () => lake.blobs.put(key, good.subarray(0, 100)),
    () => lake.blobs.put(key, Buffer.from(good).fill(0x55, 4, good.length - 40)),
  ];
  for (const [n, harm] of harms.entries()) {
    await harm();
    const analytics = await lake.start(rolling, { dir: join(lake.dir, `analytics-${n}`) });
    assert.equal(await count(analytics), recordsPerObject);
    await eventually(async () => {
      const bytes = await lake.blobs.get(key);
      return bytes !== undefined && Buffer.from(bytes).equals(good);
    }, within);
    assert.equal(await count(analytics), recordsPerObject);
    await analytics.close();
  }
  assert.deepEqual(await lake.events(), [], 'nothing of it is a record that is missing');
});

test('an ingester that is killed between any two steps leaves the figures to the next one', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  const ingester = await lake.start();
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await ingester.close();
  const main = join(import.meta.dirname, '../../../test/kit/control-plane/ingester-main.ts');
  for (const step of ['written', 'durable', 'committed']) {
    const child = startNode(t, [main, lake.dir, `rollup ${step}`]);
    assert.equal(await child.ended, -1, `killed at ${step}: ${child.output()}`);
    assert.equal((await rollups(lake)).length, step === 'committed' ? 1 : 0);
  }
  const analytics = await lake.start(rolling);
  await assertSame(analytics, always, { conditions: [], figures: counts });
  assert.equal((await lake.keys('rollups/')).length, besides.length);
});

test('a file that is merged takes its figures with it, and what it became gets its own', async (t) => {
  const lake = await createTestLake(t, sqlite);
  for (const seed of [1, 2]) await landSome(lake, seed);
  const analytics = await lake.start({ ...rolling, objectsPerFileMax: 1 });
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  const isMerged = async (): Promise<boolean> => {
    const [files, own] = [await lake.keys('lake/'), await lake.keys('rollups/')];
    const nameOf = (key: string | undefined): string | undefined => key?.split('/').at(-1);
    return files.length === 1 && own.length === besides.length && nameOf(files[0]) === nameOf(own[0]);
  };
  await eventually(isMerged, within);
  await assertSame(analytics, always, { conditions: [], figures: counts });
});

test('figures of a file that an older version has deleted are swept, and those of another version', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  await (await rolledUp(lake, 1)).close();
  const [key = ''] = await lake.keys('rollups/');
  const left = key.replace(/[0-9a-f]{8}-/, '00000000-');
  await lake.blobs.put(left, Buffer.from('left'));
  for (const end of ['sieve', 'narrow']) await lake.blobs.put(`${left}.${end}`, Buffer.from('left'));
  await lake.blobs.put(key.replace(/\/v\d+\//, '/v999/'), Buffer.from('left'));
  await lake.start(rolling);
  await eventually(async () => (await lake.keys('rollups/')).length === besides.length, within);
  assert.deepEqual(await lake.keys('rollups/'), [key, `${key}.narrow`, `${key}.sieve`]);
});

test('figures by the rules of another version count as none, and are written anew', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  await (await rolledUp(lake, 1)).close();
  await lake.storage.db.updateTable('lake_file').set({ rollup: '{"format":999,"cubes":[]}' }).execute();
  const reader = await lake.start({ ingest: false });
  await assertSame(reader, always, { conditions: [], figures: counts });
  await rolledUp(lake, 1);
});

test('figures name nothing of one tenant to another', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  await landSome(lake, 2, { env_id: theirs.environment, api_id: 'secret' });
  const analytics = await rolledUp(lake, 2);
  const { question, params } = figures({ conditions: [], figures: counts, groupings: [{ by: 'API' }] });
  const keysOf = async (): Promise<readonly (string | undefined)[]> =>
    ((await analytics.ask(question, always, params)).steps.get(0)?.groups ?? [])
      .map(({ key }) => key)
      .toSorted((one, two) => ((one ?? '') < (two ?? '') ? -1 : 1));
  assert.deepEqual(await keysOf(), ['a', 'b']);
  const rows = await lake.storage.db
    .selectFrom('lake_file')
    .select(['id', 'environment', 'rollup'])
    .execute();
  const [mine, other] = [ours, theirs].map(({ environment }) =>
    rows.find((row) => row.environment === environment),
  );
  assert.ok(mine !== undefined && other !== undefined);
  // As if somebody had put the figures of one environment in the place of those of another.
  const foreign = await lake.blobs.get(
    (await lake.keys('rollups/')).find((key) => key.includes(other.id)) ?? '',
  );
  assert.ok(foreign !== undefined);
  await writeFile(join(lake.dir, 'analytics', 'rollup-cache', `${mine.id}.parquet`), foreign);
  assert.deepEqual(await keysOf(), []);
});
