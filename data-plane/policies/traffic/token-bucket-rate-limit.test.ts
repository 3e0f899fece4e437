import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import type { Counters } from '../../limits/limiter.ts';
import { createMemoryCounters } from '../../limits/memory.ts';

const id = 'token-bucket-rate-limit';
const tooMany = 'TOKEN_BUCKET_RATE_LIMIT_TOO_MANY_REQUESTS';
const away: Counters = { take: () => Promise.reject(new Error('away')) };

/** A bucket, counted by one clock with its step; says what came of a call. */
function start(configuration: object, counters?: Counters) {
  const clock = createFakeClock();
  const kept = createMemoryCounters({ windowsMax: 100, clock }).within('e');
  const { call } = startPolicy(id, configuration, { host: { clock, counters: counters ?? kept } });
  const ask = async (
    who: object = { plan: 'p', 'subscription-id': 's' },
    headers: Record<string, string> = {},
  ) => {
    const asked = call({ attributes: { ...who }, headers });
    const verdict = await asked.pass();
    const said = verdict === undefined ? 'ok' : 'key' in verdict ? verdict.key : 'other';
    return { said, headers: asked.answerHeaders, warnings: asked.warnings.join() };
  };
  const said = async (...asked: Parameters<typeof ask>): Promise<string> => (await ask(...asked)).said;
  return { ask, said, clock };
}

test('burstCapacity pass at once, then as many as came back; what is refused takes nothing', async () => {
  const { said, clock } = start({ burstCapacity: 2, refillRate: 1, refillPeriodTime: 10 });
  assert.deepEqual([await said(), await said(), await said()], ['ok', 'ok', tooMany]);
  await clock.advance(9_999);
  assert.equal(await said(), tooMany);
  await clock.advance(1);
  assert.deepEqual([await said(), await said()], ['ok', tooMany]);
  await clock.advance(60_000);
  assert.deepEqual(
    [await said(), await said(), await said()],
    ['ok', 'ok', tooMany],
    'never more than it holds',
  );
});

test("a bucket is a subscription's, or the key's alone with useKeyOnly", async () => {
  const one = { plan: 'p', 'subscription-id': 'one' };
  const two = { plan: 'p', 'subscription-id': 'two' };
  const own = start({ burstCapacity: 1, refillRate: 1 });
  assert.deepEqual([await own.said(one), await own.said(two), await own.said(one)], ['ok', 'ok', tooMany]);
  const key = "{#request.headers['X-Tenant'][0]}";
  const shared = start({ burstCapacity: 1, refillRate: 1, key, useKeyOnly: true });
  const a = { 'X-Tenant': 'a' };
  assert.deepEqual([await shared.said(one, a), await shared.said(two, a)], ['ok', tooMany]);
  assert.equal(await shared.said(two, { 'X-Tenant': 'b' }), 'ok');
});

test('addHeaders says what is left, when the next token comes, and beside 429 how long that takes', async () => {
  const { ask, clock } = start({
    burstCapacity: 3,
    refillRate: 2,
    refillPeriodTime: 1,
    refillPeriodTimeUnit: 'MINUTES',
    addHeaders: true,
  });
  const seen = async () => {
    const { said, headers } = await ask();
    return [
      said,
      headers['X-Rate-Limit-Remaining'],
      Number(headers['X-Rate-Limit-Reset']) - clock.now(),
      headers['Retry-After'],
    ];
  };
  assert.deepEqual(await seen(), ['ok', '2', 30_000, undefined]);
  await clock.advance(10_000);
  assert.deepEqual(await seen(), ['ok', '1', 20_000, undefined]);
  assert.deepEqual(await seen(), ['ok', '0', 20_000, undefined]);
  assert.deepEqual(await seen(), [tooMany, '0', 20_000, '20']);
  await clock.advance(19_500);
  assert.deepEqual(await seen(), [tooMany, '0', 500, '1']);
  assert.equal((await ask()).headers['X-Rate-Limit-Limit'], '3');
});

test('what is written wins over what an expression gives; neither, or one that fails, is 500', async () => {
  const header = (name: string): string => `{#request.headers['${name}'][0]}`;
  const dynamic = { dynamicBurstCapacity: header('X-Burst'), dynamicRefillRate: header('X-Rate') };
  const { ask } = start(dynamic);
  const both = { 'X-Burst': '1', 'X-Rate': '5' };
  assert.deepEqual([(await ask({}, both)).said, (await ask({}, both)).said], ['ok', tooMany]);
  const failed = 'TOKEN_BUCKET_RATE_LIMIT_SERVER_ERROR';
  for (const headers of [
    {},
    { 'X-Burst': '1' },
    { 'X-Rate': '1' },
    { ...both, 'X-Rate': '0' },
    { ...both, 'X-Burst': 'no' },
  ])
    assert.deepEqual(await ask({}, headers), {
      said: failed,
      headers: {},
      warnings: 'EXPRESSION_EVALUATION_ERROR',
    });
  const written = start({ ...dynamic, burstCapacity: 1, refillRate: 1 });
  assert.deepEqual(
    [await written.said({}, { 'X-Burst': '9', 'X-Rate': '9' }), await written.said()],
    ['ok', 'ok'],
  );
});

test('where nobody counts errorStrategy decides', async () => {
  const bucket = { burstCapacity: 1, refillRate: 1, addHeaders: true };
  const open = await start(bucket, away).ask();
  assert.deepEqual([open.said, open.warnings], ['ok', 'TOKEN_BUCKET_RATE_LIMIT_NOT_APPLIED']);
  assert.deepEqual([open.headers['X-Rate-Limit-Remaining'], open.headers['X-Rate-Limit-Reset']], ['1', '-1']);
  const closed = start({ ...bucket, errorStrategy: 'BLOCK_ON_INTERNAL_ERROR' }, away);
  assert.equal(await closed.said(), 'TOKEN_BUCKET_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR');
  const counters: Counters = {
    take: () => ({ count: 2, resetAtMs: 5 }),
    later: { take: () => ({ count: 1, resetAtMs: 5 }) },
  };
  assert.deepEqual(
    [await start(bucket, counters).said(), await start({ ...bucket, async: true }, counters).said()],
    [tooMany, 'ok'],
  );
});

test('what cannot be is refused by its path', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse(configuration)
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  assert.equal(refused({ burstCapacity: 0, refillRate: 0, refillPeriodTime: 0 }), '');
  for (const wrong of [
    { burstCapacity: -1 },
    { refillRate: 1.5 },
    { refillPeriodTime: 100_001 },
    { refillPeriodTimeUnit: 'WEEKS' },
    { dynamicRefillRate: 'many' },
    { errorStrategy: 'NONE' },
  ])
    assert.equal(refused(wrong), Object.keys(wrong)[0]);
});
