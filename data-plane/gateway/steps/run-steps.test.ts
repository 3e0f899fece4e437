import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { KitCall } from '../../../test/kit/gateway/policies.ts';
import type { Answer, ContentHook, PolicyCall, Rejection } from '../../policies/policy.ts';
import { runSteps } from './run-steps.ts';
import type { Step } from '../compile/step.ts';

const no: Rejection = {
  kind: 'reject',
  key: 'NO',
  status: 400,
  message: 'no',
  parent: undefined,
  parameters: {},
  headers: [],
};
const answer = (body: string): Answer => ({ kind: 'answer', status: 200, headers: [], body });
const plain = {
  kind: 'x',
  at: '',
  readsRequest: false,
  readsResponse: false,
  keptAt: undefined,
  policy: {},
  gate: undefined,
};
const call = new KitCall(plain, createFakeClock());

function steps(...runs: readonly ContentHook<PolicyCall, unknown>['run'][]): {
  list: readonly Step[];
  ran: number[];
} {
  const ran: number[] = [];
  const list = runs.map((run, index): Step => {
    const hook: ContentHook<PolicyCall, unknown> = {
      needs: 'head',
      run: (...given) => (ran.push(index), run(...given)),
    };
    return { ...plain, at: `flows[0].request[${index}]`, policy: { request: hook } };
  });
  return { list, ran };
}

test('a synchronous pipeline stays synchronous', () => {
  const { list, ran } = steps(
    () => undefined,
    () => undefined,
  );
  assert.equal(runSteps(list, 'request', call), undefined);
  assert.deepEqual(ran, [0, 1]);
  assert.equal(runSteps([], 'response', call), undefined);
});

test('from the first promise on it is asynchronous, in order', async () => {
  const { list, ran } = steps(
    () => undefined,
    () => Promise.resolve(undefined),
    () => undefined,
  );
  const verdict = runSteps(list, 'request', call);
  assert.ok(verdict instanceof Promise);
  assert.deepEqual(ran, [0, 1]);
  assert.equal(await verdict, undefined);
  assert.deepEqual(ran, [0, 1, 2]);
});

test('a refusal ends the phase, now or later; an answer does not', async () => {
  const now = steps(
    () => no,
    () => undefined,
  );
  assert.equal(runSteps(now.list, 'request', call), no);
  assert.deepEqual(now.ran, [0]);
  const later = steps(
    () => Promise.resolve(no),
    () => undefined,
  );
  assert.equal(await runSteps(later.list, 'request', call), no);
  assert.deepEqual(later.ran, [0]);
  const answered = steps(
    () => answer('first'),
    () => Promise.resolve(undefined),
    () => answer('second'),
    () => undefined,
  );
  assert.deepEqual(await runSteps(answered.list, 'request', call), answer('second'));
  const refused = steps(
    () => answer('first'),
    () => no,
  );
  assert.equal(runSteps(refused.list, 'request', call), no);
});

test('a step that throws or rejects is told with its place', async () => {
  const error = new Error('bug');
  const thrown = steps(
    () => undefined,
    () => {
      throw error;
    },
  );
  const broken = { kind: 'broken', at: 'flows[0].request[1]', error };
  assert.deepEqual(runSteps(thrown.list, 'request', call), broken);
  const rejected = steps(
    () => undefined,
    () => Promise.reject(error),
  );
  assert.deepEqual(await runSteps(rejected.list, 'request', call), broken);
});

test('a step that says that it is not for a request is passed by, its body unread; one that is not for its body runs without; one that throws there is told', () => {
  let ran = 0;
  const reading = (concerns: () => boolean | 'unread'): Step => ({
    ...plain,
    readsRequest: true,
    policy: { request: { needs: 'buffered', concerns, run: () => void (ran += 1) } },
  });
  const passed = new KitCall(plain, createFakeClock(), { body: ['long'] });
  assert.equal(runSteps([reading(() => false)], 'request', passed), undefined);
  assert.deepEqual([ran, passed.isRead], [0, false]);
  assert.equal(runSteps([reading(() => 'unread')], 'request', passed), undefined);
  assert.deepEqual([ran, passed.isRead], [1, false]);
  const error = new Error('bug');
  const thrown = reading(() => {
    throw error;
  });
  assert.deepEqual(runSteps([thrown], 'request', passed), { kind: 'broken', at: '', error });
});

test('no step is reached when the request was over before its turn', async () => {
  const over = new KitCall(plain, createFakeClock());
  const { list, ran } = steps(
    () => Promise.resolve(undefined),
    () => undefined,
  );
  const verdict = runSteps(list, 'request', over);
  over.end();
  assert.equal(await verdict, undefined);
  assert.deepEqual(ran, [0]);
});
