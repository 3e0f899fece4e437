import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { answerOf, failureOf } from '../../../test/kit/gateway/backend-answers.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import type { BackendAnswer } from '../policy.ts';
import { CallWindow } from './call-window.ts';

const id = 'policy-circuit-breaker';

/** A breaker, and a call of its backend that says something after so many ms. */
function start(configuration: object) {
  const { call, clock } = startPolicy(id, configuration);
  const ask = async (says: BackendAnswer, afterMs = 0, attributes = new Map<string, unknown>()) => {
    const asked = call({ attributes: Object.fromEntries(attributes) });
    let isAsked = false;
    const answer = await asked.ask(async () => {
      isAsked = true;
      await clock.advance(afterMs);
      return says;
    });
    return { answer, isAsked, route: asked.attributes.get('request.endpoint') };
  };
  const isRefused = async (): Promise<boolean> => !(await ask(answerOf(200))).isAsked;
  return { ask, isRefused, clock };
}

test('it opens when the share of calls that failed reaches its threshold, and says the shares', async () => {
  const { ask } = start({ failureRateThreshold: 50, windowSize: 4 });
  for (const status of [200, 499, 200]) await ask(answerOf(status));
  await ask(answerOf(500));
  assert.equal((await ask(failureOf('reset'))).isAsked, true, 'one of four');
  const { answer, isAsked } = await ask(answerOf(200));
  assert.equal(isAsked, false);
  assert.ok(answer.kind === 'reject');
  assert.deepEqual([answer.key, answer.status], ['CIRCUIT_BREAKER_OPEN_STATE', 503]);
  assert.deepEqual(answer.parameters, { failure_rate: 50, slow_call_rate: 0 });
  assert.match(answer.message, /50 % of its calls failed, 0 % were slow/);
});

test('the first call that fails opens it; one whose client went away counts for nothing', async () => {
  const { ask, isRefused } = start({});
  await ask(failureOf('aborted'));
  await ask(failureOf('requestBodyFailed'));
  assert.equal(await isRefused(), false);
  const { ask: other, isRefused: isOtherRefused } = start({});
  await other(failureOf('connectTimeout'));
  assert.equal(await isOtherRefused(), true);
});

test('slow calls open it as well, past slowCallDurationThreshold', async () => {
  const fast = start({ slowCallDurationThreshold: 100, slowCallRateThreshold: 50 });
  await fast.ask(answerOf(200), 100);
  assert.equal(await fast.isRefused(), false);
  const slow = start({ slowCallDurationThreshold: 100, slowCallRateThreshold: 50 });
  await slow.ask(answerOf(200), 101);
  assert.equal(await slow.isRefused(), true);
});

test('after the wait one request tries: well closes it, badly opens it again, and one that its client leaves lets the next try', async () => {
  const { ask, isRefused, clock } = start({ waitDurationInOpenState: 1_000 });
  await ask(answerOf(500));
  await clock.advance(999);
  assert.equal(await isRefused(), true);
  await clock.advance(1);
  assert.equal((await ask(answerOf(503))).isAsked, true, 'it tries');
  assert.equal(await isRefused(), true);
  await clock.advance(1_000);
  await ask(failureOf('aborted'));
  assert.equal((await ask(answerOf(200))).isAsked, true, 'the next one tries');
  for (let count = 0; count < 3; count += 1) assert.equal(await isRefused(), false, 'closed');
});

test('only one tries at a time, and what was asked before it opened tells nothing of what came after', async () => {
  const { call, clock } = startPolicy(id, { waitDurationInOpenState: 1_000 });
  const says: ((answer: BackendAnswer) => void)[] = [];
  const ask = () => call().ask(() => new Promise((resolve) => void says.push(resolve)));
  const late = ask();
  const failing = ask();
  says[1]?.(answerOf(500));
  await failing;
  await clock.advance(1_000);
  const trying = ask();
  assert.equal((await ask()).kind, 'reject', 'another one tries already');
  says[2]?.(answerOf(200));
  await trying;
  says[0]?.(answerOf(500));
  await late;
  const next = ask();
  assert.equal(says.length, 4, 'closed');
  says[3]?.(answerOf(200));
  await next;
});

test('redirectToURL takes the requests while it is open; one that fails or comes to nothing refuses them', async () => {
  const { ask } = start({ redirectToURL: "{#context.attributes['spare']}" });
  await ask(answerOf(500));
  const spare = await ask(answerOf(200), 0, new Map([['spare', 'spare:/orders']]));
  assert.deepEqual([spare.isAsked, spare.route], [true, 'spare:/orders']);
  assert.equal((await ask(answerOf(200))).answer.kind, 'reject');
});

test('a window counts the last calls alone', () => {
  const window = new CallWindow(3);
  assert.deepEqual([window.failureRate, window.slowCallRate], [0, 0]);
  for (const [hasFailed, wasSlow, failed, slow] of [
    [true, false, 100, 0],
    [false, true, 50, 50],
    [false, true, 100 / 3, 200 / 3],
    [false, false, 0, 200 / 3],
    [true, true, 100 / 3, 200 / 3],
  ] as const) {
    window.add({ hasFailed, wasSlow });
    assert.deepEqual([window.failureRate, window.slowCallRate], [failed, slow]);
  }
  window.clear();
  assert.deepEqual([window.failureRate, window.slowCallRate], [0, 0]);
});

test('shares, times and sizes out of bounds are refused by their paths', () => {
  const isFine = (configuration: object): boolean => catalog[id].config.safeParse(configuration).success;
  for (const name of ['failureRateThreshold', 'slowCallRateThreshold'])
    assert.deepEqual(
      [1, 100, 0, 101].map((value) => isFine({ [name]: value })),
      [true, true, false, false],
    );
  for (const [name, max] of [
    ['windowSize', 10_000],
    ['slowCallDurationThreshold', 3_600_000],
    ['waitDurationInOpenState', 3_600_000],
  ] as const)
    assert.deepEqual(
      [1, max, 0, max + 1].map((value) => isFine({ [name]: value })),
      [true, true, false, false],
    );
});
