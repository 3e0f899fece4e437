import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../../faults/fault.ts';
import { readApi } from '../read.ts';
import { managed, payload, plain } from './fixtures.ts';
import { migrate } from './migrate.ts';

/** A small generator of numbers, so that a failure can be repeated by its seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that stand nowhere in a definition, as JSON. */
const odd: readonly unknown[] = JSON.parse(
  `[null, true, false, 0, -1, 1e308, "", " ", "x", "{", "[]", "{#", "\\u0000", [], [[]], [null], {}, { "a": {} },
    "__proto__", "constructor", { "constructor": { "prototype": { "polluted": 1 } } }, { "enabled": true }]`,
) as readonly unknown[];

/** A copy in which some values are others, some are gone, and some keys are strange. */
function mutated(value: unknown, random: () => number): unknown {
  if (random() < 0.04) return odd[Math.floor(random() * odd.length)];
  if (Array.isArray(value))
    return value.flatMap((item: unknown) => (random() < 0.05 ? [] : [mutated(item, random)]));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(() => random() > 0.03);
  return Object.fromEntries(
    entries.map(([key, item]) => [random() < 0.02 ? '__proto__' : key, mutated(item, random)]),
  );
}

test('whatever stands in a definition of version 1 or 2, it is read or refused by name', () => {
  const seed = Date.now() % 2 ** 31;
  const random = randomOf(seed);
  const old = {
    ...payload,
    gravitee: '1.0.0',
    flows: undefined,
    paths: { '/': [{ mock: { status: '200' } }], '/a/*': [{}] },
  };
  for (let round = 0; round < 450; round += 1) {
    const input = mutated([payload, managed, old][round % 3], random);
    for (const read of [readApi, migrate]) {
      try {
        read(input);
      } catch (error) {
        const isTold = error instanceof Fault && error.code === 'request.invalid' && error.details.length > 0;
        assert.ok(isTold, `seed ${seed}, round ${round}: ${String(error)}\n${JSON.stringify(input)}`);
      }
    }
  }
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('time grows with the size of a definition, also where all of it is wrong', () => {
  const many = (count: number): unknown =>
    plain({
      flows: Array.from({ length: count }, (_, index) => ({
        surprise: index,
        pre: [{ policy: 'nope', configuration: {} }],
      })),
      plans: Array.from({ length: count }, (_, index) => ({
        id: `p${index}`,
        security: 'API_KEY',
        surprise: 1,
      })),
      properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, { a: 1 }])),
    });
  const secondsOf = (count: number): number => {
    const input = many(count);
    const startedMs = performance.now();
    assert.throws(() => readApi(input), Fault);
    assert.equal(migrate(input).state, 'IMPOSSIBLE');
    return (performance.now() - startedMs) / 1_000;
  };
  secondsOf(100);
  const small = secondsOf(300);
  const large = secondsOf(2_400);
  assert.ok(large < small * 8 * 4 + 0.5, `${small} s for 300, ${large} s for 2400`);
});
