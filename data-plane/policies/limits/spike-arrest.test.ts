import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const alice = { plan: 'p', 'subscription-id': 'alice' };

function start(spike: object, config: object = {}) {
  const { clock, call } = startPolicy('spike-arrest', { addHeaders: true, ...config, spike });
  const ask = () => {
    const asked = call({ attributes: alice });
    return { verdict: asked.pass(), headers: asked.answerHeaders };
  };
  /** How many of so many that come at once pass. */
  const passedOf = (many: number): number =>
    Array.from({ length: many }, ask).filter(({ verdict }) => verdict === undefined).length;
  return { clock, ask, passedOf };
}

test('a slice is the period by the limit, merged to about 100 ms, in whole ms', () => {
  for (const [spike, limit, slice] of [
    [{ limit: 2_000 }, '2000', '200 in 100'],
    [{ limit: 3_000 }, '3000', '300 in 100'],
    [{ limit: 15 }, '15', '2 in 133'],
    [{ limit: 11 }, '11', '1 in 90'],
    [{ limit: 10 }, '10', '1 in 100'],
    [{ limit: 7 }, '7', '1 in 142'],
    [{ limit: 60, periodTimeUnit: 'MINUTES' }, '60 a minute', '1 in 1000'],
    [{ limit: 1, dynamicPeriodTime: '90' }, '1 in 90 s', '1 in 90000'],
    [{ dynamicLimit: '4' }, '4, worked out', '1 in 250'],
    [{ periodTime: 2 }, 'none', '0 in 2000'],
  ] as const) {
    const { headers } = start(spike).ask();
    assert.equal(
      `${headers['X-Spike-Arrest-Limit']} in ${headers['X-Spike-Arrest-Slice-Period']}`,
      `${slice}ms`,
      limit,
    );
  }
});

test('a slice begins with its first request and lets no more pass than its limit', async () => {
  const { clock, ask, passedOf } = start({ limit: 2_000 });
  await clock.advance(70);
  const startedAtMs = clock.now();
  assert.equal(ask().headers['X-Spike-Arrest-Reset'], String(startedAtMs + 100));
  assert.equal(passedOf(300), 199);
  await clock.advance(99);
  assert.equal(passedOf(1), 0);
  await clock.advance(1);
  assert.equal(passedOf(300), 200);
  assert.deepEqual(Object.keys(ask().headers), [
    'X-Spike-Arrest-Limit',
    'X-Spike-Arrest-Slice-Period',
    'X-Spike-Arrest-Reset',
  ]);
  assert.deepEqual(start({ limit: 1 }, { addHeaders: false }).ask().headers, {});
});

test('gcra lets the limit of a slice pass at once, and the limit in a period evenly', async () => {
  const { clock, passedOf } = start({ limit: 1_000 }, { strategy: 'gcra' });
  assert.equal(passedOf(150), 100);
  await clock.advance(10);
  assert.equal(passedOf(150), 10);
  await clock.advance(1_000);
  assert.equal(passedOf(150), 100);
});

test('the refusal tells slice and limit', () => {
  assert.deepEqual(start({ periodTime: 2 }).ask().verdict, {
    kind: 'reject',
    key: 'SPIKE_ARREST_TOO_MANY_REQUESTS',
    status: 429,
    message: 'Spike limit exceeded! You reached the limit of 0 requests per 2000 ms',
    parent: undefined,
    parameters: {
      slice_limit: 0,
      slice_period_time: 2_000,
      slice_period_unit: 'MILLISECONDS',
      limit: 0,
      period_time: 2,
      period_unit: 'SECONDS',
    },
    headers: [],
  });
});
