import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type CallWish, startPolicy } from '../../../test/kit/gateway/policies.ts';

const input = "{#request.params['a']}";

/** What is said of the rules that are broken. */
async function brokenBy(
  rules: readonly object[],
  wish: CallWish,
  more: object = {},
): Promise<readonly string[]> {
  const call = startPolicy('policy-request-validation', { rules, ...more }).call(wish);
  const verdict = await call.pass();
  if (verdict?.kind !== 'reject') return [];
  assert.equal(verdict.key, 'REQUEST_VALIDATION_INVALID');
  const { message, constraints } = JSON.parse(verdict.content?.body ?? '') as {
    message: string;
    constraints: string[];
  };
  assert.equal(message, verdict.message);
  return constraints;
}

const kept = async (type: string, parameters: readonly string[], value: string): Promise<boolean> => {
  const wish = { request: { query: `a=${encodeURIComponent(value)}` } };
  return (await brokenBy([{ input, constraint: { type, parameters } }], wish)).length === 0;
};

const cases: readonly (readonly [
  type: string,
  parameters: readonly string[],
  value: string,
  isKept: boolean,
])[] = [
  ['NOT_NULL', [], '', true],
  ['MIN', ['5'], '5', true],
  ['MIN', ['5'], '4.999', false],
  ['MIN', ['5.9'], '5', true],
  ['MIN', ['-5'], '-6', false],
  ['MIN', ['99999999999999999999'], '99999999999999999998', false],
  ['MIN', ['5'], 'five', false],
  ['MIN', [], '5', false],
  ['MAX', ['5'], '5.999', true],
  ['MAX', ['5'], '6', false],
  ['MAIL', [], 'a.b+c@example.co.uk', true],
  ['MAIL', [], 'a%40example.com', true],
  ['MAIL', [], 'a@example.c', false],
  ['MAIL', [], 'a@example.longest', false],
  ['MAIL', [], 'a@b@example.com', false],
  ['DATE', ['yyyy-MM-dd'], '2024-02-29', true],
  ['DATE', ['yyyy-MM-dd'], '2023-02-29', false],
  ['DATE', ['yyyy-MM-dd'], '2024-02-29T10:00', true],
  ['DATE', ['yyyy-MM-dd'], '29.02.2024', false],
  ['DATE', ['yyyy-QQ'], '2024-02', false],
  ['DATE', [], '2024-02-29', false],
  ['PATTERN', ['b+'], 'abc', true],
  ['PATTERN', ['^b+$'], 'abc', false],
  ['PATTERN', [], 'abc', false],
  ['SIZE', ['2', '3'], 'ab', true],
  ['SIZE', ['2', '3'], 'abc', true],
  ['SIZE', ['2', '3'], 'a', false],
  ['SIZE', ['2', '3'], 'abcd', false],
  ['SIZE', ['2'], 'ab', false],
  ['ENUM', ['a', 'b'], 'b', true],
  ['ENUM', ['a', 'b'], 'B', false],
  ['ENUM', [], '', false],
];

test('each constraint holds for what it is for and for nothing else, on both sides of its bounds', async () => {
  for (const [type, parameters, value, isKept] of cases)
    assert.equal(await kept(type, parameters, value), isKept, `${type} ${parameters.join(' ')} of ${value}`);
});

test('a pattern that would take exponential time elsewhere breaks its rule at once, or keeps to it', async () => {
  assert.equal(await kept('PATTERN', ['(x+x+)+y'], 'x'.repeat(10_000)), false);
});

test('what comes to nothing breaks its rule where it is required, an empty text is asked in any case', async () => {
  for (const type of ['NOT_NULL', 'MIN', 'ENUM']) {
    const constraint = { type, parameters: ['1'] };
    assert.equal((await brokenBy([{ input, constraint }], {})).length, 1, type);
    assert.deepEqual(await brokenBy([{ input, isRequired: false, constraint }], {}), [], type);
  }
  const empty = { request: { query: 'a=' } };
  const rule = { input, isRequired: false, constraint: { type: 'MIN', parameters: ['1'] } };
  assert.equal((await brokenBy([rule], empty)).length, 1);
});

test('all broken rules are said, in their words, with value and parameters in the places of %s', async () => {
  const rules = [
    { input, constraint: { type: 'MAX', parameters: ['3'], message: '%s over %s, %s' } },
    { input, constraint: { type: 'ENUM', parameters: ["{#request.headers['X-One'][0]}"] } },
    { input, constraint: { type: 'NOT_NULL' } },
  ];
  const said = await brokenBy(rules, { request: { query: 'a=7%s' }, headers: { 'X-One': 'x' } });
  assert.deepEqual(said, ['7%s over 3, %s', "'7%s' is not one of the values that are allowed"]);
});

test('an input that cannot be evaluated is one violation, and nothing behind it is asked', async () => {
  const rules = [{ input: "{#request.headers['X'][0].toBigNumber()}" }, { input }];
  const config = catalog['policy-request-validation'].config.safeParse({ rules });
  const failing = config.success ? rules : [{ input: "{#jsonPath('no json', '$.a')}" }, { input }];
  assert.equal((await brokenBy(failing, {})).length, 1);
});

test('the status is what the configuration says, and templates know the violations', async () => {
  const call = startPolicy('policy-request-validation', { status: '422', rules: [{ input }] }).call();
  const verdict = await call.pass();
  assert.ok(verdict?.kind === 'reject');
  assert.deepEqual([verdict.status, verdict.parameters], [422, { violations: 'must not be null' }]);
});

test('the body is read where an expression reads it, and only there', () => {
  const needs = (expression: string) =>
    startPolicy('policy-request-validation', { rules: [{ input: expression }] }).policy.request?.needs;
  assert.equal(needs(input), 'head');
  assert.equal(needs("{#jsonPath(#request.content, '$.a')}"), 'buffered');
});

test('a configuration that cannot be is refused with its path', () => {
  const { config } = catalog['policy-request-validation'];
  const pathOf = (changes: object): unknown =>
    config.safeParse({ rules: [], ...changes }).error?.issues[0]?.path.join('.');
  assert.equal(pathOf({ status: '199' }), 'status');
  assert.equal(pathOf({ status: '600' }), 'status');
  assert.equal(pathOf({ status: '599' }), undefined);
  assert.equal(pathOf({ rules: [{ input: '{#nothing.x}' }] }), 'rules.0.input');
  assert.equal(pathOf({ rules: [{ input, constraint: { type: 'BIG' } }] }), 'rules.0.constraint.type');
  const pattern = (type: string, ...parameters: readonly string[]) =>
    pathOf({ rules: [{ input, constraint: { type, parameters } }] });
  for (const none of ['(', '^(?=.*[A-Z]).{8,}$', '(a)\\1'])
    assert.equal(pattern('PATTERN', none), 'rules.0.constraint.parameters.0', none);
  assert.equal(pattern('PATTERN', '(a+)+$', '('), undefined);
  assert.equal(pattern('PATTERN', "{#request.headers['X-Pattern'][0]}"), undefined);
  assert.equal(pattern('ENUM', '('), undefined);
});
