import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hash8Of, SeenTokens, TokenMemory } from './seen-tokens.ts';

const mebibyte = 1_048_576;

/** Known until 100. */
const known = <T>(value: T, bytes = 0) => ({ known: value, untilMs: 100, bytes });

test('a token is known until its time, to the millisecond, and the oldest goes when there are too many', () => {
  const seen = new SeenTokens<number>(2, new TokenMemory(mebibyte));
  seen.set('one', known(1));
  assert.equal(seen.find('one', 99), 1);
  assert.equal(seen.find('one', 100), undefined);
  assert.equal(seen.size, 0);
  for (const [at, token] of ['one', 'two', 'three'].entries()) seen.set(token, known(at));
  assert.deepEqual(
    ['one', 'two', 'three'].map((token) => seen.find(token, 0)),
    [undefined, 1, 2],
  );
  assert.equal(seen.size, 2);
});

test('what all plans know takes no more than the memory, and the plan that takes most loses its oldest', () => {
  const memory = new TokenMemory(mebibyte);
  const small = new SeenTokens<number>(10_000, memory);
  const large = new SeenTokens<number>(10_000, memory);
  for (let at = 0; at < 10; at += 1) small.set(`small ${at}`, known(at, 1_000));
  for (let at = 0; at < 1_000; at += 1) {
    large.set(`large ${at}`, known(at, 10_000));
    assert.ok(memory.takenBytes <= mebibyte);
    assert.equal(memory.takenBytes, small.bytes + large.bytes);
  }
  assert.equal(small.size, 10);
  assert.equal(large.find('large 0', 0), undefined);
  assert.equal(large.find('large 999', 0), 999);
  assert.ok(large.bytes > mebibyte * 0.9);
});

test('what is larger than the memory is not kept, nothing counts twice, and what a plan knew goes with it', () => {
  const memory = new TokenMemory(mebibyte);
  const seen = new SeenTokens<number>(10, memory);
  seen.set('too large', known(1, mebibyte));
  assert.deepEqual([seen.size, memory.takenBytes], [0, 0]);
  seen.set('one', known(1, 1_000));
  const { takenBytes } = memory;
  seen.set('one', known(2, 1_000));
  assert.deepEqual([seen.find('one', 0), memory.takenBytes], [2, takenBytes]);
  seen.release();
  seen.set('late', known(3, 1_000));
  assert.deepEqual([seen.find('one', 0), seen.find('late', 0), memory.takenBytes], [undefined, undefined, 0]);
});

test('what a record says of a token are the first digits of its SHA-256', () => {
  assert.equal(hash8Of('abc'), 'ba7816bf');
});
