import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestLake, type TestAnalytics } from '../../../test/kit/control-plane/test-lake.ts';
import { always, dice, lineOf, ofA, recordByRecord, rolledUp } from '../../../test/kit/lake/rolled-lake.ts';
import {
  assertMended,
  contains,
  dayOf,
  days,
  landDays,
  loseDaysBefore,
} from '../../../test/kit/lake/searched-days.ts';
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

const perDay = 300;

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

const by = (dimension: Condition['by'], ...values: string[]): Condition => ({
  by: dimension,
  operator: values.length === 1 ? 'EQ' : 'IN',
  values,
});
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
    for (const asked of asks(search)) {
      assert.ok(asked.question.sieves !== undefined, asked.question.id);
      const { question, params } = isPlain ? recordByRecord(asked) : asked;
      all.push([search, question.id, await analytics.ask(question, always, params)]);
    }
  return all;
};

test('a search by what many requests say differently finds what reading everything finds', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landDays(lake, linesOf);
  const analytics = await rolledUp(lake, days);
  const expected = await answers(analytics, true);
  const check = async (asked: TestAnalytics): Promise<void> =>
    assert.deepEqual(await answers(asked, false), expected);
  await check(analytics);
  const one = expected.find((answer) => Array.isArray(answer) && answer[1] === 'found-calls');
  assert.ok(Array.isArray(one) && Object(one[2]).total === 1);
  await analytics.close();
  await assertMended(lake, { beside: 'sieve', search: [by('REQUEST_ID', 'r-1-7')], check });
});

test('of files that do not hold what is looked for nothing is read', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await landDays(lake, linesOf);
  await (await rolledUp(lake, days)).close();
  await loseDaysBefore(lake, 1);
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
