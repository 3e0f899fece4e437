import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from './backoff.ts';

test('the wait is random below a bound that doubles to the cap, and starts anew after a success', () => {
  const longest = createBackoff({ firstMs: 100, capMs: 350, random: () => 1 });
  assert.deepEqual(
    [longest.nextMs(), longest.nextMs(), longest.nextMs(), longest.nextMs()],
    [100, 200, 350, 350],
  );
  longest.reset();
  assert.equal(longest.nextMs(), 100);
  const shortest = createBackoff({ firstMs: 100, capMs: 350, random: () => 0 });
  assert.equal(shortest.nextMs(), 0, 'full jitter begins at none');
});

test('a wait that the bridge asks for comes on top, but not for a day', () => {
  const backoff = createBackoff({ firstMs: 100, capMs: 100, random: () => 0.5 });
  assert.equal(backoff.nextMs(2_000), 2_050);
  assert.equal(backoff.nextMs(86_400_000), 600_050);
  assert.equal(backoff.nextMs(-5), 50);
});
