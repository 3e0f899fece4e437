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

test('a failure that a method throws is told from an expression that has no value', () => {
  const rows: readonly (readonly [text: string, isThrown: boolean])[] = [
    // What the language itself says: a missing member, an index, a kind, a pattern of the operator, a document.
    ["{#request.headers['Nope'][0] == 'a'}", false],
    ["{#request.headers['Nope'].contains('a')}", false],
    ['{#request.paths[99] == null}', false],
    ["{#request.method matches ('(' + '')}", false],
    ['{#request.method > 1}', false],
    ['{#response.status}', false],
    ["{('a' + #request.headers == 'a')}", false],
    ['{T(Math).abs(#request.method) == 1}', false],
    ["{#request.method.substring(#request.method) == 'a'}", false],
    ["{#jsonPath('nope', '$.a') == 'a'}", false],
    ["{#xpath('<a', '/a') == 'a'}", false],
    // What a method throws, and whatever grows with what a client sends.
    ["{#request.method.matches('(')}", true],
    ["{#request.method.replaceAll('(', '') == 'a'}", true],
    ["{#request.method.split('(').size() == 1}", true],
    ["{T(Integer).parseInt('x') == 1}", true],
    ["{T(Integer).parseInt('x') == 1}e", true],
    ["{T(Long).parseLong('x') == 1}", true],
    ["{T(Double).parseDouble('x') == 1}", true],
    ["{T(java.net.URLDecoder).decode('%', 'UTF-8') == 'a'}", true],
    ["{T(java.util.Base64).getDecoder().decode('?') == null}", true],
    ["{T(java.time.LocalDate).parse('x') == null}", true],
    ['{(1 / (#response.status - #response.status) == 1)}', true],
    ['{(1 % 0 == 1)}', true],
    ["{#request.method.substring(99) == 'a'}", true],
    ["{#request.method.charAt(99) == 'a'}", true],
    ['{#request.paths.get(99) == null}', true],
    ["{({1, 2}.![T(Integer).parseInt('x')].size() == 1)}", true],
    ["{T(Integer).parseInt('x') == 1 || true}", true],
    ["{#request.method.matches('(') ? true : true}", true],
    // Of all that it may do together, each of these takes a part.
    [`{(${'{1,2,3,4,5,6,7,8,9,10}.!['.repeat(6)}#this${']'.repeat(6)}.size() == 1)}`, true],
  ];
  for (const [text, isThrown] of rows) {
    const made = compileCondition(text);
    assert.ok('judge' in made, `${text}: ${'message' in made ? made.message : ''}`);
    const judged = made.judge(expressionScope());
    assert.ok(typeof judged === 'object', `${text} failed not, but came to ${JSON.stringify(judged)}`);
    assert.equal(judged.isThrown ?? false, isThrown, `${text}: ${judged.why}`);
  }
});
