import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { answerOf, failureOf } from '../../../test/kit/gateway/backend-answers.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
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

test('no share is asked of fewer than minimumNumberOfCalls; more than are looked back on are as many as those', async () => {
  for (const configuration of [
    { minimumNumberOfCalls: 3, windowSize: 10 },
    { minimumNumberOfCalls: 100, windowSize: 3 },
  ]) {
    const { ask, isRefused } = start(configuration);
    for (let count = 0; count < 2; count += 1) await ask(answerOf(500));
    assert.equal(await isRefused(), false);
    await ask(answerOf(500));
    assert.equal(await isRefused(), true);
  }
});

/** A circuit that is open no longer, and calls that are answered when the test says so. */
async function startTrying(configuration: object) {
  const { call, clock } = startPolicy(id, { waitDurationInOpenState: 1_000, ...configuration });
  const ask = () => {
    const says = Promise.withResolvers<BackendAnswer>();
    let isAsked = false;
    const answered = call().ask(() => ((isAsked = true), says.promise));
    const hears = (answer: BackendAnswer) => (says.resolve(answer), answered);
    return { hears, isAsked: () => isAsked };
  };
  const open = ask();
  await open.hears(answerOf(500));
  for (let more = 1; ask().isAsked(); more += 1) assert.ok(more < 100, 'it opens');
  await clock.advance(1_000);
  return { ask, clock };
}

test('permittedNumberOfCallsInHalfOpenState requests try at a time; with as many as are asked for, they decide together', async () => {
  const of = { minimumNumberOfCalls: 3, windowSize: 3, permittedNumberOfCallsInHalfOpenState: 3 };
  for (const [statuses, isOpen] of [
    [[500, 200, 200], false],
    [[200, 500, 500], true],
  ] as const) {
    const { call, clock } = startPolicy(id, { ...of, waitDurationInOpenState: 1_000 });
    const one = (status: number) => call().ask(() => Promise.resolve(answerOf(status)));
    for (let count = 0; count < 3; count += 1) await one(500);
    await clock.advance(1_000);
    const says = statuses.map(() => Promise.withResolvers<BackendAnswer>());
    const tries = says.map(({ promise }) => call().ask(() => promise));
    assert.equal((await one(200)).kind, 'reject', 'three try already');
    for (const [at, status] of statuses.entries()) {
      says[at]?.resolve(answerOf(status));
      await tries[at];
      if (at < 2) assert.equal((await one(200)).kind, 'reject', 'not all of them are answered');
    }
    assert.equal((await one(200)).kind === 'reject', isOpen);
  }
});

test('with one call that is enough, the first of those who try decides, and the others tell nothing more', async () => {
  const { ask } = await startTrying({ permittedNumberOfCallsInHalfOpenState: 2 });
  const [first, second, third] = [ask(), ask(), ask()];
  assert.deepEqual([first.isAsked(), second.isAsked(), third.isAsked()], [true, true, false]);
  await first.hears(answerOf(200));
  await second.hears(answerOf(500));
  assert.equal(ask().isAsked(), true, 'closed');
});

test('those who try are waited for until maxWaitDurationInHalfOpenState; then it opens again, and tries again after its wait', async () => {
  const { ask, clock } = await startTrying({ maxWaitDurationInHalfOpenState: 500 });
  const lost = ask();
  await clock.advance(499);
  assert.deepEqual([lost.isAsked(), ask().isAsked()], [true, false]);
  await clock.advance(1);
  await lost.hears(answerOf(200));
  assert.equal(ask().isAsked(), false, 'what was answered too late closes nothing');
  await clock.advance(999);
  assert.equal(ask().isAsked(), false);
  await clock.advance(1);
  assert.equal(ask().isAsked(), true, 'it tries again');
  const patient = await startTrying({});
  const slow = patient.ask();
  await patient.clock.advance(3_600_000);
  assert.equal(patient.ask().isAsked(), false, 'at 0 it waits');
  await slow.hears(answerOf(200));
});

test('what is broken off fails with recordInterruptedCallsAsFailures once it has lasted longer than a slow call', async () => {
  for (const failure of ['aborted', 'requestBodyFailed'] as const)
    for (const [recordInterruptedCallsAsFailures, afterMs, isOpen] of [
      [true, 101, true],
      [true, 100, false],
      [false, 101, false],
    ] as const) {
      const { ask, isRefused } = start({ recordInterruptedCallsAsFailures, slowCallDurationThreshold: 100 });
      await ask(failureOf(failure), afterMs);
      assert.equal(await isRefused(), isOpen, `${failure} ${recordInterruptedCallsAsFailures} ${afterMs}`);
    }
});

test('a gateway that ends a call which lasts too long opens the circuit with recordInterruptedCallsAsFailures', async (t) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => (silent.closeAllConnections(), silent.close()));
  const target = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const breaker = (recordInterruptedCallsAsFailures: boolean) => {
    const of = { slowCallDurationThreshold: 50, waitDurationInOpenState: 3_600_000 };
    return { flows: [flow('/', { request: [[id, { ...of, recordInterruptedCallsAsFailures }]] })] };
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      counts: apiDefinition('counts', target, breaker(true)),
      ignores: apiDefinition('ignores', target, breaker(false)),
    },
    config: { request: { answerMsMax: 300 } },
  });
  const status = async (api: string) => (await gateway.call(`/${api}`)).status;
  assert.deepEqual([await status('counts'), await status('ignores')], [504, 504]);
  // The gateway lets go of the call after it has answered.
  await eventually(async () => (await status('counts')) === 503);
  assert.equal(await status('ignores'), 504);
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
  assert.deepEqual([window.count, window.size], [3, 3]);
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
    ['minimumNumberOfCalls', 10_000],
    ['permittedNumberOfCallsInHalfOpenState', 10_000],
    ['slowCallDurationThreshold', 3_600_000],
    ['waitDurationInOpenState', 3_600_000],
  ] as const)
    assert.deepEqual(
      [1, max, 0, max + 1].map((value) => isFine({ [name]: value })),
      [true, true, false, false],
    );
  assert.deepEqual(
    [0, 3_600_000, -1, 3_600_001].map((value) => isFine({ maxWaitDurationInHalfOpenState: value })),
    [true, true, false, false],
  );
});
