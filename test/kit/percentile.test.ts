import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile } from './percentile.ts';

test('a percentile is one of the values, whatever their order and number; of none it is not a number, and no bound holds', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => ((at * 37) % 100) + 1);
  for (const [share, value] of [
    [0, 1],
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [1, 100],
  ] as const)
    assert.equal(percentile(hundred, share), value);
  assert.equal(percentile([3, 10, 2], 0.5), 3);
  assert.equal(percentile([7], 0.99), 7);
  const none = percentile([], 0.5);
  assert.ok(!(none <= 1) && !(none >= 1));
});
