import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { headerValueSchema } from '../model/head-text.ts';
import { expressionMessageFor, hasExpression, piecesOf } from './find.ts';
import type { ExpressionScope } from './scope.ts';
import { compileTemplate, isConstant, type Language, needsOf, template } from './template.ts';
import { valueOf } from './values.ts';

/** A request of which only attributes are asked for. */
const scopeOf = (given: Readonly<Record<string, unknown>>): ExpressionScope => ({
  ...expressionScope(),
  attributes: new Map(Object.entries(given)),
});

/** Knows `#name`: the attribute of that name, null where there is none; `#boom` fails, `#content` needs the body. */
const attributes: Language = (source) => {
  const name = /^#(\w+)$/.exec(source)?.[1];
  if (name === undefined) return { kind: 'refused', message: 'not a name', at: 0 };
  return {
    kind: 'compiled',
    needs: name === 'content' ? 'buffered' : 'head',
    evaluate(scope) {
      if (name === 'boom') return { kind: 'failed', why: 'boom' };
      const value = scope.attributes.get(name);
      return value === undefined ? { kind: 'nothing' } : { kind: 'value', value: valueOf(value) };
    },
  };
};

const text = z.string().max(10);
const longText = z.string().max(100);

test('a text without expressions is a constant of its type, known when it is compiled', () => {
  const schema = z.strictObject({
    number: template(z.string().regex(/^\d*$/).transform(Number)).prefault(''),
    text: template(longText),
  });
  const { number, text: written } = schema.parse({ number: '12', text: '{2} { "a": 1 } [0-9]{2}' });
  assert.deepEqual(number.render(scopeOf({})), { kind: 'value', value: 12 });
  assert.ok(number.kind === 'constant' && number.value === 12);
  assert.ok(isConstant([number, written]));
  assert.equal(needsOf([number, written]), 'head');
  const absent = schema.parse({ text: '' }).number;
  assert.ok(absent.kind === 'constant' && absent.value === 0);
});

test('a text that the field does not take, and an expression, are refused by the field; the expression is named', () => {
  const schema = z.strictObject({ key: template(text).prefault('') });
  const said = (key: unknown): string | undefined =>
    schema
      .safeParse({ key })
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join();
  assert.equal(said('0123456789'), undefined);
  assert.match(said('01234567890') ?? '', /^key: .*10/);
  assert.match(said(7) ?? '', /^key: /);
  for (const [written, reason] of [
    [
      "a {#request.header['X'][0]} b",
      "{#request.header['X'][0]}: #request.header is unknown to this version; did you mean headers? (at its character 10)",
    ],
    ['{ #x }', '{ #x }: #x is unknown to this version (at its character 2)'],
    ['{(1 + )}', '{(1 + )}: unexpected ")" (at its character 6)'],
    [
      '{T(java.lang.Runtime).getRuntime()}',
      '{T(java.lang.Runtime).getRuntime()}: T(java.lang.Runtime) is unknown to this version, which has java.lang.Math, java.lang.Integer, java.lang.Long, java.lang.Short, java.lang.Double, java.lang.Float, java.lang.String, java.util.Base64, java.util.Collections, java.util.UUID, java.net.URLEncoder, java.net.URLDecoder, java.time.LocalDate, java.time.LocalDateTime, java.time.ZonedDateTime, java.time.format.DateTimeFormatter, java.lang.System (at its character 1)',
    ],
    ['{#request.path', '{#request.path}: its closing brace is missing (at its character 14)'],
  ] as const) {
    assert.equal(said(written), `key: holds ${reason}`);
  }
  assert.ok(expressionMessageFor(`{#${'x'.repeat(10_000)}}`).length < 200);
});

test('a text is taken apart as the reference does, and a hostile one in time that grows with its length', () => {
  assert.deepEqual(piecesOf('a{#b}c'), [
    { kind: 'text', text: 'a' },
    { kind: 'expression', source: '#b', isClosed: true },
    { kind: 'text', text: 'c' },
  ]);
  assert.deepEqual(piecesOf('{{#x}}'), [
    { kind: 'text', text: '{' },
    { kind: 'expression', source: '#x', isClosed: true },
    { kind: 'text', text: '}' },
  ]);
  assert.deepEqual(piecesOf(''), [{ kind: 'text', text: '' }]);
  for (const plain of ['{', '{1 == 1}', "{'lit'}", '{@bean}', '{ "status": "OK" }'])
    assert.equal(hasExpression(plain), false, plain);
  assert.equal(piecesOf('{#}'.repeat(50_000)).length, 50_000);
  assert.equal(piecesOf('{#'.repeat(100_000)).length, 1);
});

test('one that varies is rendered per request: joined to a text, nothing among other texts is empty, alone it is nothing', () => {
  const rendered = (written: string, given: Readonly<Record<string, unknown>>) => {
    const made = compileTemplate(written, text, { language: attributes });
    assert.equal(made.kind, 'varying');
    return made.kind === 'varying' ? made.render(scopeOf(given)) : undefined;
  };
  assert.deepEqual(rendered('a-{#x}-{#y}', { x: 'b', y: 7 }), { kind: 'value', value: 'a-b-7' });
  assert.deepEqual(rendered('a-{#x}-b', {}), { kind: 'value', value: 'a--b' });
  assert.deepEqual(rendered('{#x}', {}), { kind: 'nothing' });
  assert.deepEqual(rendered('{#x}', { x: ['a', true] }), { kind: 'value', value: 'a,true' });
  assert.deepEqual(rendered('{#x}', { x: { a: 1 } }), { kind: 'failed', why: 'a map has no text' });
  assert.deepEqual(rendered('a {#boom}', {}), { kind: 'failed', why: 'boom' });
  assert.deepEqual(
    compileTemplate('{#a.b}', text, { language: attributes }).kind,
    'refused',
    'what it does not know',
  );
});

test('what comes out of an expression is judged as what is written down: a value of a header has no line end', () => {
  const made = compileTemplate('{#x}', headerValueSchema, { language: attributes });
  assert.ok(made.kind === 'varying');
  assert.deepEqual(made.render(scopeOf({ x: ' a ' })), { kind: 'value', value: 'a' });
  for (const x of ['a\r\nSet-Cookie: b', 'ü', 'x'.repeat(8_193)])
    assert.equal(made.render(scopeOf({ x })).kind, 'failed');
});

test('an expression that reads the content says so before there is a request', () => {
  const [content, head] = ['{#content}', '{#x}'].map((written) =>
    compileTemplate(written, text, { language: attributes }),
  );
  assert.ok(content?.kind === 'varying' && head?.kind === 'varying');
  assert.equal(needsOf([content, head]), 'buffered');
  assert.equal(needsOf([head]), 'head');
  assert.equal(isConstant([head]), false);
});

test('a text that comes again and again is judged once, another one anew, a bad one each time', () => {
  const judged: string[] = [];
  const schema = z.string().refine((value) => (judged.push(value), value !== 'bad'));
  const compiled = compileTemplate('{#a}', schema, { language: attributes });
  assert.ok(compiled.kind === 'varying');
  const rendered = ['x', 'x', 'bad', 'bad', 'x', 'y', 'x'].map((a) => compiled.render(scopeOf({ a })));
  assert.deepEqual(
    rendered.map((each) => (each.kind === 'value' ? each.value : each.kind)),
    ['x', 'x', 'failed', 'failed', 'x', 'y', 'x'],
  );
  assert.deepEqual(judged, ['x', 'bad', 'bad', 'y', 'x']);
});
