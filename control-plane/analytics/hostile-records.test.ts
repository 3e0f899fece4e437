import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordTables } from '../../proto/model/record-tables.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { land, recordLine } from '../../test/kit/control-plane/landing.ts';
import { createTestLake } from '../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../test/kit/servers/databases.ts';
import { columnsOf } from './lake-columns.ts';

const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
/** Names that every plain object has already, or that change what it is. */
const inherited = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
];
const columns = [...columnsOf(recordTables.requests)];
const texts = columns.flatMap(([name, { column }]) => (column === 'text' ? [name] : []));
const numbers = columns.flatMap(([name, { column }]) => (column === 'text' ? [] : [name]));

async function startLake(t: Parameters<typeof createTestLake>[0]) {
  const lake = await createTestLake(t, sqlite);
  const analytics = await lake.start();
  const untilIngested = async (): Promise<boolean> =>
    eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
  return { ...lake, metrics: analytics.metrics, analytics, untilIngested };
}

test('one line with the entrypoint __proto__ breaks no question, and no built-in prototype grows', async (t) => {
  const lake = await startLake(t);
  await land(lake.blobs, [recordLine(), recordLine({ entrypoint_id: '__proto__' })]);
  await lake.untilIngested();
  const before = Object.getOwnPropertyNames(Object.prototype);
  const { ranges, rangesByEntrypoint } = await lake.analytics.responseStatusRanges(span);
  assert.equal(ranges['200.0-300.0'], 2);
  assert.deepEqual(Object.keys(rangesByEntrypoint).toSorted(), ['http-proxy', 'unknown']);
  assert.equal((await lake.analytics.requestsCount(span)).total, 2);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
});

test('a foreign name in any text of a record breaks no question and hides no other record', async (t) => {
  const lake = await startLake(t);
  const hostile = texts
    .filter((name) => name !== 'org_id' && name !== 'env_id')
    .flatMap((name) => inherited.map((value) => recordLine({ [name]: value })));
  await land(lake.blobs, [recordLine(), ...hostile, recordLine()]);
  await lake.untilIngested();
  const { total, countsByEntrypoint } = await lake.analytics.requestsCount(span);
  // Of those only the ones that say they are of another API, type or gateway are not of this API's requests.
  assert.equal(total, hostile.length + 2 - 3 * inherited.length);
  assert.deepEqual(countsByEntrypoint, {
    'http-proxy': total - inherited.length,
    unknown: inherited.length,
  });
  for (const api of inherited) {
    assert.equal((await lake.analytics.requestsCount({ ...span, api })).total, 1, api);
    assert.equal((await lake.analytics.responseStatusRanges({ ...span, api })).ranges['200.0-300.0'], 1);
  }
  assert.deepEqual(await lake.analytics.holes(span), []);
  assert.match(await lake.metrics.text(), /isthmus_analytics_malformed_records_total\{field="type"\} 7\b/);
  assert.match(await lake.metrics.text(), /refused_records_total\{field="gateway_id"\} 7\b/);
  assert.deepEqual(await lake.events(), [
    'records.refused 7 of its records say what its gateway may not (gateway_id 7)',
  ]);
});

test('a number or a time out of bounds, or none at all, becomes nothing and the other records of its file count', async (t) => {
  const lake = await startLake(t);
  const odd = [-1, 2 ** 53, Number.MAX_VALUE, -(2 ** 63), 1.5, '__proto__', true, null, {}, []];
  const hostile = numbers.flatMap((name) => odd.map((value) => recordLine({ [name]: value })));
  const garbage = [
    '{',
    '[]',
    'null',
    '"x"',
    '{}',
    recordLine({ type: { a: 1 } }),
    recordLine({ type: 'v5' }),
  ];
  await land(lake.blobs, [recordLine(), ...hostile, ...garbage, recordLine()]);
  // An empty line makes an object contradict its key: it alone goes to quarantine.
  await land(lake.blobs, [recordLine(), ''], { first: 1_000 });
  await lake.untilIngested();
  const withoutTime = odd.length;
  assert.equal((await lake.analytics.requestsCount(span)).total, 2 + hostile.length - withoutTime);
  assert.ok(((await lake.analytics.responseStatusRanges(span)).ranges['200.0-300.0'] ?? 0) >= 2);
  const events = await lake.storage.db.selectFrom('gateway_event').select('detail').execute();
  assert.deepEqual(
    events.map(({ detail }) => detail.replace(/^.*: /, '')),
    ['its lines are not as many as its key says'],
  );
  // Times that mean nothing, and all the garbage.
  const metrics = await lake.metrics.text();
  for (const [field, count] of Object.entries({ line: 5, type: garbage.length - 5, timestamp: withoutTime }))
    assert.match(metrics, new RegExp(`malformed_records_total\\{field="${field}"\\} ${count}\\n`));
});

test('a line that breaks off where a value is missing spoils no record behind it', async (t) => {
  const lake = await startLake(t);
  const broken = ['{"type":', '{"type": ', '[', '{"a":[', '{"a":[1,', '{"a":1,', '{"a":[1, \t'];
  await land(
    lake.blobs,
    broken.flatMap((line) => [line, recordLine()]),
  );
  await lake.untilIngested();
  assert.equal((await lake.analytics.requestsCount(span)).total, broken.length);
  assert.match(
    await lake.metrics.text(),
    new RegExp(`malformed_records_total\\{field="line"\\} ${broken.length}\\n`),
  );
});
