import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

test('a request waits that long and goes on; in seconds, and in milliseconds', async () => {
  for (const [config, ms] of [
    [{}, 100],
    [{ time: 20 }, 20],
    [{ time: 2, timeUnit: 'SECONDS' }, 2_000],
  ] as const) {
    const { call, clock } = startPolicy('latency', config);
    const one = call();
    let isThrough = false;
    const passing = Promise.resolve(one.pass()).then(() => (isThrough = true));
    await clock.advance(ms - 1);
    await Promise.resolve();
    assert.equal(isThrough, false, `${ms} ms`);
    await clock.advance(1);
    await passing;
  }
  assert.equal(startPolicy('latency', { time: 0 }).call().pass(), undefined);
});

test('an answer waits as long, with the steps of the answer', async () => {
  const { call, clock } = startPolicy('latency', { time: 20 }, { place: { phase: 'response' } });
  const one = call();
  let isThrough = false;
  const passing = Promise.resolve(one.answer({ status: 200 })).then(() => (isThrough = true));
  await clock.advance(19);
  await Promise.resolve();
  assert.equal(isThrough, false);
  await clock.advance(1);
  await passing;
});
