import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writtenStore } from '../../test/kit/written-store.ts';

test('10,000 APIs and 100,000 keys are read, proven and handed over within 2.5 s of the start', async (t) => {
  const { start } = await writtenStore(t, { apis: 10_000, keys: 100_000 });
  const startedAtMs = performance.now();
  const gateway = start();
  const ms = performance.now() - startedAtMs;
  t.diagnostic(`${Math.round(ms)} ms`);
  assert.equal(gateway.served.size, 110_000);
  assert.ok(ms < 2_500, `${Math.round(ms)} ms`);
});
