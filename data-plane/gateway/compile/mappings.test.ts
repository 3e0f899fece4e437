import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMappings } from './mappings.ts';

test('of the mappings that fit, the one with the fewest parameters is counted, then the first', () => {
  const map = createMappings(['/:a/:b', '/orders/:id', '/orders/mine', '/:kind/mine', '/:x/:y']);
  assert.equal(map?.('/orders/mine'), '/orders/mine');
  assert.equal(map?.('/orders/7'), '/orders/:id');
  assert.equal(map?.('/bills/mine'), '/:kind/mine');
  assert.equal(map?.('/bills/7'), '/:a/:b');
  assert.equal(map?.('/bills'), undefined);
  assert.equal(map?.('/orders/7/lines'), undefined);
});

test('an API without mappings has nothing to ask', () => {
  assert.equal(createMappings([]), undefined);
});
