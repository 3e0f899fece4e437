import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createLog } from '../../../proto/process/log.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import {
  ours,
  hourMs,
  startMs,
  always,
  within,
  rolling,
  dice,
  lineOf,
  recordsPerObject,
  landSome,
  rolledUp,
  rollups,
  times,
  counts,
  wishes,
  assertSame,
} from '../../../test/kit/lake/rolled-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import { customMetricNames } from '../questions/custom-metrics.ts';
import { figures } from '../questions/figures.ts';
import { errorKeys } from '../questions/log-questions.ts';
import type { QuestionParams } from '../questions/question.ts';
import { insertDeletion } from '../retention/deletions.store.ts';

/** A log, and how many of its lines say something. */
function toldBy() {
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, told: (words: RegExp): number => lines.filter((line) => words.test(line)).length };
}

/** Lets something happen once, between figures that are in the bucket and the lake that does not know of them. */
function atFirstFigures(happens: () => Promise<unknown>) {
  let isOver = false;
  return async (step: string): Promise<void> => {
    if (step !== 'rollup durable' || isOver) return;
    await happens();
    isOver = true;
  };
}

test('records are ingested while figures are written', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  const held = Promise.withResolvers<void>();
  t.after(() => held.resolve());
  let isHeld = false;
  const onStep = async (step: string): Promise<void> => {
    if (step !== 'rollup written') return;
    isHeld = true;
    await held.promise;
  };
  const analytics = await lake.start({ ...rolling, objectsPerFileMax: 1 }, { onStep });
  await eventually(() => isHeld, within);
  await landSome(lake, 2);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  assert.deepEqual(await rollups(lake), []);
  await assertSame(analytics, always, { conditions: [], figures: counts });
  held.resolve();
  await eventually(async () => (await rollups(lake)).length > 0, within);
});

test('figures that were under way when their file was replaced are not left in the bucket, and nobody is warned of them', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  const { log, told } = toldBy();
  const onStep = atFirstFigures(() =>
    lake.storage.db.updateTable('lake_file').set({ state: 'retired' }).execute(),
  );
  await lake.start({ ...rolling, graceMs: 3_600_000 }, { onStep, log });
  await eventually(() => told(/left the lake while its figures were written/) === 1, within);
  assert.deepEqual(await lake.keys('rollups/'), []);
  assert.deepEqual(await rollups(lake), []);
  // Rounds go on, and the next file gets its own.
  await landSome(lake, 2);
  await eventually(async () => (await rollups(lake)).length === 1, within);
  assert.equal(told(/could not be written/), 0);
});

test('figures that could not be kept since the lease was lost are warned of', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1);
  const { log, told } = toldBy();
  const onStep = atFirstFigures(() => {
    const another = { holder: 'another', expires_at_ms: Date.now() + 3_600_000 };
    return lake.storage.db.updateTable('lease').set(another).where('name', '=', 'ingester').execute();
  });
  await lake.start(rolling, { onStep, log });
  await eventually(() => told(/figures of files of the lake could not be written/) === 1, within);
  assert.equal(told(/left the lake/), 0);
  assert.deepEqual(await rollups(lake), []);
});

test('whoever was asked to be deleted stands in no answer, before there are new figures and after', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landSome(lake, 1, { application_id: 'kept' });
  const his = {
    application_id: 'gone',
    api_id: 'his',
    error_key: 'HIS',
    subscription_id: 'his',
    status: 418,
  };
  const both = Array.from({ length: 3_000 }, (_, n) =>
    lineOf(dice(n), n % 2 === 0 ? his : {}, startMs + 24 * hourMs),
  );
  await land(lake.blobs, both, { spool: randomBytes(16).toString('hex') });
  await landSome(lake, 3, { ...his, custom_metrics: '{"his":"1"}', dayMs: startMs + 48 * hourMs });
  const before = await rolledUp(lake, 3);
  const ofGroup = async (
    analytics: TestAnalytics,
    by: 'APPLICATION' | 'API' | 'ERROR_KEY' | 'SUBSCRIPTION',
  ) => {
    const { question, params } = figures({ conditions: [], figures: [...times], groupings: [{ by }] });
    const all = (await analytics.ask(question, always, params)).steps.get(0);
    return { keys: (all?.groups ?? []).map(({ key }) => key), count: all?.figures[0] };
  };
  assert.ok((await ofGroup(before, 'APPLICATION')).keys.includes('gone'));
  await before.close();
  const asked = { asked_by: 'u', asked_at_ms: 1, late_until_ms: 1, from_ms: null, to_ms: Date.now() };
  await lake.storage.transaction((trx) =>
    insertDeletion(trx, { ...ours, id: 'd', subject: 'APPLICATION', value: 'gone', ...asked }),
  );
  for (const settings of [{ rollupRecordsMin: 1_000_000 }, { rollupRecordsMin: 1 }]) {
    const analytics = await lake.start({ ...rolling, ...settings, retireEveryMs: 1 });
    await eventually(async () => (await lake.keys('lake/')).length === 2, within);
    if (settings.rollupRecordsMin === 1)
      await eventually(async () => (await rollups(lake)).length === 2, within);
    for (const by of ['APPLICATION', 'API', 'ERROR_KEY', 'SUBSCRIPTION'] as const) {
      const { keys, count } = await ofGroup(analytics, by);
      assert.ok(!keys.some((key) => ['gone', 'his', 'HIS'].includes(key ?? '')), `${by}: ${keys.join()}`);
      assert.equal(count, recordsPerObject + 1_500);
    }
    for (const wish of wishes.filter((_, n) => n % 6 === 0)) await assertSame(analytics, always, wish);
    assert.deepEqual(
      await analytics.ask<QuestionParams, unknown>(errorKeys([]).question, always, errorKeys([]).params),
      ['API_KEY_INVALID'],
    );
    const names = customMetricNames([]);
    assert.ok(!(await analytics.ask(names.question, always, names.params)).includes('custom.his'));
    await analytics.close();
  }
});

test('a number with few values does not cost the others their bins', async (t) => {
  const lake = await createTestLake(t, sqlite);
  // 800 rows of response times, and hardly any of the other two numbers; three times as many would be more than there may be.
  const roll = dice(1);
  const lines = Array.from({ length: recordsPerObject }, (_, n) =>
    lineOf(roll, {
      application_id: n % 2 === 0 ? 'one' : 'two',
      gateway_response_time_us: Math.ceil(1_000 * 1.02 ** Math.floor(roll() * 400)),
      gateway_latency_us: 300,
      endpoint_response_time_us: undefined,
    }),
  );
  await land(lake.blobs, lines, { spool: randomBytes(16).toString('hex') });
  await rolledUp(lake, 1);
  const [own] = await rollups(lake);
  const rows = own?.cubes['application-bins'] ?? 0;
  assert.ok(rows > recordsPerObject / 9, `bins of applications have ${rows} rows`);
  assert.ok(rows < recordsPerObject / 4);
});
