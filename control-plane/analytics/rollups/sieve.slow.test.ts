import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import {
  always,
  dice,
  hourMs,
  lineOf,
  ofA,
  ours,
  rolledUp,
  rolling,
  startMs,
  within,
} from '../../../test/kit/lake/rolled-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import type { Condition } from '../questions/conditions.ts';
import { figures } from '../questions/figures.ts';
import {
  apiCallSteps,
  type Asked,
  calls,
  callsBehind,
  errorKeys,
  foundCalls,
  newestCalls,
} from '../questions/log-questions.ts';
import { sievedValuesMax } from './sieve.ts';

const days = 3;
const perDay = 300;
const dayOf = (n: number): number => startMs + n * 24 * hourMs;

/** A request that says something of its own, and something that all of its day say. */
const textsOf = (day: number, n: number): Record<string, string | undefined> => ({
  request_id: `r-${day}-${n}`,
  transaction_id: `t-${day}-${n % 7}`,
  remote_address: n % 2 === 0 ? `10.0.${day}.1` : undefined,
  host: `day${day}.example.com`,
  endpoint: 'http://backend',
  user_agent: `curl/${day}`,
  mapped_path: day === 1 ? '/pets/:id' : undefined,
  uri: `/Pets/${day}${n}?q=\u00c4`,
});

const linesOf = (day: number): readonly string[] => {
  const roll = dice(day);
  return Array.from({ length: perDay }, (_, n) => lineOf(roll, textsOf(day, n), dayOf(day)));
};

async function landDays(lake: Awaited<ReturnType<typeof createTestLake>>): Promise<void> {
  for (let day = 0; day < days; day += 1)
    await land(lake.blobs, linesOf(day), { ...ours, spool: String(day).padStart(32, '0') });
}

const by = (dimension: Condition['by'], ...values: string[]): Condition => ({
  by: dimension,
  operator: values.length === 1 ? 'EQ' : 'IN',
  values,
});
const contains = (text: string): Condition => ({ by: 'URI', operator: 'CONTAINS', values: [text] });
const many = Array.from({ length: sievedValuesMax }, (_, n) => `r-1-${n}`);

/** Of every column that a sieve has, of several of them, and of what none can tell. */
const searches: readonly (readonly Condition[])[] = [
  [by('REQUEST_ID', 'r-1-7')],
  [by('REQUEST_ID', 'r-1-7', 'r-2-8', 'nobody')],
  [by('REQUEST_ID', ...many)],
  [by('REQUEST_ID', ...many, 'r-2-1')],
  [{ by: 'REQUEST_ID', operator: 'IN', values: [] }],
  [by('REQUEST_ID', "' OR true --")],
  [by('TRANSACTION_ID', 't-0-3')],
  [by('CONSUMER_IP', '10.0.2.1')],
  [by('HOST', 'day1.example.com'), ofA],
  [by('HOST', 'DAY1.example.com')],
  [by('ENDPOINT', 'http://backend'), by('USER_AGENT', 'curl/2')],
  [by('HTTP_PATH_MAPPING', '/pets/:id'), by('REQUEST_ID', 'r-0-1', 'r-1-1')],
  [by('HOST', 'day0.example.com'), by('USER_AGENT', 'curl/2')],
  [{ by: 'REQUEST_ID', operator: 'CONTAINS', values: ['-77'] }],
  [contains('/pets/17')],
  [contains('/17')],
  [contains('?Q=')],
  [contains('=\u00e4')],
  [contains('pets')],
  [contains('%')],
];

const asks = (conditions: readonly Condition[]): readonly Asked<unknown>[] => [
  foundCalls(conditions, 25),
  newestCalls(conditions, 25),
  calls({ conditions, limit: 10, offset: 3 }),
  callsBehind(conditions, undefined),
  errorKeys(conditions),
  figures({ conditions, figures: [{ of: 'requests', measure: 'COUNT' }], groupings: [{ by: 'API' }] }),
];

const answers = async (analytics: TestAnalytics, isPlain: boolean): Promise<unknown[]> => {
  const all: unknown[] = [];
  for (const search of searches)
    for (const { question, params } of asks(search)) {
      const { sieves, ...plain } = question;
      assert.ok(sieves !== undefined, question.id);
      all.push([search, question.id, await analytics.ask(isPlain ? plain : question, always, params)]);
    }
  return all;
};

test('a search by what many requests say differently finds what reading everything finds', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landDays(lake);
  const analytics = await rolledUp(lake, days);
  const expected = await answers(analytics, true);
  assert.deepEqual(await answers(analytics, false), expected);
  const one = expected.find((answer) => Array.isArray(answer) && answer[1] === 'found-calls');
  assert.ok(Array.isArray(one) && Object(one[2]).total === 1);
  await analytics.close();

  // One that has none yet, one whose sieve is gone and one whose is damaged are read, and get theirs anew.
  await lake.storage.db
    .updateTable('lake_file')
    .set({ rollup: null })
    .where('max_ms', '<', dayOf(1))
    .execute();
  const sieves = (await lake.keys('rollups/')).filter((key) => key.endsWith('.sieve'));
  assert.equal(sieves.length, days);
  const good = await Promise.all(sieves.map(async (key) => lake.blobs.get(key)));
  for (const [n, key] of sieves.entries())
    if (n === 0) await lake.blobs.delete(key);
    else await lake.blobs.put(key, Buffer.alloc(good[n]?.length ?? 0, 0x55));
  const reader = await lake.start({ ...rolling, ingest: false }, { dir: join(lake.dir, 'elsewhere') });
  assert.deepEqual(await answers(reader, false), expected);
  const mender = await lake.start(rolling, { dir: join(lake.dir, 'mender') });
  assert.deepEqual(await answers(mender, false), expected);
  await eventually(async () => {
    const now = await Promise.all(sieves.map(async (key) => lake.blobs.get(key)));
    return now.every(
      (bytes, n) => bytes !== undefined && Buffer.from(bytes).equals(good[n] ?? new Uint8Array()),
    );
  }, within);
  assert.deepEqual(await lake.events(), [], 'nothing of it is a record that is missing');
});

test('of files that do not hold what is looked for nothing is read', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landDays(lake);
  await (await rolledUp(lake, days)).close();
  const files = await lake.storage.db
    .selectFrom('lake_file')
    .select('object_key')
    .where('min_ms', '<', dayOf(1))
    .execute();
  for (const { object_key } of files) await lake.blobs.delete(object_key);
  const reader = await lake.start({ ingest: false }, { dir: join(lake.dir, 'elsewhere') });
  const found = async (condition: Condition): Promise<number> => {
    const { question, params } = foundCalls([condition], 25);
    return (await reader.ask(question, always, params)).total;
  };
  assert.equal(await found(by('REQUEST_ID', 'r-1-7')), 1);
  assert.equal(await found(by('HOST', 'day2.example.com')), perDay);
  assert.equal(await found(by('REQUEST_ID', 'nobody')), 0);
  await assert.rejects(found(by('REQUEST_ID', 'r-0-7')), { code: 'analytics.failed' });
  const steps = await reader.ask(apiCallSteps, always, { api: 'a', request: 'nobody' });
  assert.equal(steps, undefined);
});
