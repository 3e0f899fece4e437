import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketHashesOf, bucketOf, digestOf } from '../../proto/trust/digest.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { keyOf, RecordSet, type Entry } from './record-set.ts';

const entry = (id: string, seq: number, isDeleted = false): Entry => ({
  header: { kind: 'api', id, seq, sha256: Buffer.alloc(32, seq % 251), tags: [], isDeleted },
  hasBytes: !isDeleted,
});

test('after any changes a set digests as one made at once, and older sets stay as they were', () => {
  const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const random = createRandom(seed);
  const model = new Map<string, RecordHeader>();
  let set = RecordSet.empty;
  for (let round = 1; round <= 60; round += 1) {
    const before = { set, digest: set.digest(), count: set.count() };
    const changes = Array.from({ length: random(20) }, () =>
      entry(`r${random(300)}`, round, random(5) === 0),
    );
    if (random(4) === 0) {
      const buckets = [...new Set(changes.map(({ header }) => bucketOf('api', header.id)))];
      for (const [key, { id }] of model) if (buckets.includes(bucketOf('api', id))) model.delete(key);
      set = set.withBuckets(buckets, changes);
    } else {
      set = set.with(changes);
    }
    for (const { header } of changes) model.set(keyOf(header), header);
    const expected = digestOf(bucketHashesOf(model.values()));
    assert.deepEqual(Buffer.from(set.digest()), Buffer.from(expected), `seed ${seed}, round ${round}`);
    assert.equal(set.count(), model.size);
    assert.deepEqual([before.set.digest(), before.set.count()], [before.digest, before.count]);
    const changed = [...set.differences(before.set)].map(({ before: old, after }) =>
      keyOf((after ?? old ?? entry('', 0)).header),
    );
    assert.equal(new Set(changed).size, changed.length, 'each difference once');
  }
});

test('replacing buckets leaves out what lies in others', () => {
  const bucket = bucketOf('api', 'a');
  const other =
    Array.from({ length: 50 }, (_, index) => `x${index}`).find((id) => bucketOf('api', id) !== bucket) ?? '';
  const set = RecordSet.empty.with([entry('a', 1)]).withBuckets([bucket], [entry('a', 2), entry(other, 3)]);
  assert.deepEqual(
    [...set.entries()].map(({ header }) => `${header.id}@${header.seq}`),
    ['a@2'],
  );
});

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
