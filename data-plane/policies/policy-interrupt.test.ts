import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

const config = {
  errorKey: 'NOT_TODAY',
  message: 'No {#request.method} today',
  statusCode: 418,
  variables: [
    { name: 'tenant', value: "{#request.headers['X-Tenant'][0]}" },
    { name: '__proto__', value: 'harmless' },
    { name: 'nothing', value: "{#request.headers['Nope']}" },
  ],
};

test('the request ends with the key, the status and the words of the definition; variables are parameters of the error', () => {
  const refused = startPolicy('policy-interrupt', config)
    .call({ headers: { 'X-Tenant': 'acme' } })
    .pass();
  assert.deepEqual(refused, {
    kind: 'reject',
    key: 'NOT_TODAY',
    status: 418,
    message: 'No GET today',
    parent: undefined,
    headers: [],
    parameters: new Map([
      ['tenant', 'acme'],
      ['__proto__', 'harmless'],
    ]),
  });
});

test('a variable that fails is left out, and so is the message; the status is 500 unless another is said', () => {
  const { statusCode: _said, ...rest } = config;
  const call = startPolicy('policy-interrupt', { ...rest, message: "{#request.headers['Nope'][0]}" }).call();
  const refused = call.pass();
  assert.ok(refused !== undefined && 'kind' in refused && refused.kind === 'reject');
  assert.deepEqual([refused.status, refused.message], [500, '']);
  assert.deepEqual(call.warnings, ['EXPRESSION_EVALUATION_ERROR', 'EXPRESSION_EVALUATION_ERROR']);
});

test('in the response phase it takes the place of the answer', async () => {
  const step = startPolicy(
    'policy-interrupt',
    { errorKey: 'BAD_BACKEND', message: 'It said {#response.content}' },
    { place: { phase: 'response' } },
  );
  const refused = await step.call().answer({ status: 500, body: 'oops' });
  assert.ok(refused !== undefined && refused.kind === 'reject');
  assert.deepEqual([refused.key, refused.message], ['BAD_BACKEND', 'It said oops']);
});
