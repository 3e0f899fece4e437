import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isWithinCpu } from '../../../test/kit/pace.ts';
import { JoltFailure, readJolt } from './jolt.ts';

/** What a run took at most: user CPU in ms, and MB of memory that is held. */
interface Taken {
  cpuMs: number;
  heapMb: number;
}

/** Runs a specification, if it is one; what it made, or why it failed. Nothing else may come of it. */
function outcomeOf(
  spec: unknown,
  input: unknown,
  taken?: Taken,
): { readonly made?: unknown; readonly why?: string } {
  const jolt = readJolt(JSON.stringify(spec));
  if (!('run' in jolt)) return { why: jolt.join('; ') };
  const [began, heap] = [process.cpuUsage(), process.memoryUsage().heapUsed];
  try {
    return { made: jolt.run(input) };
  } catch (error) {
    if (error instanceof JoltFailure) return { why: error.message };
    throw error;
  } finally {
    if (taken !== undefined) {
      taken.cpuMs = Math.max(taken.cpuMs, process.cpuUsage(began).user / 1000);
      taken.heapMb = Math.max(taken.heapMb, (process.memoryUsage().heapUsed - heap) / 1024 / 1024);
    }
  }
}

function isBounded({ cpuMs, heapMb }: Taken): void {
  isWithinCpu(cpuMs, { msMax: 1_000, what: 'without a budget it would be thousands of it' });
  assert.ok(heapMb < 200, `${heapMb} MB`);
}

const times = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index));
const shift = (spec: object): object => ({ operation: 'shift', spec });
/** Rules of so many levels, each for what the one before found. */
const nested = (levels: number, key: string, inner: unknown): unknown =>
  times(levels, () => key).reduceRight<unknown>((rules, name) => ({ [name]: rules }), inner);

/** Defaults that make two objects, and say the same of what is in them. */
const twoInEach = (levels: number): unknown =>
  times(levels, () => 1).reduceRight<unknown>((rules) => ({ a: {}, b: {}, '*': rules }), {});
const modify = (spec: object): object => ({ operation: 'modify-overwrite-beta', spec });
const doubled = { a: '=concat(@(1,a),@(1,a))' };

const long = 'x'.repeat(100_000);
const items = times(100_000, () => 1);

for (const [name, spec, input, why] of [
  [
    'a tree in two places, again and again',
    times(40, () => shift({ a: ['a.l', 'a.r'] })),
    { a: 1 },
    /more than 200000 values/,
  ],
  ['of a text', times(40, () => shift({ a: ['a.l', 'a.r'] })), { a: long }, /more than 4194304 characters/],
  ['in a list', times(40, () => shift({ '*': times(20, () => 'x[]') })), [1], /more than \d+ values|deeper/],
  ['deeper with each operation', times(50, () => shift({ a: 'a.b.c' })), { a: 1 }, /deeper than 64/],
  ['a path that leads deep', [shift({ a: nestedPath(64) })], { a: { b: 1 } }, /deeper than 64/],
  [
    'a long text many times in a key',
    [shift({ a: { '@': 'x' }, b: '@(1,a)'.repeat(9_000) })],
    { a: long, b: 1 },
    /a key of more than 16384 characters/,
  ],
  [
    'many long keys',
    [shift({ '*': '&x' })],
    Object.fromEntries(times(10_000, (index) => [`${index}${'k'.repeat(10_000)}`, 1])),
    /more than 2000000 steps/,
  ],
  [
    'defaults that are two in each',
    [{ operation: 'default', spec: twoInEach(60) }],
    {},
    /more than 2000000 steps/,
  ],
  [
    'long lists in many places',
    [shift({ '*': '&[99999]' })],
    Object.fromEntries(times(1_000, (index) => [`k${index}`, 1])),
    /more than 2000000 steps/,
  ],
  [
    'copies of a long list',
    [shift({ a: times(1_000, (index) => [`k${index}`, `k${index}`]).flat() })],
    { a: items },
    /more than 2000000 steps/,
  ],
  [
    'many rules for nothing',
    [shift({ '*': Object.fromEntries(times(2_000, (index) => [`k${index}`, 'x'])) })],
    times(100_000, () => []),
    /more than 2000000 steps/,
  ],
  [
    'many patterns over a long text',
    [shift({ a: { [times(9_000, (index) => `*y${index}`).join('|')]: 'x' } })],
    { a: long },
    /more than 2000000 steps/,
  ],
  ['a text twice as long with each operation', times(40, () => modify(doubled)), { a: long }, /4194304/],
  [
    'a value that is put into itself',
    [modify(Object.fromEntries(times(80, (index) => [`k${index}|x`, { y: '@(2,x)' }])))],
    { x: { y: 1 } },
    /deeper than 64/,
  ],
  [
    'a long list in each of its items',
    [modify({ '*': '@(1)' })],
    times(2_000, () => 1),
    /more than 2000000 steps/,
  ],
  [
    'a list in each item of a list',
    [modify({ a: { '*': '=toList(@(2,a))' } })],
    { a: items },
    /2000000 steps/,
  ],
  [
    'a long list that an index makes, again and again',
    [modify(Object.fromEntries(times(40, (index) => [`k${index}`, { '[99999]': 1 }])))],
    {},
    /more than 2000000 steps/,
  ],
  [
    'duplicates of long values',
    [modify({ a: '=squashDuplicates' })],
    { a: times(90_000, (index) => [index]) },
    /2000000/,
  ],
  ['names that are sorted', times(50, () => ({ operation: 'sort' })), namesOf(20_000), /2000000 steps/],
  [
    'what stars remove',
    times(50, () => ({ operation: 'remove', spec: { '*x': '' } })),
    namesOf(50_000),
    /steps/,
  ],
  [
    'a list of each entry',
    times(50, () => ({ operation: 'cardinality', spec: { '*': 'MANY' } })),
    namesOf(50_000),
    /more than \d+ values|deeper|steps/,
  ],
  [
    'a long way to a value',
    [shift({ '*': `@(1,${times(20_000, () => 'a').join('.')})` })],
    items,
    /deeper than 64 levels/,
  ],
] as const)
  test(`a transformation ends: ${name}`, () => {
    const taken = { cpuMs: 0, heapMb: 0 };
    assert.match(outcomeOf(spec, input, taken).why ?? 'made something', why);
    isBounded(taken);
  });

function namesOf(count: number): object {
  return Object.fromEntries(times(count, (index) => [`name-${index}`, 1]));
}

function nestedPath(levels: number): string {
  return times(levels, () => 'x').join('.');
}

const key = fc.constantFrom('*', 'a', 'b', 'a|b', '*-*', '$', '@', '@(1,a)', '#t', '0', '$1', '&', '@(2,b)');
const path = fc
  .array(fc.constantFrom('a', 'b', '&', '&1', '@(1,a)', '@(2,b)', '[]', '[#2]', '[&]', '[99999]', '&&&&'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join('.').replaceAll('.[', '['));
const { rules } = fc.letrec<{ rules: unknown; to: unknown }>((tie) => ({
  rules: fc.dictionary(key, tie('to'), { minKeys: 1, maxKeys: 4 }),
  to: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    path,
    fc.array(path, { minLength: 1, maxLength: 12 }),
    tie('rules'),
  ),
}));
const shifts = rules.map((spec) => ({ operation: 'shift', spec }));
const defaults = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom('a|b', '*', 'a', 'a|b|c'))
  .map(([levels, name]) => ({ operation: 'default', spec: nested(levels, name, [1, 'x']) }));
const value = fc.constantFrom(
  ...`x @ @(1,a) @(2,b) =concat(@(1,a),@(1,b)) =toList(@(1,a),@(1,b)) =size =sort =join('-',@(1,a)) =split('-',@(1,a))
  =recursivelySquashNulls =max(@(1,a),2) =toString`.split(/\s+/),
);
const { modified } = fc.letrec<{ modified: unknown; to: unknown }>((tie) => ({
  modified: fc.dictionary(fc.constantFrom('*', 'a', '+b', '_c', 'a|b', '~*-*', 'b?'), tie('to'), {
    maxKeys: 4,
  }),
  to: fc.oneof({ maxDepth: 4 }, value, fc.array(value, { minLength: 1, maxLength: 3 }), tie('modified')),
}));
const others = fc.oneof(
  modified.map((spec) => ({ operation: 'modify-overwrite-beta', spec })),
  modified.map((spec) => ({ operation: 'modify-default-beta', spec })),
  fc
    .constantFrom('a', '*', '*-*', '0')
    .map((name) => ({ operation: 'remove', spec: { '*': { [name]: '' } } })),
  fc
    .constantFrom('ONE', 'MANY')
    .map((to) => ({ operation: 'cardinality', spec: { a: to, '*': { '*': to } } })),
  fc.constant({ operation: 'sort' }),
);
const specs = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: shifts }, defaults, { weight: 2, arbitrary: others }), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.integer({ min: 1, max: 10 }),
  )
  .map(([operations, again]) => times(again, () => operations).flat());
const { value: inputs } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      1,
      true,
      null,
      'a',
      'a-b',
      'x'.repeat(20_000),
      times(2_000, () => 'a'),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'a-b', '0', '__proto__'), tie('value'), { maxKeys: 4 }),
  ),
}));

test('as many words as a dictionary holds are transformed', (t) => {
  const taken = { cpuMs: 0, heapMb: 0 };
  const rates = Object.fromEntries(times(20_000, (index) => [`rate-${index}`, index]));
  const pairs = shift({ rates: { '*': { $: 'all.[#2].key', '@': 'all.[#2].value' } } });
  const { made, why } = outcomeOf(
    [pairs, shift({ all: { '*': { key: '[&1].key', value: '[&1].value' } } })],
    { rates },
    taken,
  );
  assert.equal(why, undefined);
  assert.equal((made as readonly unknown[]).length, 20_000);
  t.diagnostic(JSON.stringify(taken));
});

test('whatever is written and comes in, a transformation ends, in CPU and memory that are bounded', (t) => {
  const taken = { cpuMs: 0, heapMb: 0 };
  const seed = Math.trunc(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let [made, failed] = [0, 0];
  fc.assert(
    fc.property(specs, inputs, (spec, input) => {
      const { why } = outcomeOf(spec, input, taken);
      if (why === undefined) made += 1;
      else if (/ more than | deeper /.test(why)) failed += 1;
      isBounded(taken);
    }),
    { numRuns: 500, seed },
  );
  assert.ok(made > 50 && failed > 10);
  t.diagnostic(`${made} made something, ${failed} were too much; at most ${JSON.stringify(taken)}`);
});
