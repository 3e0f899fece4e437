import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { compileCondition, compileSelectionRule } from './condition.ts';

/** Whether it holds, with the warnings of the request; or why it is none. */
function asked(text: string, compile = compileCondition) {
  const made = compile(text);
  if ('kind' in made) return made.message;
  const warnings: string[] = [];
  const isHeld = made.holds({
    ...expressionScope(),
    warn: (key, why) => void warnings.push(`${key} ${why}`),
  });
  return warnings.length === 0 ? isHeld : warnings;
}

test('a condition is an expression or a word; one that comes to nothing does not hold, nor does one that fails, which warns', () => {
  const rows: readonly (readonly [text: string, held: ReturnType<typeof asked>])[] = [
    ['', true],
    ['  ', true],
    ['true', true],
    [' YES ', true],
    ['on', true],
    ['1', true],
    ['false', false],
    ['no', false],
    ['off', false],
    ['0', false],
    ["{#request.headers['X-Tenant'][0] == 'acme'} ", true],
    ["{#request.headers['X-Tenant'] == 'acme'}", false],
    ["{#context.attributes['zz']}", false],
    ['{(true)}', true],
    ["{#request.method == 'GET' ? 'tru' : 'fals'}e", false],
    ["{#request.headers['Nope'][0] == 'a'}", ['EXPRESSION_EVALUATION_ERROR [0] of nothing']],
    ['{#request.params.page[0] > 2}', ['EXPRESSION_EVALUATION_ERROR a text and a number have no order']],
    ['{#response.status}', ['EXPRESSION_EVALUATION_ERROR a number is no boolean']],
    ['{#request.method}', ['EXPRESSION_EVALUATION_ERROR a text is no boolean']],
    ['{#request.headers}', ['EXPRESSION_EVALUATION_ERROR headers or parameters is no boolean']],
  ];
  for (const [text, held] of rows) assert.deepEqual(asked(text), held, text);
});

test('what could never hold, or cannot be read, is refused before there is a request', () => {
  const never = 'is no expression and would never hold; allowed: {#...}, true, false';
  assert.equal(asked("#request.method == 'POST'"), never);
  assert.equal(asked("(#request.method == 'POST')"), never);
  assert.match(String(asked('{#request.}')), /a name is expected, the end found \(at its character 10\)/);
  assert.match(String(asked('{#request.attributes.x}')), /#request.attributes is unknown/);
  assert.match(String(asked("{#request.id + '{'}")), /its closing brace is missing/);
});

test('a selection rule may leave its braces out', () => {
  assert.equal(asked("#request.method == 'POST'", compileSelectionRule), true);
  assert.equal(asked("{#request.method == 'POST'}", compileSelectionRule), true);
  assert.equal(asked("  #context.attributes['claims'].groups[0] == 'b'", compileSelectionRule), false);
  assert.equal(asked('', compileSelectionRule), true);
  assert.match(String(asked('(#a && #b)', compileSelectionRule)), /would never hold/);
});
