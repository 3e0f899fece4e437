import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hash8Of, SeenTokens } from './seen-tokens.ts';

test('a token is known until its time, to the millisecond, and the oldest goes when there are too many', () => {
  const seen = new SeenTokens<number>(2);
  seen.set('one', 1, 100);
  assert.equal(seen.find('one', 99), 1);
  assert.equal(seen.find('one', 100), undefined);
  assert.equal(seen.size, 0);
  for (const [at, token] of ['one', 'two', 'three'].entries()) seen.set(token, at, 100);
  assert.deepEqual(
    ['one', 'two', 'three'].map((token) => seen.find(token, 0)),
    [undefined, 1, 2],
  );
  assert.equal(seen.size, 2);
});

test('what a record says of a token are the first digits of its SHA-256', () => {
  assert.equal(hash8Of('abc'), 'ba7816bf');
});
