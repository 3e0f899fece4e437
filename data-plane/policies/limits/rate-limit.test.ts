import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';

const key = (result: ReturnType<KitCall['pass']>): string =>
  result === undefined ? 'ok' : 'kind' in result && result.kind === 'reject' ? result.key : 'other';
const full = 'RATE_LIMIT_TOO_MANY_REQUESTS';
const alice = { plan: 'p', 'subscription-id': 'alice', 'user-id': 'alice' };

test('a window starts at the first hit and ends after its period; refused hits count too', async () => {
  const { clock, call } = startPolicy('rate-limit', {
    addHeaders: true,
    rate: { limit: 2, periodTime: 10 },
  });
  const startedAtMs = clock.now();
  const ask = (): readonly (string | undefined)[] => {
    const asked = call({ attributes: alice });
    const verdict = key(asked.pass());
    const { answerHeaders: headers } = asked;
    assert.equal(headers['X-Rate-Limit-Limit'], '2');
    return [verdict, headers['X-Rate-Limit-Remaining'], headers['X-Rate-Limit-Reset']];
  };
  const reset = String(startedAtMs + 10_000);
  assert.deepEqual(ask(), ['ok', '1', reset]);
  await clock.advance(4_000);
  assert.deepEqual(ask(), ['ok', '0', reset]);
  assert.deepEqual(ask(), [full, '0', reset]);
  await clock.advance(5_999);
  assert.deepEqual(ask(), [full, '0', reset]);
  await clock.advance(1);
  assert.deepEqual(ask(), ['ok', '1', String(startedAtMs + 20_000)]);
});

test('the refusal is 429 in the words of the reference, with parameters for templates', () => {
  const { call } = startPolicy('rate-limit', {
    rate: { limit: 0, dynamicLimit: '1', periodTime: 5, periodTimeUnit: 'MINUTES' },
  });
  const asked = call({ attributes: alice });
  assert.equal(asked.pass(), undefined);
  assert.deepEqual(asked.pass(), {
    kind: 'reject',
    key: full,
    status: 429,
    message: 'Rate limit exceeded! You reached the limit of 1 requests per 5 minutes',
    parent: undefined,
    parameters: { limit: 1, period_time: 5, period_unit: 'minutes' },
    headers: [],
  });
  assert.deepEqual(asked.answerHeaders, {}, 'headers only when asked for');
});
