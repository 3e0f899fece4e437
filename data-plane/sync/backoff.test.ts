import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from './backoff.ts';
import { defaultTimings } from './sync.ts';

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

test('after an outage of any length the bridge is dialled within 5 s of its return, whatever the dice say', () => {
  const { redialMsFirst: firstMs, redialMsCap: capMs, redialAwayMsCap } = defaultTimings;
  assert.equal(redialAwayMsCap, 5_000);
  for (let outageMs = 100; outageMs < 3_600_000; outageMs = Math.ceil(outageMs * 1.37)) {
    const backoff = createBackoff({ firstMs, capMs, random: () => 1 });
    let nowMs = 0;
    while (nowMs < outageMs) nowMs += backoff.nextMs(undefined, redialAwayMsCap);
    assert.ok(nowMs - outageMs <= 5_000, `${outageMs} ms: ${nowMs - outageMs} ms later`);
  }
});

test('a bridge that refuses is left alone longer than one that is away', () => {
  const backoff = createBackoff({ firstMs: 100, capMs: 10_000, random: () => 1 });
  const waits = Array.from({ length: 8 }, () => backoff.nextMs(undefined, 300));
  assert.deepEqual(waits, [100, 200, 300, 300, 300, 300, 300, 300]);
  assert.equal(backoff.nextMs(), 10_000);
});
