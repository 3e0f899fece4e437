import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isWithin } from '../../../../test/kit/pace.ts';
import { compileSchema, schemaCharsMax } from './compile.ts';
import { schemaDepthMax, subschemasMax } from './copy.ts';

/** Why each value does not fit; undefined where it does. */
function judged(schema: unknown, ...values: readonly unknown[]) {
  const compiled = compileSchema(JSON.stringify(schema));
  assert.equal(compiled.kind, 'schema', JSON.stringify(compiled));
  return values.map((value) => (compiled.kind === 'schema' ? compiled.judge(value) : 'faulty'));
}

function faultOf(schema: unknown): string {
  const compiled = compileSchema(typeof schema === 'string' ? schema : JSON.stringify(schema));
  if (compiled.kind === 'schema') return 'none';
  return `${compiled.faults[0]?.path} ${compiled.faults[0]?.message}`;
}

const fits = (schema: unknown, ...values: readonly unknown[]): readonly boolean[] =>
  judged(schema, ...values).map((why) => why === undefined);

test('each draft means what it says, and without a word a schema is of draft-07 unless it is plainly of draft-04', () => {
  const draft = (name: string): string => `http://json-schema.org/${name}/schema#`;
  assert.deepEqual(fits({ $schema: draft('draft-04'), minimum: 3, exclusiveMinimum: true }, 3, 4), [
    false,
    true,
  ]);
  assert.deepEqual(fits({ minimum: 3, exclusiveMinimum: true }, 3, 4), [false, true]);
  assert.deepEqual(fits({ id: 'http://x/y', minimum: 3 }, 2, 3), [false, true]);
  assert.deepEqual(fits({ $schema: draft('draft-06'), const: 1 }, 1, 2), [true, false]);
  assert.deepEqual(fits(JSON.parse('{"if":{"minimum":5},"then":{"multipleOf":5}}'), 10, 6, 3), [
    true,
    false,
    true,
  ]);
  const tuple = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    prefixItems: [{ type: 'string' }],
    items: false,
  };
  assert.deepEqual(fits(tuple, ['a'], ['a', 1], [1]), [true, false, false]);
  const closed = {
    unevaluatedProperties: false,
    anyOf: [{ properties: { a: true } }, { properties: { b: true } }],
  };
  const of2019 = { $schema: 'https://json-schema.org/draft/2019-09/schema', ...closed };
  assert.deepEqual(fits(of2019, { a: 1 }, { a: 1, b: 1 }, { c: 1 }), [true, true, false]);
});

test('unions hold as they are defined', () => {
  assert.deepEqual(fits({ anyOf: [{ type: 'string' }, { minimum: 3 }] }, 'a', 3, 2), [true, true, false]);
  assert.deepEqual(fits({ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }, { multipleOf: 5 }] }, 2, 6, 7, 30), [
    true,
    false,
    false,
    false,
  ]);
  assert.deepEqual(fits({ oneOf: [{ type: 'string' }], anyOf: [true, false] }, 'a', 1), [true, false]);
});

test('references lead to other places of the schema, to itself, and nowhere else', () => {
  const list = {
    type: 'object',
    properties: { next: { $ref: '#' }, to: { $ref: '#/definitions/a~1b' } },
    definitions: { 'a/b': { type: 'null' } },
  };
  assert.deepEqual(fits(list, { next: { next: {} } }, { next: 1 }, { next: { to: 1 } }), [
    true,
    false,
    false,
  ]);
  const named = {
    $id: 'http://x/y#',
    items: { $ref: 'http://x/y#/definitions/a' },
    definitions: { a: { minimum: 1 } },
  };
  assert.deepEqual(fits(named, [1], [0]), [true, false]);
  for (const $ref of ['http://x/y.json', 'file:///etc/passwd', 'other.json', '#/definitions/none', '//x/y'])
    assert.match(faultOf({ $ref }), /is not in the schema; nothing outside of it is read/, $ref);
});

test('what is not known is refused with its place, notes for people are not', () => {
  assert.match(faultOf({ properties: { a: { requred: [] } } }), /^\/properties\/a\/requred is no keyword/);
  assert.match(faultOf({ items: { $weight: {} } }), /^\/items\/\$weight is no keyword/);
  assert.match(faultOf({ format: 'postcode' }), /unknown format "postcode"/);
  assert.match(
    faultOf({ $schema: 'http://json-schema.org/draft-03/schema#' }),
    /^\/\$schema is not known here/,
  );
  assert.match(faultOf({ type: 'txt' }), /schema is invalid: data\/type/);
  assert.match(faultOf('{'), / is no JSON/);
  assert.match(faultOf([]), /must be a schema/);
  assert.equal(faultOf({ 'x-owner': 'me', title: 't', examples: [1], example: 1, deprecated: true }), 'none');
});

test('no schema has a name that another one could see', () => {
  for (const name of ['$id', '$anchor', '$dynamicAnchor', '$dynamicRef'])
    assert.match(
      faultOf({ $schema: 'https://json-schema.org/draft/2020-12/schema', items: { [name]: 'a' } }),
      /is not supported|is no keyword/,
    );
  const meta = 'http://json-schema.org/draft-07/schema';
  assert.deepEqual(fits({ $id: meta, minimum: 1 }, 0, 1), [false, true]);
  assert.match(faultOf({ type: 'txt' }), /schema is invalid/, 'the meta-schema is as it was');
});

test('a schema has at most so many characters, subschemas and levels', () => {
  const wide = (count: number) => ({
    definitions: Object.fromEntries(Array.from({ length: count - 1 }, (_, index) => [`d${index}`, {}])),
  });
  assert.equal(faultOf(wide(subschemasMax)), 'none');
  assert.match(faultOf(wide(subschemasMax + 1)), /more than 5000/);
  assert.match(
    faultOf({ allOf: Array(4_000).fill({ minimum: 1 }) }),
    /has more branches than can be compiled/,
  );
  const deep = (levels: number): unknown =>
    Array(levels)
      .fill(0)
      .reduce((inner: unknown) => ({ not: inner }), {});
  assert.equal(faultOf(deep(schemaDepthMax)), 'none');
  assert.match(faultOf(deep(schemaDepthMax + 1)), /deeper than 64/);
  assert.match(faultOf(JSON.stringify({ title: 'x'.repeat(schemaCharsMax) })), /longer than/);
});

const tooMuch = /more work than they may/;

test('neither compiling nor judging takes time that doubles, whatever schema and body ask for', () => {
  const startedMs = performance.now();
  const definitions: Record<string, object> = { d40: { type: 'string' } };
  for (let level = 0; level < 40; level += 1) {
    const next = { $ref: `#/definitions/d${level + 1}` };
    definitions[`d${level}`] = { anyOf: [next, next] };
  }
  assert.match(String(judged({ definitions, $ref: '#/definitions/d0' }, 1)[0]), tooMuch);
  const again = { properties: { x: { $ref: '#' } } };
  const twice = { oneOf: ['y', 'z'].map((name) => ({ allOf: [again, { required: [name] }] })) };
  const chain = Array(60)
    .fill(0)
    .reduce((inner: object) => ({ x: inner }), {});
  assert.match(String(judged(twice, chain)[0]), tooMuch);
  const values = Array.from({ length: 5_000 }, (_, index) => `v${index}`);
  assert.match(String(judged({ items: { enum: values } }, Array(10_000).fill('v4999'))[0]), tooMuch);
  const objects = Array.from({ length: 100_000 }, (_, index) => ({ index }));
  assert.match(String(judged({ uniqueItems: true }, objects)[0]), tooMuch);
  isWithin(performance.now() - startedMs, { msMax: 10_000 });
});

test('patterns take linear time; what the engine does not know is refused', () => {
  assert.deepEqual(fits({ pattern: '^(x+x+)+y$' }, 'x'.repeat(50_000), 'xxy'), [false, true]);
  assert.deepEqual(
    fits({ patternProperties: { '^a': { type: 'null' }, '^b': false } }, { a: null }, { b: 1 }),
    [true, false],
  );
  assert.match(faultOf({ pattern: '(?=a)b' }), /the pattern "\(\?=a\)b" cannot be used/);
});

test('a value that is nested deeper than the stack fits nothing', () => {
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  assert.match(String(judged({ items: { $ref: '#' } }, deep)[0]), /too deep|more work/);
});

test('formats are asserted, of texts that are not too long', () => {
  assert.deepEqual(fits({ format: 'email' }, 'a@b.de', 'a', `a@${'b'.repeat(1_100)}`), [true, false, false]);
  assert.deepEqual(fits({ format: 'int32' }, 5, 2 ** 31), [true, false]);
  assert.deepEqual(fits({ format: 'byte' }, 'aGkh'.repeat(5_000)), [true]);
});

test('equal items are found whatever the order of their members', () => {
  assert.deepEqual(
    fits(
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [1, '1'],
      [1, 1],
    ),
    [false, true, false],
  );
});
