import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { CacheMemory, MemoryValues } from './memory-values.ts';

const clock = createFakeClock();
const bytes = (length: number): Uint8Array => Buffer.alloc(length, 'x');

function open(memory: CacheMemory, more: { readonly entriesMax?: number; readonly idleMsMax?: number } = {}) {
  const values = new MemoryValues({ memory, entriesMax: 0, idleMsMax: 0, clock, ...more });
  memory.enter(values);
  return values;
}

test('a value is there for its time and not longer', async () => {
  const values = open(new CacheMemory(10_000));
  values.set('a', bytes(1), 1_000);
  await clock.advance(999);
  assert.deepEqual(values.get('a'), bytes(1));
  await clock.advance(1);
  assert.equal(values.get('a'), 'nothing');
  assert.equal(values.bytes, 0);
});

test('a value that nobody asks for goes before its time', async () => {
  const values = open(new CacheMemory(10_000), { idleMsMax: 1_000 });
  values.set('a', bytes(1), 10_000);
  for (let asked = 0; asked < 5; asked += 1) {
    await clock.advance(999);
    assert.deepEqual(values.get('a'), bytes(1));
  }
  await clock.advance(1_000);
  assert.equal(values.get('a'), 'nothing');
});

test('past its entries what was not asked for longest goes', () => {
  const values = open(new CacheMemory(10_000), { entriesMax: 2 });
  for (const key of ['a', 'b']) values.set(key, bytes(1), 1_000);
  values.get('a');
  values.set('c', bytes(1), 1_000);
  values.set('c', bytes(2), 1_000);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => values.get(key)),
    [bytes(1), 'nothing', bytes(2)],
  );
});

test('all together take no more than their memory, and whoever takes most gives', () => {
  const memory = new CacheMemory(10_000);
  const [small, large] = [open(memory), open(memory)];
  small.set('a', bytes(1_000), 1_000);
  for (let n = 0; n < 50; n += 1) {
    large.set(`k${n}`, bytes(1_000), 1_000);
    assert.ok(memory.takenBytes <= 10_000, `${memory.takenBytes}`);
  }
  assert.deepEqual(small.get('a'), bytes(1_000));
  assert.deepEqual(large.get('k49'), bytes(1_000));
  large.set('whole', bytes(9_700), 1_000);
  assert.deepEqual([small.get('a'), large.get('whole')], ['nothing', bytes(9_700)]);
  large.set('more', bytes(9_900), 1_000);
  assert.equal(large.get('more'), 'nothing');
  assert.deepEqual(large.get('whole'), bytes(9_700));
  memory.leave(large);
  assert.equal(memory.takenBytes, 0);
});
