import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { faultsOf } from '../../control-plane/ui/kit/schema-form/faults.ts';
import {
  branchOf,
  canShow,
  isObject,
  type JsonSchema,
  othersOf,
  textWritten,
  widgetOf,
  withKey,
} from '../../control-plane/ui/kit/schema-form/shape.ts';
import { filledForm, formCases } from '../kit/control-plane/form-values.ts';
import { Random } from '../kit/random.ts';

/*
 * Forms of the console are made of schemas, and none is written by hand: so each schema of this version is filled by what a form writes.
 */

const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const roundsOfEach = 12;

/** What a schema refuses by its form; rules beyond (a URL that is none, fields that exclude each other) are `custom`. */
const refusedBy = (config: z.ZodType, value: unknown): readonly string[] =>
  (config.safeParse(value).error?.issues ?? []).flatMap((issue) => wordsOf(issue));

function wordsOf(issue: z.core.$ZodIssue): readonly string[] {
  // Of none of the shapes at all there is nothing more to say.
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return (issue.errors.at(-1) ?? []).flatMap((each) => wordsOf(each));
  return issue.code === 'custom' ? [] : [`${issue.path.join('.')}: ${issue.message}`];
}

for (const { form, config, schema } of formCases)
  test(`${form}: what its form writes its schema accepts, whatever of it is filled`, () => {
    const random = new Random(seed, 1);
    for (let round = 0; round < roundsOfEach; round += 1) {
      const value = filledForm(schema, random, round * 10);
      const words = `seed ${seed}: ${JSON.stringify(value)}`;
      assert.deepEqual(refusedBy(config, value), [], words);
      assert.deepEqual(faultsOf(schema, value), [], words);
      assert.deepEqual(othersOf(schema, value), [], words);
      eachShown(schema, value, words);
    }
  });

/** Every value has a widget that shows it as it is: none falls back to JSON. */
function eachShown(schema: JsonSchema, value: unknown, words: string): void {
  const widget = widgetOf(schema);
  assert.notEqual(widget.kind, 'json', words);
  assert.ok(
    canShow(widget, value),
    `${JSON.stringify(schema)} cannot show ${JSON.stringify(value)}; ${words}`,
  );
  if (widget.kind === 'list' && Array.isArray(value))
    for (const each of value) eachShown(widget.items, each, words);
  if (widget.kind === 'union') eachShown(branchOf(widget.branches, value)?.schema ?? {}, value, words);
  if (widget.kind === 'group' && isObject(value))
    for (const field of widget.fields)
      if (value[field.key] !== undefined) eachShown(field.schema, value[field.key], words);
}

for (const { form, config, schema } of formCases)
  test(`${form}: a value of the wrong kind is found at its place, and shown as it is`, () => {
    const random = new Random(seed, 2);
    const value = filledForm(schema, random, 100);
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      if (field.isElsewhere === true || field.offOnly !== undefined || value[key] === undefined) continue;
      const wrong = { ...value, [key]: { not: ['this'] } };
      const words = `seed ${seed}: ${key}`;
      assert.notDeepEqual(refusedBy(config, wrong), [], words);
      assert.ok(
        faultsOf(schema, wrong).some(({ path }) => path === key || path.startsWith(`${key}.`)),
        words,
      );
      // Groups show what they do not know beside what they do.
      if (!isObject(value[key])) assert.ok(!canShow(widgetOf(field), wrong[key]), words);
    }
    const stranger = { ...value, stranger: 1 };
    assert.deepEqual(othersOf(schema, stranger), ['stranger']);
    assert.deepEqual(faultsOf(schema, stranger), [{ path: 'stranger', message: 'is not known' }]);
  });

test('bounds are judged on both sides', () => {
  const text: JsonSchema = { type: 'string', minLength: 2, maxLength: 3, pattern: '^[a-z]*$' };
  const number: JsonSchema = { type: 'integer', minimum: 1, maximum: 2 };
  const list: JsonSchema = { type: 'array', items: number, maxItems: 1 };
  const rows: readonly (readonly [JsonSchema, unknown, readonly string[]])[] = [
    [text, 'ab', []],
    [text, 'abc', []],
    [text, 'a', ['must have at least 2 characters']],
    [text, 'abcd', ['must have at most 3 characters']],
    [text, 'AB', ['has characters that it may not have']],
    [number, 1, []],
    [number, 2, []],
    [number, 0, ['must be at least 1']],
    [number, 3, ['must be at most 2']],
    [number, 1.5, ['must be a whole number']],
    [list, [1], []],
    [list, [1, 1], ['must have at most 1 entries']],
    [{ type: 'string', enum: ['A', 'B'] }, 'C', ['must be one of A, B']],
    [{ anyOf: [{ type: 'string', const: '' }, text] }, '', []],
    [{ anyOf: [{ type: 'string', const: '' }, text] }, 'a', ['must have at least 2 characters']],
  ];
  for (const [schema, value, expected] of rows)
    assert.deepEqual(
      faultsOf(schema, value).map(({ message }) => message),
      expected,
      JSON.stringify([schema, value]),
    );
});

test('nothing that was typed is written where it says what is so anyway; a default is overruled by an empty text', () => {
  const written = (schema: JsonSchema, isRequired: boolean): string | undefined =>
    textWritten({ schema, isRequired }, '');
  assert.equal(written({ type: 'string' }, true), '');
  assert.equal(written({ type: 'string' }, false), undefined);
  assert.equal(written({ type: 'string', default: '' }, false), undefined);
  assert.equal(written({ type: 'string', default: 'sub' }, false), '');
  assert.equal(written({ type: 'string', default: 'sub', minLength: 1 }, false), undefined);
});

test('a key that is changed stays where it stood, and one that goes leaves the others as they are', () => {
  const before = { b: 1, a: { deep: [1, 2] }, c: 3 };
  assert.equal(JSON.stringify(withKey(before, 'b', 2)), '{"b":2,"a":{"deep":[1,2]},"c":3}');
  assert.equal(JSON.stringify(withKey(before, 'b', undefined)), '{"a":{"deep":[1,2]},"c":3}');
});
