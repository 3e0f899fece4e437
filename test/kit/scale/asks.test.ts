import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationsOf } from './asks.ts';

test('of every operation that reads it is known what people ask of it, so that none is left out where many are asked', () => {
  const operations = operationsOf({ policyGroup: 'group', fleet: 'fleet' });
  assert.ok(operations.length > 100, `${operations.length} operations`);
});
