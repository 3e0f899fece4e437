import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Policy, type PolicyContext, reject, type Verdict } from '../policies/policy.ts';
import type { Step } from './pipeline.ts';
import { runSteps } from './run-steps.ts';

const context = {} as PolicyContext;
const no = reject('NO', { status: 400, message: 'no' });
const answer = (body: string): Verdict => ({ kind: 'answer', status: 200, headers: [], body });

function steps(...hooks: readonly NonNullable<Policy['onRequest']>[]): {
  list: readonly Step[];
  ran: number[];
} {
  const ran: number[] = [];
  const list = hooks.map((hook, index) => ({
    at: `flows[0].request[${index}]`,
    needsBody: false,
    policy: { onRequest: (given: PolicyContext) => (ran.push(index), hook(given)) },
  }));
  return { list, ran };
}

test('a synchronous pipeline stays synchronous', () => {
  const { list, ran } = steps(
    () => undefined,
    () => undefined,
  );
  assert.equal(runSteps(list, 'onRequest', context), undefined);
  assert.deepEqual(ran, [0, 1]);
  assert.equal(runSteps([], 'onResponse', context), undefined);
});

test('from the first promise on it is asynchronous, in order', async () => {
  const { list, ran } = steps(
    () => undefined,
    () => Promise.resolve(undefined),
    () => undefined,
  );
  const verdict = runSteps(list, 'onRequest', context);
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
  assert.equal(runSteps(now.list, 'onRequest', context), no);
  assert.deepEqual(now.ran, [0]);
  const later = steps(
    () => Promise.resolve(no),
    () => undefined,
  );
  assert.equal(await runSteps(later.list, 'onRequest', context), no);
  assert.deepEqual(later.ran, [0]);
  const answered = steps(
    () => answer('first'),
    () => Promise.resolve(undefined),
    () => answer('second'),
    () => undefined,
  );
  assert.deepEqual(await runSteps(answered.list, 'onRequest', context), answer('second'));
  const refused = steps(
    () => answer('first'),
    () => no,
  );
  assert.equal(runSteps(refused.list, 'onRequest', context), no);
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
  assert.deepEqual(runSteps(thrown.list, 'onRequest', context), broken);
  const rejected = steps(
    () => undefined,
    () => Promise.reject(error),
  );
  assert.deepEqual(await runSteps(rejected.list, 'onRequest', context), broken);
});
