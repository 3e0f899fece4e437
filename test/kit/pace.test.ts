import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithin, isWithinCpu } from './pace.ts';

test('what is far beyond its bound fails on any machine, and says what and by how much; what is within it never does', () => {
  for (const judge of [isWithin, isWithinCpu]) {
    judge(9, { msMax: 10 });
    assert.throws(
      () => judge(1e9, { msMax: 10, what: 'a call' }),
      /^AssertionError.*a call: 1000000000 ms of 10, on a machine/,
    );
  }
});
