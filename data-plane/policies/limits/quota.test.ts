import assert from 'node:assert/strict';
import { test } from 'node:test';

import { quota } from '../../../proto/policies/limits/quota.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const alice = { plan: 'p', 'subscription-id': 'alice', 'user-id': 'alice' };
const at = (text: string): number => Date.parse(text);

/** A quota whose clock starts at a time. */
function startAt(text: string, written: object, quotaMode: 'strict' | 'round' = 'strict') {
  const { clock, call } = startPolicy('quota', written, { host: { quotaMode } });
  clock.jump(at(text) - clock.now());
  const ask = () => {
    const asked = call({ attributes: alice });
    const verdict = asked.pass();
    return { asked, isRefused: verdict !== undefined, verdict };
  };
  return { clock, ask, resetOf: () => Number(ask().asked.answerHeaders['X-Quota-Reset']) };
}

test('headers unless told otherwise, and attributes of every request that was counted, refused ones too', () => {
  const { ask } = startAt('2026-01-31T10:20:30Z', { quota: { limit: 0, dynamicLimit: '1' } });
  const resetAtMs = at('2026-02-28T10:20:30Z');
  for (const [count, isRefused] of [
    [1, false],
    [2, true],
  ] as const) {
    const { asked, ...answer } = ask();
    assert.equal(answer.isRefused, isRefused);
    assert.deepEqual(asked.answerHeaders, {
      'X-Quota-Limit': '1',
      'X-Quota-Remaining': '0',
      'X-Quota-Reset': String(resetAtMs),
    });
    const { attributes } = asked;
    assert.deepEqual(
      ['count', 'remaining', 'limit', 'reset.time'].map((name) => attributes.get(`quota.${name}`)),
      [count, 0, 0, resetAtMs],
      'the limit as it is written',
    );
  }
  const quiet = startAt('2026-01-31T10:20:30Z', { addHeaders: false, quota: { limit: 7 } }).ask();
  assert.deepEqual(quiet.asked.answerHeaders, {});
  assert.equal(quiet.asked.attributes.get('quota.limit'), 7);
});

test('the refusal names the period as it is written', () => {
  const { ask } = startAt('2026-01-01T00:00Z', { quota: { periodTime: 2, periodTimeUnit: 'WEEKS' } });
  assert.deepEqual(ask().verdict, {
    kind: 'reject',
    key: 'QUOTA_TOO_MANY_REQUESTS',
    status: 429,
    message: 'Quota exceeded! You reached the limit of 0 requests per 2 WEEKS',
    parent: undefined,
    parameters: { limit: 0, period_time: 2, period_unit: 'WEEKS' },
    headers: [],
  });
});

test('strict ends windows so long after their first request, round with the units of the calendar', () => {
  const from = '2026-03-04T05:06:07Z';
  for (const [written, strict, round] of [
    [{ periodTimeUnit: 'HOURS' }, '2026-03-04T06:06:07Z', '2026-03-04T06:00:00Z'],
    [{ periodTimeUnit: 'DAYS' }, '2026-03-05T05:06:07Z', '2026-03-05T00:00:00Z'],
    // 2 March 2026 is a Monday.
    [{ periodTimeUnit: 'WEEKS' }, '2026-03-11T05:06:07Z', '2026-03-09T00:00:00Z'],
    [{}, '2026-04-04T05:06:07Z', '2026-04-01T00:00:00Z'],
    [{ periodTime: 3 }, '2026-06-04T05:06:07Z', '2026-06-01T00:00:00Z'],
    [{ dynamicPeriodTime: '36' }, '2026-03-05T17:06:07Z', '2026-03-05T17:00:00Z'],
  ] as const) {
    const quota = { limit: 1, ...written };
    assert.equal(startAt(from, { quota }).resetOf(), at(strict), JSON.stringify(written));
    assert.equal(startAt(from, { quota }, 'round').resetOf(), at(round), JSON.stringify(written));
  }
});

test('where nobody counts the whole limit is said to remain', async () => {
  const counters = { take: () => Promise.reject(new Error('away')) };
  const asked = startPolicy('quota', { quota: { dynamicLimit: '5' } }, { host: { counters } }).call();
  assert.equal(await asked.pass(), undefined);
  assert.deepEqual(asked.warnings, ['QUOTA_NOT_APPLIED']);
  assert.deepEqual(asked.answerHeaders, {
    'X-Quota-Limit': '5',
    'X-Quota-Remaining': '5',
    'X-Quota-Reset': '-1',
  });
  assert.deepEqual(
    ['count', 'remaining', 'limit', 'reset.time'].map((name) => asked.attributes.get(`quota.${name}`)),
    [undefined, 5, 5, undefined],
  );
});

test('sliding and gcra count over periods of one length: in months they are refused by name', () => {
  for (const strategy of ['sliding', 'gcra']) {
    const months = quota.config.safeParse({ strategy, quota: { limit: 1 } });
    assert.deepEqual(
      months.error?.issues.map(({ path, message }) => [path.join('.'), message.slice(0, 46)]),
      [['strategy', 'must be fixed where periodTimeUnit is MONTHS: ']],
    );
    const { clock, ask } = startAt('2026-01-01T00:00Z', {
      strategy,
      quota: { limit: 1, periodTimeUnit: 'DAYS' },
    });
    assert.deepEqual([ask().isRefused, ask().isRefused], [false, true]);
    clock.jump(2 * 86_400_000);
    assert.equal(ask().isRefused, false);
  }
});

test('policy.quota.mode is a setting of the gateway', async (t) => {
  const { url } = await startUpstream(t);
  const flows = [flow('/', { request: [['quota', { quota: { limit: 5 } }]] })];
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', url, { flows }) },
    config: { policy: { quota: { mode: 'round' } } },
  });
  const now = new Date();
  const { headers } = await gateway.call('/a');
  const ends = [now, new Date()].map((each) => Date.UTC(each.getUTCFullYear(), each.getUTCMonth() + 1, 1));
  assert.ok(ends.map(String).includes(String(headers['x-quota-reset'])));
  assert.equal(headers['x-quota-remaining'], '4');
});
