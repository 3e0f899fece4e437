import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

/* What a route comes to at the backend: gateway/call/routing.test.ts. */

const routed = (rules: readonly object[], pathInfo: string) => {
  const call = startPolicy('dynamic-routing', { rules }).call({ request: { pathInfo } });
  const verdict = call.pass();
  const key = verdict !== undefined && 'key' in verdict ? `${verdict.status} ${verdict.key}` : undefined;
  return [call.attributes.get('request.endpoint'), key, ...call.warnings];
};

test('the first rule that matches the whole path says where the request goes, groups as they were sent', () => {
  const rules = [
    { pattern: '/a', url: 'x:/first' },
    { pattern: '/a(?<rest>/.*)?', url: "{#endpoints['second']}/{#group[0]}-{#groupName['rest']}" },
    { pattern: "/{#request.headers['Nope']?.[0] ?: 'none'}", url: 'x:/varying' },
  ];
  assert.deepEqual(routed(rules, '/a'), ['x:/first', undefined]);
  assert.deepEqual(routed(rules, '/a/b%20c'), ['second://b%20c-/b%20c', undefined]);
  assert.deepEqual(routed(rules, '/none'), ['x:/varying', undefined]);
  assert.deepEqual(routed(rules, '/ab'), [undefined, '400 DYNAMIC_ROUTING_NO_MATCH']);
  assert.deepEqual(routed([], '/ab'), [undefined, undefined]);
});

test('a pattern that cannot be used, or an expression that fails, ends the request; matching takes linear time', () => {
  const failure = [undefined, '500 DYNAMIC_ROUTING_FAILURE', 'EXPRESSION_EVALUATION_ERROR'];
  assert.deepEqual(routed([{ pattern: '/a', url: '{#group[0]}' }], '/a'), failure);
  assert.deepEqual(routed([{ pattern: "{('(' + '?=a)')}", url: 'x:/' }], '/a'), failure);
  assert.throws(
    () => startPolicy('dynamic-routing', { rules: [{ pattern: '(?=a)', url: 'x:/' }] }),
    /cannot be used/,
  );
  assert.deepEqual(routed([{ pattern: '/(a+)+', url: 'x:/' }], `/${'a'.repeat(5_000)}!`), [
    undefined,
    '400 DYNAMIC_ROUTING_NO_MATCH',
  ]);
});
