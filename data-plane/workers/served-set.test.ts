import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Nack } from '../../proto/wire/published.ts';
import type { ConfigChange, SetRecord } from '../gateway/deploy/change.ts';
import { createServedSet } from './served-set.ts';

const api = (id: string, seq: number): SetRecord => ({
  kind: 'api',
  id,
  seq,
  revision: String(seq),
  payload: new Uint8Array([seq]),
});
const change = (seq: number, over: Partial<ConfigChange>): ConfigChange => ({
  organization: 'o',
  environment: 'e',
  seq,
  isFull: false,
  set: [],
  removed: [],
  ...over,
});
const nack = (id: string, seq: number, code = 'definition.invalid'): Nack => ({
  kind: 'api',
  id,
  seq,
  code,
  reason: 'no',
});
/** What a worker would be given: ids with seq, per change. */
const given = (set: ReturnType<typeof createServedSet>): readonly string[] =>
  set
    .changes()
    .map(
      ({ seq, isFull, set: records }) =>
        `${seq}${isFull ? ' full' : ''}: ${records.map((record) => `${record.id}@${record.seq}`).join(' ')}`,
    );

test('a worker is given what is in service, in order', () => {
  const set = createServedSet();
  set.take(change(2, { isFull: true, set: [api('b', 2), api('a', 1)] }), []);
  set.take(change(3, { set: [api('a', 3)] }), []);
  set.take(change(4, { set: [api('c', 4)], removed: [{ kind: 'api', id: 'b' }] }), []);
  assert.deepEqual(given(set), ['4 full: a@3 c@4']);
});

test('a refused record comes after its predecessor; accepted or removed it is forgotten', () => {
  const set = createServedSet();
  set.take(change(2, { isFull: true, set: [api('a', 1), api('b', 2)] }), [nack('b', 2)]);
  set.take(change(3, { set: [api('a', 3)] }), [nack('a', 3)]);
  assert.deepEqual(given(set), ['3 full: a@1', '3: b@2 a@3']);
  set.take(change(4, { set: [api('a', 4)] }), []);
  assert.deepEqual(given(set), ['4 full: a@4', '4: b@2']);
  set.take(change(5, { removed: [{ kind: 'api', id: 'b' }] }), []);
  assert.deepEqual(given(set), ['5 full: a@4']);
});

test('a full change keeps predecessors of what it refuses, and drops what it does not name', () => {
  const set = createServedSet();
  set.take(change(2, { isFull: true, set: [api('a', 1), api('b', 2)] }), []);
  set.take(change(9, { isFull: true, set: [api('a', 9)] }), [nack('a', 9)]);
  assert.deepEqual(given(set), ['9 full: a@1', '9: a@9']);
});

test('what was refused since its path is taken is not given, or the order would decide anew', () => {
  const set = createServedSet();
  set.take(change(2, { isFull: true, set: [api('a', 1), api('b', 2)] }), [nack('b', 2, 'path.taken')]);
  set.take(change(3, { removed: [{ kind: 'api', id: 'a' }] }), []);
  assert.deepEqual(given(set), ['3 full: ']);
});
