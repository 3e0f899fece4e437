import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

/** The query that goes on. */
function passed(config: object, query: string | undefined, headers: Record<string, string> = {}) {
  const call = startPolicy('transform-queryparams', config).call({ request: { query }, headers });
  assert.equal(call.pass(), undefined);
  return [call.request.query, ...call.warnings];
}
const add = (name: string, value: string, appendToExistingArray = false): object => ({
  addQueryParameters: [{ name, value, appendToExistingArray }],
});

test('parameters are cleared, then set, then removed; what nobody names stays as it was sent', () => {
  const rows: readonly (readonly [config: object, query: string | undefined, gone: string | undefined])[] = [
    [{}, 'a=%41&b&&c=1+2', 'a=%41&b&&c=1+2'],
    [{}, undefined, undefined],
    [add('b', '2'), undefined, 'b=2'],
    [add('b', '2'), 'a=1&b=1&c=3&b=9', 'a=1&b=2&c=3'],
    [add('b', '2', true), 'b=1&a=1', 'b=1&a=1&b=2'],
    [{ clearAll: true, ...add('b', '2') }, 'a=1', 'b=2'],
    [{ clearAll: true }, 'a=1', undefined],
    [{ clearAll: true, removeQueryParameters: ['b'], ...add('b', '2') }, 'a=1', 'b=2'],
    [{ removeQueryParameters: ['b'], ...add('b', '2') }, 'a=1', 'a=1'],
    [{ removeQueryParameters: ['a b', '%61'] }, 'a+b=1&a%20b=2&a=3', 'a=3'],
    [{ removeQueryParameters: ['a'] }, '%61=3', undefined],
    [{ removeQueryParameters: ['__proto__'] }, '__proto__=1&a=2', 'a=2'],
  ];
  for (const [config, query, gone] of rows)
    assert.deepEqual(passed(config, query), [gone], JSON.stringify([config, query]));
});

test('a value is what its expression comes to; one that fails or comes to nothing is left out', () => {
  const tenant = "{#request.headers['X-Tenant']?.[0]}";
  assert.deepEqual(passed(add('t', tenant), 'a=1', { 'X-Tenant': 'acme' }), ['a=1&t=acme']);
  assert.deepEqual(passed(add('t', tenant), 't=1'), ['t=1']);
  assert.deepEqual(passed(add('t', "{#request.headers['X'][0]}"), 'a=1'), [
    'a=1',
    'EXPRESSION_EVALUATION_ERROR',
  ]);
  const seen = { ...add('t', "{#request.params['a']?.[0] ?: 'none'}"), clearAll: true };
  assert.deepEqual(passed(seen, 'a=1'), ['t=none'], 'what was cleared cannot be read');
});

test('no value ends the line of the request, or becomes more than its escapes', () => {
  assert.deepEqual(passed(add('n m', 'a b%26&c=d'), undefined), ['n%20m=a%20b%26&c=d']);
  const sent = "{#request.headers['X'][0]}";
  assert.deepEqual(passed(add('t', sent), undefined, { X: 'a HTTP/1.1#"<>\\^`{|}\u00e9' }), [
    't=a%20HTTP/1.1%23%22%3C%3E%5C%5E%60%7B%7C%7D%C3%A9',
  ]);
  assert.deepEqual(passed(add('t', "{#jsonPath('[\"a\\r\\nb\\ud800\"]', '$[0]')}"), undefined), [
    't=a%0D%0Ab%EF%BF%BD',
  ]);
});
