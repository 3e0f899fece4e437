import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Gathered } from './gathered.ts';

test('pieces are kept in their order, as many bytes as are allowed, and nothing of more', () => {
  const kept = new Gathered(5);
  const add = (text: string): string => {
    kept.add(Buffer.from(`<${text}>`), 1, 1 + text.length);
    return `${kept.bytes.toString()}${kept.isTooLong ? ' and more' : ''}`;
  };
  assert.deepEqual(['ab', '', 'c', 'de', 'f', 'g'].map(add), [
    'ab',
    'ab',
    'abc',
    'abcde',
    ' and more',
    ' and more',
  ]);
  kept.clear();
  assert.deepEqual([add('x'), kept.length], ['x', 1]);
});

test('bytes that come one by one cost no more than their memory', () => {
  const bytesMax = 1024 * 1024;
  const kept = new Gathered(bytesMax);
  const before = process.memoryUsage();
  const piece = Buffer.from('x');
  for (let at = 0; at < bytesMax; at += 1) kept.add(piece, 0, 1);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  assert.equal(kept.length, bytesMax);
  // Its memory and the half as large one before it, and garbage of one collection; an object for each byte would be 100 MiB.
  assert.ok(grown < 32 * bytesMax, `${Math.round(grown / bytesMax)} MiB`);
});
