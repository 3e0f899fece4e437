import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from '../../../test/kit/random.ts';
import { decodeEntry, encodeEntry, type Entry } from './entry.ts';

const answer = {
  kind: 'answer',
  status: 200,
  headers: [
    ['Content-Type', 'text/plain'],
    ['X-Odd', 'caf\u00e9\t"'],
  ],
  keptAtMs: 1_000,
  age: 3,
  body: Buffer.from('body'),
} satisfies Entry;

/** As somebody else may have written it. */
const written = (head: unknown, version = 1, length?: number): Uint8Array => {
  const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
  const prefix = Buffer.from([version, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length ?? json.length, 1);
  return Buffer.concat([prefix, json, Buffer.from('body')]);
};
const { body: _body, ...head } = answer;

test('an entry is read as it was written', () => {
  const bytes = encodeEntry(answer);
  assert.ok(bytes !== undefined);
  assert.deepEqual(decodeEntry(bytes), answer);
  assert.deepEqual(decodeEntry(written(head)), answer);
  const variants = encodeEntry({ kind: 'variants', names: ['accept', 'x-lang'] });
  assert.deepEqual(variants && decodeEntry(variants), { kind: 'variants', names: ['accept', 'x-lang'] });
});

test('what is no entry of this version is nothing', () => {
  const hostile: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['another version', written(head, 2)],
    ['a head longer than the value', written(head, 1, 10_000)],
    ['a head longer than allowed', written({ ...head, headers: [['x', 'y'.repeat(70_000)]] })],
    ['no JSON', written('{"kind":')],
    ['another kind', written({ ...head, kind: 'other' })],
    ['a field more', written({ ...head, __proto__: null, more: 1 })],
    ['a prototype', written('{"kind":"answer","__proto__":{"status":200}}')],
    ['an interim status', written({ ...head, status: 101 })],
    ['a status that is none', written({ ...head, status: '200' })],
    ['a second head in a value', written({ ...head, headers: [['x', 'a\r\nset-cookie: b']] })],
    ['a value outside of latin1', written({ ...head, headers: [['x', '\u0100']] })],
    ['a name that is none', written({ ...head, headers: [['x y', 'a']] })],
    ['framing', written({ ...head, headers: [['Transfer-Encoding', 'chunked']] })],
    ['a length', written({ ...head, headers: [['content-length', '1']] })],
    ['a cookie', written({ ...head, headers: [['Set-Cookie', 'a=1']] })],
    ['too many headers', written({ ...head, headers: Array.from({ length: 201 }, () => ['x', 'y']) })],
    ['a time that is none', written({ ...head, keptAtMs: null })],
    ['too many names', written({ kind: 'variants', names: Array.from({ length: 17 }, (_, n) => `x${n}`) })],
    ['variants with a body', written({ kind: 'variants', names: ['x'] })],
  ];
  for (const [what, bytes] of hostile) assert.equal(decodeEntry(bytes), undefined, what);
});

test('changed bytes are read as an entry or as nothing, and never throw', (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed, 0);
  const bytes = encodeEntry(answer);
  assert.ok(bytes !== undefined);
  for (let round = 0; round < 5_000; round += 1) {
    const changed = Buffer.from(bytes.subarray(0, random.below(bytes.length + 1)));
    for (let count = random.below(4); count > 0 && changed.length > 0; count -= 1)
      changed[random.below(changed.length)] = random.below(256);
    const entry = decodeEntry(changed);
    assert.ok(entry === undefined || entry.kind === 'answer' || entry.kind === 'variants');
  }
});

test('an answer whose head is too large, or holds what no reader takes, is not written', () => {
  assert.equal(encodeEntry({ ...answer, headers: [['x', 'y'.repeat(70_000)]] }), undefined);
  assert.equal(encodeEntry({ ...answer, headers: [['x', 'a\nb']] }), undefined);
});
