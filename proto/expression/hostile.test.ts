import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { expressionScope as scope } from '../../test/kit/gateway/expression-scope.ts';
import { language } from './language.ts';
import type { ExpressionScope } from './scope.ts';

/* Whoever writes an expression, or sends what it reads, gets a refusal, a failure or a value, in bounded time and memory. */

test('no text crashes it, hangs it or reaches a prototype: refused, failed, or a value', () => {
  const words = [
    '#request',
    '.',
    'headers',
    "['",
    "']",
    '__proto__',
    'constructor',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    '?.',
    '?[',
    '![',
    "'a'",
    '1',
    '2L',
    '1.5',
    '+',
    '*',
    '^',
    'matches',
    '#this',
    '#jsonPath',
    ',',
    ':',
    '?',
    'T(Math)',
    '.abs',
    '#context.attributes',
    'params',
    'toString',
    '!',
    'null',
    '==',
    '&&',
    'paths',
    'jsonContent',
    'lines',
  ];
  const startedAtMs = performance.now();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 40 }),
        fc.array(fc.constantFrom(...words), { maxLength: 20 }).map((some) => some.join('')),
      ),
      (source) => {
        const made = language(source);
        if (made.kind === 'refused') return assert.ok(made.at <= source.length);
        const came = made.evaluate(scope);
        assert.ok(['value', 'nothing', 'failed'].includes(came.kind));
        if (came.kind === 'value') assert.notEqual(came.value, Object.prototype);
      },
    ),
    { numRuns: 20_000 },
  );
  // Patterns that take a backtracking engine for ever.
  const body = Buffer.from(`${'a'.repeat(50_000)}!`);
  const withBody: ExpressionScope = { ...scope, request: { ...scope.request, content: body } };
  const cameTo = (source: string) => {
    const made = language(source);
    return made.kind === 'compiled' ? made.evaluate(withBody) : made;
  };
  for (const pattern of ['(a+)+', '(a|aa)*', '(.*)*x', '([a-z]+)*$'])
    assert.deepEqual(
      cameTo(`#request.content matches '${pattern}'`),
      { kind: 'value', value: false },
      pattern,
    );
  for (const [source, why] of [
    ["#request.content matches '(a?){200}a{200}'", /more than 4000000 steps/],
    ["#request.content.replaceAll('a', #request.content)", /longer than 100000/],
    ["#request.content.replace('a', #request.content)", /longer than 100000/],
    ["#request.content.replaceAll('a|(a.*!)', '$7')", /no group 7/],
    ["#request.content.replaceAll('a', '$')", /without a meaning/],
    ['#request.content + #request.content + #request.content', /longer than 100000/],
  ] as const) {
    const came = cameTo(source);
    assert.ok(came.kind === 'failed', `${source}: ${JSON.stringify(came).slice(0, 200)}`);
    assert.match(came.why, why, source);
  }
  const deep = Buffer.from('['.repeat(200_000));
  const made = language("#jsonPath(#request.content, '$..a')");
  assert.ok(made.kind === 'compiled');
  assert.equal(made.evaluate({ ...scope, request: { ...scope.request, content: deep } }).kind, 'failed');
  assert.ok(performance.now() - startedAtMs < 60_000, 'no input takes long');
});

test('a selection in a selection looks at so many items and no more', () => {
  const wide = Array.from({ length: 1_000 }, (_, n) => n);
  const made = language('#context.attributes.wide.?[#context.attributes.wide.?[#this > 1].size() > 0]');
  assert.ok(made.kind === 'compiled');
  const came = made.evaluate({ ...scope, attributes: new Map([['wide', wide]]) });
  assert.deepEqual(came, { kind: 'failed', why: 'an expression looks at more than 100000 items' });
});
