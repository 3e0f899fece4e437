import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ConfigChange, SetRecord } from '../gateway/deploy/change.ts';
import { createAssembly, partsOf } from './parts.ts';

const record = (seq: number, bytes = 10): SetRecord => ({
  kind: 'api-key',
  id: `k${seq}`,
  seq,
  revision: '1',
  payload: new Uint8Array(bytes),
});
const change = (over: Partial<ConfigChange>): ConfigChange => ({
  organization: 'o',
  environment: 'e',
  seq: 7,
  isFull: false,
  set: [],
  removed: [],
  ...over,
});

function assembled(given: ConfigChange): {
  readonly parts: number;
  readonly wholes: readonly ConfigChange[];
} {
  const assemble = createAssembly();
  const parts = [...partsOf(given, 1)];
  return { parts: parts.length, wholes: parts.flatMap((part) => assemble(part) ?? []) };
}

test('a change arrives as it was, once, with its last piece', () => {
  for (const given of [
    change({}),
    change({ set: [record(1)], removed: [{ kind: 'api', id: 'a' }] }),
    change({ isFull: true, set: Array.from({ length: 2_000 }, (_, index) => record(index)) }),
    change({ isFull: true, set: Array.from({ length: 2_001 }, (_, index) => record(index)) }),
    change({
      removed: Array.from({ length: 4_001 }, (_, index) => ({ kind: 'api-key' as const, id: `k${index}` })),
    }),
  ]) {
    assert.deepEqual(assembled(given).wholes, [given]);
  }
});

test('a piece holds at most 2,000 records and 1 MiB; a larger record travels alone', () => {
  const records = (count: number): SetRecord[] => Array.from({ length: count }, (_, index) => record(index));
  assert.equal(assembled(change({ set: records(2_000) })).parts, 1);
  assert.equal(assembled(change({ set: records(2_001) })).parts, 2);
  const half = 512 * 1024;
  assert.equal(assembled(change({ set: [record(1, half), record(2, half)] })).parts, 1);
  assert.equal(assembled(change({ set: [record(1, half), record(2, half + 1)] })).parts, 2);
  assert.equal(assembled(change({ set: [record(1), record(2, 3 * half), record(3)] })).parts, 3);
});

test('changes one after another do not mix', () => {
  const assemble = createAssembly();
  const all = [change({ set: [record(1)] }), change({ seq: 8, set: [record(2)] })];
  const wholes = all.flatMap((each, index) =>
    [...partsOf(each, index)].flatMap((part) => assemble(part) ?? []),
  );
  assert.deepEqual(wholes, all);
});
