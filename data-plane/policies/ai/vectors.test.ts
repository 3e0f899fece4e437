import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { CaptureMemory } from '../../http/exchange.ts';
import { vectorIn, VectorStore } from './vectors.ts';

const mib = 1_048_576;
const vector = (...numbers: readonly number[]): Float32Array => vectorIn(numbers) ?? assert.fail();
const bytes = (text: string): Uint8Array => Buffer.from(text);

function open(
  wish: { readonly entriesMax?: number; readonly lifeMs?: number; readonly bytesMax?: number } = {},
) {
  const { entriesMax = 10, lifeMs = 1_000, bytesMax = mib } = wish;
  const clock = createFakeClock();
  const memory = new CaptureMemory(bytesMax);
  const store = new VectorStore({ entriesMax, lifeMs, memory, clock });
  const find = (partition: string, near: Float32Array, threshold = 0.9): string | undefined => {
    const found = store.nearest(partition, near, threshold);
    return found === undefined ? undefined : Buffer.from(found.value).toString();
  };
  return { clock, memory, store, find };
}

test('the nearest of a partition is found, at its threshold and not below it', () => {
  const { store, find } = open();
  store.add('a', vector(1, 0), bytes('right'));
  store.add('a', vector(0, 1), bytes('up'));
  store.add('b', vector(1, 0.01), bytes('other'));
  assert.equal(find('a', vector(2, 0.1)), 'right');
  assert.equal(find('a', vector(0.1, 5)), 'up');
  assert.equal(find('c', vector(1, 0)), undefined);
  // The cosine of 3:4 and 1:0 is 0.6.
  assert.equal(find('a', vector(3, 4), 0.81), undefined);
  assert.equal(find('a', vector(3, 4), 0.79), 'up');
  assert.equal(store.nearest('a', vector(0, 1), 1)?.score, 1);
  const many = vector(...Array.from({ length: 999 }, (_, index) => Math.sin(index)));
  store.add('d', many, bytes('same'));
  assert.equal(find('d', many, 1), 'same', 'whatever its numbers are rounded to');
  assert.equal(find('a', vector(1, 0, 0)), undefined, 'of another model');
});

test('what has lived long enough is forgotten, the oldest goes for a new one, and memory is given back', async () => {
  const { clock, memory, store, find } = open({ entriesMax: 2 });
  store.add('a', vector(1, 0), bytes('first'));
  await clock.advance(500);
  store.add('a', vector(0, 1), bytes('second'));
  await clock.advance(499);
  assert.equal(find('a', vector(1, 0)), 'first');
  await clock.advance(1);
  assert.deepEqual([find('a', vector(1, 0)), find('a', vector(0, 1))], [undefined, 'second']);
  store.add('a', vector(1, 0), bytes('third'));
  store.add('a', vector(1, 1), bytes('fourth'));
  assert.deepEqual([find('a', vector(0, 1)), find('a', vector(1, 0))], [undefined, 'third']);
  assert.ok(memory.takenBytes > 0);
  store.clear();
  assert.deepEqual([find('a', vector(1, 0)), memory.takenBytes], [undefined, 0]);
});

test('memory is bounded: older ones go, and what is larger than all of it is not kept', () => {
  const { store, find, memory } = open({ bytesMax: 10_000 });
  store.add('a', vector(1, 0), new Uint8Array(5_000));
  store.add('a', vector(0, 1), new Uint8Array(5_000));
  assert.deepEqual([find('a', vector(1, 0)), find('a', vector(0, 1))?.length], [undefined, 5_000]);
  store.add('a', vector(1, 1), new Uint8Array(20_000));
  assert.deepEqual([find('a', vector(1, 1)), memory.takenBytes], [undefined, 0]);
});

test('a vector is found in the shapes of services, and in nothing else', () => {
  for (const said of [
    { data: [{ embedding: [3, 4] }] },
    { embedding: [3, 4] },
    { embeddings: [[3, 4]] },
    [[3, 4]],
    [3, 4],
  ])
    assert.deepEqual([...(vectorIn(said) ?? [])], [...Float32Array.of(0.6, 0.8)], JSON.stringify(said));
  for (const said of [
    {},
    null,
    'x',
    [],
    [[]],
    [0, 0],
    ['1'],
    { data: [] },
    { data: 'x' },
    { embedding: null },
    [1.7e308, 1.7e308],
  ])
    assert.equal(vectorIn(said), undefined, JSON.stringify(said));
  assert.equal(vectorIn(Array.from({ length: 8_192 }, () => 1))?.length, 8_192);
  assert.equal(vectorIn(Array.from({ length: 8_193 }, () => 1)), undefined);
});
