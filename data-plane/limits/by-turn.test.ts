import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createAskedCounters } from './asked.ts';
import type { Take } from './by-turn.ts';
import type { Count } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

const rule = { kind: 'fixed', windowMs: 60_000 } as const;

/** Counters of somebody who answers when the test says so. */
function start(waitingMax = 10) {
  const clock = createFakeClock(0);
  const sent: { takes: readonly Take[]; answer(): void; fail(): void }[] = [];
  const told: string[] = [];
  let alone = 0;
  let total = 1_000;
  const counters = createAskedCounters({
    waitMsMax: 100,
    waitingMax,
    clock,
    local: createMemoryCounters({ windowsMax: 10, clock }),
    send: (takes) =>
      new Promise((resolve, reject) => {
        const answer = (): void => resolve(takes.map(() => ({ count: (total += 1), resetAtMs: 5 })));
        sent.push({ takes, answer, fail: () => reject(new Error('gone')) });
      }),
    onLocal: () => void (alone += 1),
    onAway: (why) => void told.push(String(why)),
    onBack: () => void told.push('back'),
  }).within('e');
  const take = async (): Promise<number> => (await counters.take('k', rule, 1)).count;
  return { clock, sent, told, take, counters, alone: () => alone };
}

/** The end of the turn, at which what was gathered leaves. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what one turn takes leaves in one message, and each gets its own answer', async () => {
  const { sent, take, alone } = start();
  const taken = [take(), take(), take()];
  assert.equal(sent.length, 0);
  await turn();
  const later = take();
  await turn();
  assert.deepEqual(
    sent.map(({ takes }) => takes.length),
    [3, 1],
  );
  for (const batch of sent) batch.answer();
  assert.deepEqual(await Promise.all(taken), [1_001, 1_002, 1_003]);
  assert.equal(await later, 1_004);
  assert.equal(alone(), 0);
});

test('who is late is waited for once: then all count alone, at once, until everything that was asked is answered', async () => {
  const { clock, sent, told, take, counters, alone } = start();
  const first = take();
  await turn();
  const second = take();
  await turn();
  await clock.advance(99);
  assert.equal(alone(), 0);
  await clock.advance(1);
  assert.equal(await first, 1, 'counted alone, once it was late');
  assert.deepEqual(told, ['Error: no answer within 100 ms']);
  assert.equal(await second, 2);
  assert.ok(!(counters.take('k', rule, 1) instanceof Promise), 'nobody is waited for');
  assert.equal(sent.length, 2);
  sent[0]?.answer();
  await turn();
  assert.equal(await take(), 4, 'one answer is still due');
  sent[1]?.answer();
  await turn();
  assert.deepEqual(told.slice(1), ['back']);
  const again = take();
  await turn();
  sent[2]?.answer();
  assert.ok((await again) > 1_000);
});

test('an answer that lies unread while this process was the late one counts', async () => {
  const { clock, sent, take, alone } = start();
  const taken = take();
  await turn();
  const waited = clock.advance(100);
  // Comes in the same turn as the deadline, behind it.
  sent[0]?.answer();
  await waited;
  assert.equal(await taken, 1_001);
  assert.equal(alone(), 0);
});

test('most waiting takes are a bound: what is over is counted alone', async () => {
  const { sent, take, alone } = start(2);
  const taken = [take(), take(), take()];
  await turn();
  assert.equal(sent[0]?.takes.length, 2);
  sent[0]?.answer();
  assert.deepEqual(await Promise.all(taken), [1_001, 1_002, 1]);
  assert.equal(alone(), 1);
  const next: Promise<number> = take();
  await turn();
  sent[1]?.answer();
  assert.equal(await next, 1_003);
});

test('who is gone is told once, and asked again with the next turn', async () => {
  const { sent, told, take } = start();
  for (const expected of [1, 2]) {
    const taken = take();
    await turn();
    sent.at(-1)?.fail();
    assert.equal(await taken, expected);
  }
  assert.deepEqual(told, ['Error: gone']);
  const taken = take();
  await turn();
  sent.at(-1)?.answer();
  assert.equal(await taken, 1_001);
  assert.deepEqual(told, ['Error: gone', 'back']);
});

test('an answer that is missing in a batch is counted alone', async () => {
  const counters = createAskedCounters({
    waitMsMax: 100,
    waitingMax: 10,
    clock: createFakeClock(0),
    local: createMemoryCounters({ windowsMax: 10, clock: createFakeClock(0) }),
    send: async (): Promise<readonly Count[]> => [],
    onLocal: () => undefined,
    onAway: () => undefined,
    onBack: () => undefined,
  });
  assert.equal((await counters.within('e').take('k', rule, 3)).count, 3);
});
