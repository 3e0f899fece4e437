import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { answerOf, failureOf } from '../../../test/kit/gateway/backend-answers.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import type { BackendAnswer } from '../policy.ts';

/** Asks through a retry a backend that says one thing after another; says what goes on and how often it was asked. */
async function asked(
  says: readonly BackendAnswer[],
  configuration: object = {},
): Promise<readonly [went: string | number, times: number, warnings: string]> {
  const call = startPolicy('retry', { condition: '{#response.status >= 500}', ...configuration }).call();
  let times = 0;
  const answer = await call.ask(() => Promise.resolve(says[times++] ?? assert.fail('asked too often')));
  const went =
    answer.kind === 'response'
      ? answer.head.status
      : answer.kind === 'reject'
        ? answer.key
        : answer.kind === 'failure'
          ? answer.failure
          : answer.kind;
  return [went, times, call.warnings.join()];
}

test('an answer of which the condition holds, and a failure of the backend, are asked for again; at most maxRetries times', async () => {
  assert.deepEqual(await asked([answerOf(200)]), [200, 1, '']);
  assert.deepEqual(await asked([answerOf(500), answerOf(404)]), [404, 2, '']);
  assert.deepEqual(await asked([failureOf('reset'), answerOf(201)]), [201, 2, '']);
  assert.deepEqual(await asked([answerOf(500), answerOf(503)]), ['RETRY_EXHAUSTED', 2, '']);
  const three = { maxRetries: 3 };
  const bad = [answerOf(500), failureOf('connectRefused'), answerOf(502)];
  assert.deepEqual(await asked([...bad, answerOf(204)], three), [204, 4, '']);
  assert.deepEqual(await asked([...bad, answerOf(500)], three), ['RETRY_EXHAUSTED', 4, '']);
  assert.deepEqual(await asked([answerOf(500), answerOf(200)], { maxRetries: 0 }), [200, 2, ''], '0 is 1');
});

test('lastResponse lets the last answer through, but not where the last attempt failed', async () => {
  const last = { lastResponse: true };
  assert.deepEqual(await asked([answerOf(500), answerOf(503)], last), [503, 2, '']);
  assert.deepEqual(await asked([answerOf(500), failureOf('reset')], last), ['RETRY_EXHAUSTED', 2, '']);
});

test('what the client breaks off, and what a step in front answers, is not asked for again', async () => {
  assert.deepEqual(await asked([failureOf('aborted')]), ['aborted', 1, '']);
  assert.deepEqual(await asked([failureOf('requestBodyFailed')]), ['requestBodyFailed', 1, '']);
  const refusal = { kind: 'reject', key: 'NO', status: 503, message: '', parent: undefined } as const;
  assert.deepEqual(await asked([{ ...refusal, parameters: {}, headers: [] }]), ['NO', 1, '']);
});

test('a condition that cannot be told does not hold, and the record is warned', async () => {
  const condition = "{#response.headers['X-None'][0].length() > 3}";
  assert.deepEqual(await asked([answerOf(500)], { condition }), [500, 1, 'EXPRESSION_EVALUATION_ERROR']);
});

test('an attempt that is slower than timeout counts as failed, and delay passes before the next', async () => {
  const { clock, call } = startPolicy('retry', {
    condition: '{#response.status >= 500}',
    timeout: 200,
    delay: 50,
  });
  const asked: number[] = [];
  const answer = call().ask(() => {
    asked.push(clock.monotonicMs());
    return asked.length === 1 ? new Promise(() => undefined) : Promise.resolve(answerOf(200));
  });
  await clock.advance(199);
  assert.equal(clock.pending, 1, 'it still waits for the first');
  await clock.advance(51);
  assert.equal((await answer).kind, 'response');
  assert.deepEqual(asked, [0, 250]);
});

test('bounds and words that cannot be are refused by their paths', () => {
  const refused = (configuration: object): string =>
    catalog.retry.config
      .safeParse({ condition: '{#response.status >= 500}', ...configuration })
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
      .join() ?? '';
  for (const fine of [{}, { maxRetries: 20 }, { delay: 60_000 }, { timeout: 60_000 }])
    assert.equal(refused(fine), '');
  assert.match(refused({ maxRetries: 21 }), /^maxRetries /);
  assert.match(refused({ delay: 60_001 }), /^delay /);
  assert.match(refused({ timeout: 60_001 }), /^timeout /);
  assert.match(refused({ condition: '' }), /^condition is required/);
  assert.match(refused({ condition: '{#response.content.length() > 3}' }), /^condition reads a body/);
});
