import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionsIn } from './query-text.ts';
import { isWithin } from '../../../test/kit/pace.ts';

test('a query of the reference means conditions, of which each has to hold', () => {
  const one = (by: string, operator: string, ...values: string[]) => ({ by, operator, values });
  for (const [query, expected] of [
    ['', []],
    ['*', []],
    ['api:x', [one('API', 'IN', 'x')]],
    ['api:"x y"', [one('API', 'IN', 'x y')]],
    ['status:[500 TO 599]', [one('HTTP_STATUS', 'GTE', '500'), one('HTTP_STATUS', 'LTE', '599')]],
    ['response-time:[* TO 20]', [one('HTTP_GATEWAY_RESPONSE_TIME', 'LTE', '20')]],
    ['(plan:a OR plan:b) AND method:3', [one('PLAN', 'IN', 'a', 'b'), one('HTTP_METHOD', 'IN', 'GET')]],
    [
      'status:(401 OR 403) AND uri:*\\/pets*',
      [one('HTTP_STATUS', 'IN', '401', '403'), one('URI', 'CONTAINS', '/pets')],
    ],
    ['_id:"a\\"b"', [one('REQUEST_ID', 'IN', 'a"b')]],
    ['api-id:__proto__', [one('API', 'IN', '__proto__')]],
  ] as const)
    assert.deepEqual(conditionsIn(query), expected, query);
});

test('what a query says that cannot be asked is refused, never passed over', () => {
  for (const query of [
    'pets',
    'zone:eu',
    '__proto__:x',
    'api:',
    'api:x plan:y',
    'api:x OR plan:y',
    'api:x OR uri:*y*',
    'NOT api:x',
    '(api:x',
    'api:x)',
    'uri:[a TO b]',
    'uri:[1 TO 2]',
    'status:{1 TO 2}x)',
    'api:()',
    'api:*',
    Array.from({ length: 51 }, () => 'api:x').join(' AND '),
  ])
    assert.throws(
      () => conditionsIn(query),
      (error) =>
        (error as { code?: string; details?: { path: string }[] }).code === 'request.invalid' &&
        (error as { details?: { path: string }[] }).details?.[0]?.path === 'query',
      query,
    );
});

test('a query of any length is read in time that grows with it', () => {
  for (const query of [
    '('.repeat(8_192),
    'a'.repeat(8_192),
    `api:${'\\'.repeat(8_000)}`,
    ' '.repeat(8_192),
  ]) {
    const startMs = performance.now();
    try {
      conditionsIn(query);
    } catch {
      // Refused or not: here only the time counts.
    }
    isWithin(performance.now() - startMs, { msMax: 200, what: query.slice(0, 9) });
  }
});
