import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Jolt, JoltFailure, readJolt } from './jolt.ts';

function read(...operations: readonly object[]): Jolt {
  const jolt = readJolt(JSON.stringify(operations));
  assert.ok('run' in jolt, JSON.stringify(jolt));
  return jolt;
}
const shift = (spec: object): Jolt => read({ operation: 'shift', spec });

test('a shift moves what it names and drops the rest', () => {
  const rates = { date: 'today', rates: { usd: 1.1, gbp: 0.8 } };
  const pairs = [
    { key: 'usd', value: 1.1 },
    { key: 'gbp', value: 0.8 },
  ];
  for (const [name, spec, input, expected] of [
    ['keys and values become pairs', { '*': { $: '[#2].key', '@': '[#2].value' } }, rates.rates, pairs],
    [
      'the same of an inner object',
      { rates: { '*': { $: 'list.[#2].key', '@': 'list.[#2].value' } } },
      rates,
      { list: pairs },
    ],
    [
      'a list of objects, by its indexes',
      { data: { '*': { id: '[&1].key', url: '[&1].value' } } },
      {
        data: [
          { id: 'a', url: 'x', more: 1 },
          { id: 'b', url: 'y' },
        ],
      },
      [
        { key: 'a', value: 'x' },
        { key: 'b', value: 'y' },
      ],
    ],
    [
      'a literal wins over a star',
      { a: 'first', '*': 'rest.&' },
      { a: 1, b: 2 },
      { first: 1, rest: { b: 2 } },
    ],
    [
      'a longer pattern wins',
      { '*': 'any', 'tag-*': 'tags.&(0,1)' },
      { 'tag-x': 1, y: 2 },
      { tags: { x: 1 }, any: 2 },
    ],
    ['two stars have a capture each', { '*-*': '&(0,2).&(0,1)' }, { 'a-b': 1 }, { b: { a: 1 } }],
    ['one of several names', { 'a|b': 'x' }, { b: 2 }, { x: 2 }],
    ['a value may go to several places', { a: ['x', 'y.z'] }, { a: 1 }, { x: 1, y: { z: 1 } }],
    ['two in one place are a list', { a: 'x', b: 'x', c: 'x' }, { a: 1, b: 2, c: 3 }, { x: [1, 2, 3] }],
    ['and always a list where one is asked for', { a: 'x[]' }, { a: 1 }, { x: [1] }],
    ['a text of the rule', { '#dev': 'stage', a: 'x' }, { a: 1 }, { stage: 'dev', x: 1 }],
    [
      'a value matches too',
      { on: { true: { '#yes': 'state' }, false: { '#no': 'state' } } },
      { on: true },
      { state: 'yes' },
    ],
    [
      'a value names the place',
      { '*': { v: '@(1,k)' } },
      [
        { k: 'x', v: 1 },
        { k: 'y', v: 2 },
      ],
      { x: 1, y: 2 },
    ],
    [
      'a value from further up',
      { a: { '*': { '@(2,name)': 'names.&1' } } },
      { name: 'n', a: { b: 1 } },
      { names: { b: 'n' } },
    ],
    [
      'a key further up',
      { a: { '*': { $1: 'up', v: '&2.&1' } } },
      { a: { b: { v: 1 } } },
      { up: 'a', a: { b: 1 } },
    ],
    ['what is escaped means itself', { 'a\\*': 'x\\.y' }, { 'a*': 1, ab: 2 }, { 'x.y': 1 }],
    ['null goes nowhere', { a: null, b: 'b' }, { a: 1, b: 2 }, { b: 2 }],
    ['nothing that matches is null', { z: 'z' }, { a: 1 }, null],
    ['a reference to nothing writes nothing', { a: '@(1,none).x' }, { a: 1 }, null],
    [
      'names of prototypes are names',
      { '*': 'x.&' },
      JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
      JSON.parse('{"x":{"__proto__":{"a":1},"constructor":2}}'),
    ],
  ] as const)
    assert.deepEqual(shift(spec).run(input), expected, name);
});

test('defaults fill what is absent or null, and operations run one after the other', () => {
  const jolt = read(
    { operation: 'default', spec: { a: 1, b: { c: 2 }, 'd|e': 3, '*': { x: 9 } } },
    { operation: 'shift', spec: { '*': 'all.&' } },
  );
  assert.deepEqual(jolt.run({ b: { c: null }, e: 4, f: {} }), {
    all: { b: { c: 2, x: 9 }, e: 4, f: { x: 9 }, a: 1 },
  });
  assert.deepEqual(read({ operation: 'default', spec: {} }).run([{ key: 'a' }]), [{ key: 'a' }]);
  const same = readJolt(' ');
  assert.ok('run' in same);
  assert.deepEqual(same.run([1]), [1]);
});

test('what does not run is refused by its name and place', () => {
  for (const [text, expected] of [
    ['{', /^is no JSON: .*position 1/],
    [
      '3',
      /^operation 1 without a name is not supported; allowed: shift, default, remove, sort, cardinality, modify-overwrite-beta/,
    ],
    ['[{"operation":"sorted"}]', /^operation 1 "sorted" is not supported/],
    ['[{"operation":"shift"}]', /must be an object/],
    ['[{"operation":"shift","spec":{"a":1}}]', /at \["a"\] must be a path/],
    ['[{"operation":"shift","spec":{"a":{"b":"x[y]"}}}]', /at \["a"\]\["b"\] \[y\] is no index/],
    ['[{"operation":"shift","spec":{"a":"x..y"}}]', /holds an empty name/],
    [JSON.stringify({ operation: 'shift', spec: { a: 'x.'.repeat(64) + 'x' } }), /is deeper than 64 levels/],
    ['[{"operation":"shift","spec":{"a":"&(1,x)"}}]', /&\(1,x\) is no reference/],
    ['[{"operation":"shift","spec":{"$(x)":"a"}}]', /is no reference; allowed: \$/],
    [JSON.stringify(Array.from({ length: 51 }, () => ({ operation: 'default', spec: {} }))), /more than 50/],
  ] as const) {
    const read = readJolt(text);
    assert.ok(!('run' in read), text);
    assert.match(read.join('\n'), expected, text);
  }
});

test('a transformation ends: in steps, in depth, in the length of what it makes', () => {
  const long = Array.from({ length: 1_500 }, (_, index) => index);
  const paths = Array.from({ length: 700 }, () => 'x[]');
  assert.throws(() => shift({ '*': paths }).run(long), JoltFailure);
  assert.deepEqual(shift({ a: ['x', 'y'], b: 'x' }).run({ a: [1], b: 2 }), { x: [1, 2], y: [1] });
  assert.throws(() => shift({ '*': '[&]' }).run({ 100000: 1 }), /more than 100000 items/);
  assert.deepEqual(shift({ '*': '[&]' }).run({ '-1': 1, x: 2 }), []);
  let deep: unknown = 1;
  for (let level = 0; level < 65; level += 1) deep = { a: deep };
  assert.throws(() => shift({ a: 'a' }).run(deep), /deeper than 64/);
});

test('JSON is rewritten with its names in their order and its whole numbers with all of their digits', () => {
  const same = read({ operation: 'shift', spec: { '*': '&' } });
  const long = '{"b":12345678901234567890,"a":-9007199254740993,"c":[1,2.50,1e3],"__proto__":{"x":1}}';
  assert.equal(same.rewrite(long), long.replace('2.50', '2.5').replace('1e3', '1000'));
  const sum = read({ operation: 'modify-overwrite-beta', spec: { a: '=longSum(@(1,a),1)' } });
  assert.equal(sum.rewrite('{"a":9007199254740993}'), '{"a":9007199254740994}');
  assert.throws(() => same.rewrite('{'), /is no JSON/);
  assert.throws(() => same.rewrite(`${'['.repeat(66)}${']'.repeat(66)}`), /deeper than 64/);
  assert.equal(readJolt('') instanceof Array, false);
});

test('functions of modify write nothing where they have nothing to work with', () => {
  const calls =
    `=toLower(1) | =min(a,b) | =divide(1,0) | =divide(1) | =divide(1,2,3) | =divideAndRound(101,1,3)
    | =substring('abc',-1,2) | =substring('abc',0,4) | =substring('abc',1,1) | =substring('abc',0) | =leftPad('a',0,'x')
    | =leftPad('a',501,'x') | =leftPad('a',5,'xy') | =join('-','a') | =join(@(1,no)) | =split('(',@(1,text))
    | =intSubtract(1.5,1) | =avg(a,b) | =toBoolean(yes) | =size(1) | =sort(1,a) | =elementAt(5,@(1,list))
    | =firstElement(@(1,none)) | =abs(@(1,none)) | =notNull | =isNull(1) | =toLong(x)`.split('|');
  for (const call of calls) {
    const jolt = read({ operation: 'modify-overwrite-beta', spec: { made: call.trim() } });
    assert.deepEqual(jolt.run({ list: [1], text: 'a(b' }), { list: [1], text: 'a(b' }, call);
  }
  const edges = read({
    operation: 'modify-overwrite-beta',
    spec: { a: "=leftPad('a',500,'x')", b: "=substring('abc',0,3)", c: '=toInteger(99999999999)' },
  });
  const made = edges.run({}) as { readonly a: string; readonly b: string; readonly c: number };
  assert.deepEqual([made.a.length, made.b, made.c], [500, 'abc', 2_147_483_647]);
});
