import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkExpressions, knownRoots } from './check.ts';

test('every fault of a text is told with its place in the text', () => {
  const text = "a {#request.headrs} b {#api.id} c {#nothing['x']} d {#request.path";
  const { faults } = checkExpressions(text, { as: 'text', phase: 'request' });
  assert.equal(faults.length, 3);
  assert.equal(faults[0]?.at, text.indexOf('headrs'));
  assert.match(faults[0]?.message ?? '', /headers/, 'the nearest name');
  assert.match(text.slice(faults[1]?.at), /^#?nothing/);
  assert.equal(faults[2]?.at, text.length);
});

test('what a text names and needs is told, and what fails in its phase', () => {
  const text = '{#request.content + #api.id} {#response.status}';
  const inRequest = checkExpressions(text, { as: 'text', phase: 'request' });
  assert.deepEqual(
    [inRequest.faults, inRequest.needs, inRequest.roots],
    [[], 'buffered', ['api', 'request', 'response']],
  );
  assert.deepEqual(
    inRequest.warnings.map(({ at }) => at),
    [text.indexOf('{#response')],
  );
  assert.deepEqual(checkExpressions(text, { as: 'text', phase: 'response' }).warnings, []);
});

test('a condition is an expression or a word, and a rule may leave out its braces', () => {
  const faultsOf = (text: string, as: 'condition' | 'rule') =>
    checkExpressions(text, { as, phase: 'request' }).faults;
  assert.deepEqual([faultsOf('true', 'condition'), faultsOf('', 'condition')], [[], []]);
  assert.match(faultsOf('#request.path', 'condition')[0]?.message ?? '', /would never hold/);
  assert.deepEqual(faultsOf("#request.method == 'GET'", 'rule'), []);
  const text = "  #request.metod == 'GET'";
  const [fault] = faultsOf(text, 'rule');
  assert.equal(text.slice(fault?.at).slice(0, 5), 'metod');
});

test('what an expression may name is listed with its members and its place', () => {
  const known = new Map(knownRoots().map((root) => [root.name, root]));
  assert.ok(known.get('request')?.members?.includes('pathParams'));
  assert.equal(known.get('jsonPath')?.isFunction, true);
  assert.equal(known.get('error')?.place, 'response templates');
  assert.equal(known.get('request')?.place, undefined);
});
