import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

const step = (attributes: Readonly<Record<string, string>>, phase: 'request' | 'response' = 'request') =>
  startPolicy(
    'policy-assign-attributes',
    { attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })) },
    { place: { phase } },
  );

test('attributes are set in their order, each with its type, and a later one reads an earlier one', async () => {
  const call = step({
    plain: 'text',
    method: '{#request.method}',
    joined: "{#context.attributes['plain']}-{#context.attributes['method']}",
    number: '{(7 / 2)}',
    sku: '{#request.jsonContent.lines.![sku]}',
    first: "{#context.attributes['sku'][0]}",
    tags: '{#request.headers}',
    tag: "{#context.attributes['tags']['X-Tag'][1]}",
    plan: 'mine',
  }).call({
    headers: { 'X-Tag': 'a', 'x-tag': 'b' },
    body: ['{"lines":[{"sku":"a1"},', '{"sku":"b2"}]}'],
    attributes: { plan: 'gold' },
  });
  assert.equal(await call.pass(), undefined);
  assert.deepEqual(
    ['plain', 'method', 'joined', 'number', 'first', 'plan'].map((name) => call.attributes.get(name)),
    ['text', 'GET', 'text-GET', 3, 'a1', 'mine'],
  );
  assert.deepEqual(call.attributes.get('sku'), ['a1', 'b2']);
  assert.deepEqual(call.warnings, []);
});

test('one that fails or comes to nothing sets nothing and keeps what was there; the request goes on', () => {
  const call = step({
    failing: "{#request.headers['Nope'][0]}",
    nothing: "{#request.headers['Nope']}",
    tool: '{T(java.util.Base64).getEncoder()}',
    __proto__x: 'p',
    after: 'yes',
  }).call({ attributes: { nothing: 'before' } });
  assert.equal(call.pass(), undefined);
  assert.deepEqual(
    [...call.attributes],
    [
      ['nothing', 'before'],
      ['__proto__x', 'p'],
      ['after', 'yes'],
    ],
  );
  assert.deepEqual(call.warnings, ['EXPRESSION_EVALUATION_ERROR', 'EXPRESSION_EVALUATION_ERROR']);
});

test('in the response phase it reads the answer', async () => {
  const call = step({ was: '{#response.status} {#response.content}' }, 'response').call();
  assert.equal(call.pass(), undefined);
  assert.equal(await call.answer({ status: 404, body: 'gone' }), undefined);
  assert.equal(call.attributes.get('was'), '404 gone');
});
