import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { checkExpressions } from '../check.ts';
import { language } from '../language.ts';
import { idleComparisons } from './comparisons.ts';

const idle: readonly string[] = [
  "#request.headers['X-Tenant'] == 'acme'",
  "#request.headers['X-Tenant'] eq 'acme'",
  "!(#request.headers['X-Tenant'] != 'acme')",
  "'acme' == #request.headers['x-tenant']",
  "#request.method == 'NONE' || #request.params['page'] == '1'",
  "#request.paths == '/'",
];
const others: readonly string[] = [
  "#request.headers['X-Tenant'][0] == 'acme'",
  "#request.headers['X-Tenant']?.[0] == 'acme'",
  "#request.headers['X-Tenant'] != null",
  "#request.headers['X-Tenant'].contains('acme')",
  "#request.headers['X-Tenant'] == #request.headers['X-Tenant']",
  "#request.headers.getFirst('X-Tenant') == 'acme'",
  "#request.jsonContent.any == 'acme'",
  "#context.attributes['any'] == 'acme'",
  "'a == b' + #request.headers['X-Tenant']",
];

test('all values of a header or parameter, compared with one, are told of: the comparison never holds, also where the one is all of them', () => {
  for (const source of idle) {
    assert.equal(idleComparisons(source).length, 1, source);
    const made = language(source);
    assert.ok(made.kind === 'compiled', source);
    assert.deepEqual(made.evaluate(expressionScope()), { kind: 'value', value: false }, source);
  }
  for (const source of others) assert.deepEqual(idleComparisons(source), [], source);
});

test('a condition with such a comparison is accepted, with a warning at its place', () => {
  const text = "{#request.params['page'] == '1'}";
  const { faults, warnings } = checkExpressions(text, { as: 'condition', phase: 'request' });
  assert.deepEqual(faults, []);
  assert.deepEqual(warnings, [
    { message: 'compares all values with one, which never holds; [0] is the first', at: text.indexOf('==') },
  ]);
});
