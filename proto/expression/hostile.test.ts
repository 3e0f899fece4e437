import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { language } from './language.ts';
import { compileTemplate } from './template.ts';
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
        const came = made.evaluate(expressionScope());
        assert.ok(['value', 'nothing', 'failed'].includes(came.kind));
        if (came.kind === 'value') assert.notEqual(came.value, Object.prototype);
      },
    ),
    { numRuns: 20_000 },
  );
  // Patterns that take a backtracking engine for ever.
  isWithin(performance.now() - startedAtMs, { msMax: 60_000, what: 'no input takes long' });
});

/** What an expression comes to for a client's body. */
function cameTo(
  source: string,
  content: string | Buffer,
  attributes: ReadonlyMap<string, unknown> = new Map(),
) {
  const made = language(source);
  if (made.kind === 'refused') return made;
  const scope = expressionScope();
  const request = { ...scope.request, content: Buffer.from(content) };
  const whole: ExpressionScope = { ...scope, request, attributes };
  const startedAtMs = performance.now();
  const came = made.evaluate(whole);
  isWithin(performance.now() - startedAtMs, { msMax: 10_000, what: source });
  return came;
}

const work = /take more work/;

test('whatever a client sends, the expressions of a request do bounded work', () => {
  const text = `${'a'.repeat(50_000)}!`;
  for (const pattern of ['(a+)+', '(a|aa)*', '(.*)*x', '([a-z]+)*$'])
    assert.deepEqual(
      cameTo(`#request.content matches '${pattern}'`, text),
      { kind: 'value', value: false },
      pattern,
    );
  const large = 'a'.repeat(10_000_000);
  const items = JSON.stringify({
    items: Array.from({ length: 4_000 }, (_, id) => ({ id: `i${id}` })),
    allowed: Array.from({ length: 20_000 }, (_, id) => `a${id}`),
    prices: Array.from({ length: 5_000 }, (_, p) => ({ p })),
  });
  const objects = JSON.stringify({ a: Array.from({ length: 300_000 }, () => ({})) });
  const names = `{${Array.from({ length: 60_000 }, (_, at) => `"k${at}":${at}`).join()}}`;
  const rows: readonly (readonly [source: string, body: string, why: RegExp])[] = [
    ["#request.content matches '(a?){200}a{200}'", text, work],
    ["#request.content matches 'a+'", large, work],
    ["#request.content.replaceAll('a', 'b')", large, work],
    ["#request.content.split('a').size()", large, work],
    ["#request.content.replaceAll('a', #request.content)", text, /longer than 100000/],
    ["#request.content.replace('a', #request.content)", text, /longer than 100000/],
    ["#request.content.replaceAll('a|(a.*!)', '$7')", text, /no group 7/],
    ["#request.content.replaceAll('a', '$')", text, /without a meaning/],
    ['#request.content + #request.content + #request.content', text, /longer than 100000/],
    ['#request.jsonContent.items.?[#request.jsonContent.allowed.contains(id)].size()', items, work],
    ["#jsonPath(#request.content, '$.items[?(@.id in $.allowed)]').size()", items, work],
    ["#jsonPath(#request.content, '$.prices[?(@.p > $.avg($.prices[*].p))]').size()", items, work],
    ["#jsonPath(#request.content, '$..a..b..c')", objects, work],
    ["#jsonPath(#request.content, '$.b')", large, /more than 1048576 characters/],
    ["#jsonPath(#request.content, '$..a')", '['.repeat(200_000), /JSON of more than 1000 levels/],
    [
      '#request.jsonContent.size()',
      `${'['.repeat(1_001)}${']'.repeat(1_001)}`,
      /JSON of more than 1000 levels/,
    ],
    ['#request.jsonContent.a.size()', objects, work],
    ['#request.jsonContent.size()', names, work],
    ["#jsonPath(#request.content, '$..*..*').size()", names, work],
    [
      "#jsonPath(#request.content, '$.concat($.a, $.a, $.a)')",
      JSON.stringify({ a: text }),
      /longer than 100000/,
    ],
  ];
  for (const [source, body, why] of rows) {
    const came = cameTo(source, body);
    assert.ok(came.kind === 'failed', `${source}: ${JSON.stringify(came).slice(0, 200)}`);
    assert.match(came.why, why, source);
  }
});

test('what many mentions of a body make is bounded: it is decoded and read once, and joined to so much', () => {
  const text = 'a'.repeat(1_000_000);
  const list = `{${Array.from({ length: 300 }, () => '#request.content').join()}}`;
  assert.deepEqual(cameTo(`{1, 2, 3}.![${list}].size()`, text), { kind: 'value', value: 3 });
  const scope = expressionScope();
  const withText = { ...scope, request: { ...scope.request, content: Buffer.from(text) } };
  const joined = compileTemplate('{#request.content}'.repeat(50), z.string());
  assert.ok(joined.kind === 'varying');
  assert.deepEqual(joined.render(withText), {
    kind: 'failed',
    why: 'a text becomes longer than 1000000 characters',
  });
});

test('the budget is that of a request: what one expression spent, another has not', () => {
  const made = language("#request.content matches '(a+)+'");
  assert.ok(made.kind === 'compiled');
  const scope = expressionScope();
  const request = { ...scope.request, content: Buffer.from('a'.repeat(100_000)) };
  const asked: ExpressionScope = { ...scope, request };
  const kinds = Array.from({ length: 20 }, () => made.evaluate(asked).kind);
  assert.deepEqual([kinds[0], kinds.at(-1)], ['value', 'failed']);
  assert.equal(made.evaluate({ ...scope, request }).kind, 'value');
});

test('numbers that are too large or none become what Java makes of them', () => {
  const rows: readonly (readonly [source: string, value: unknown])[] = [
    ["T(Math).round(T(Double).parseDouble('1e999'))", 9_223_372_036_854_775_807n],
    ["T(Double).parseDouble('-1e999').longValue()", -9_223_372_036_854_775_808n],
    ["T(Double).parseDouble('1e308').longValue()", 9_223_372_036_854_775_807n],
    ["T(Double).parseDouble('1e999').intValue()", 2_147_483_647],
    ['4294967297L.intValue()', 1],
    ['(0.0 / 0).longValue()', 0n],
  ];
  for (const [source, value] of rows) assert.deepEqual(cameTo(source, ''), { kind: 'value', value }, source);
});

test('a pattern that is compiled to too much is refused when it is loaded', () => {
  for (const pattern of ['(a{100}){100}', '(((a{30}){30}){30}){30}']) {
    const made = language(`'x' matches '${pattern}'`);
    assert.ok(made.kind === 'refused', pattern);
    assert.match(made.message, /cannot be used/);
  }
});
