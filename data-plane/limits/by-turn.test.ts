import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createAskedCounters } from './asked.ts';
import type { Take } from './by-turn.ts';
import type { Count } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

const rule = { kind: 'fixed', windowMs: 60_000 } as const;

/** Counters of somebody who answers when the test says so. */
function start({ waitingMax = 10, askers = 1, owedMax = 10 } = {}) {
  const clock = createFakeClock(0);
  const sent: { takes: readonly Take[]; answer(): void; fail(): void }[] = [];
  const told: string[] = [];
  let alone = 0;
  let total = 1_000;
  const counters = createAskedCounters({
    waitMsMax: 100,
    askers,
    owedMax,
    waitingMax,
    clock,
    local: createMemoryCounters({ windowsMax: 10, clock }),
    send: (takes) =>
      new Promise((resolve, reject) => {
        const answer = (): void => resolve(takes.map(() => ({ count: (total += 1), resetAtMs: 60_000 })));
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
  const { sent, take, alone } = start({ waitingMax: 2 });
  const taken = [take(), take(), take()];
  await turn();
  assert.equal(sent[0]?.takes.length, 2);
  sent[0]?.answer();
  assert.deepEqual(await Promise.all(taken), [1_001, 1_002, 1]);
  assert.equal(alone(), 1);
  const next: Promise<number> = take();
  await turn();
  sent[1]?.answer();
  assert.equal(await next, 1_004, 'behind what was counted alone');
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
    askers: 1,
    owedMax: 10,
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

test('while he is late each of several lets its share of a limit pass, from what it last heard on; what he was not asked he is told afterwards, before anything else', async () => {
  const { clock, sent, counters } = start({ askers: 2 });
  const known = counters.take('k', rule, 1);
  await turn();
  sent[0]?.answer();
  assert.equal((await known).count, 1_001);
  const late = counters.take('k', rule, 1);
  await turn();
  await clock.advance(100);
  assert.deepEqual(await late, { count: 1_003, resetAtMs: 60_000, isEstimate: true });
  const alone = [1, 3].map((amount) => counters.take('k', rule, amount));
  const other = counters.take('other', rule, 1);
  const look = counters.take('k', rule, 0);
  assert.deepEqual(
    (await Promise.all([...alone, other, look])).map(({ count, isEstimate }) => [count, isEstimate]),
    [
      [1_005, true],
      [1_011, true],
      [2, true],
      [1_011, true],
    ],
  );
  sent[1]?.answer();
  await turn();
  const again = counters.take('k', rule, 1);
  await turn();
  assert.deepEqual(
    sent[2]?.takes.map(({ key, amount }) => [key, amount]),
    [
      ['k', 4],
      ['other', 1],
      ['k', 1],
    ],
  );
  sent[2]?.answer();
  assert.equal((await again).isEstimate, undefined);
});

test('of so many keys it is kept what he has to be told; what is over is not', async () => {
  const { clock, sent, counters } = start({ owedMax: 2 });
  const late = counters.take('late', rule, 1);
  await turn();
  await clock.advance(100);
  await late;
  for (const key of ['a', 'b', 'c', 'a']) await counters.take(key, rule, 1);
  sent[0]?.answer();
  await turn();
  void counters.take('d', rule, 1);
  await turn();
  assert.deepEqual(
    sent[1]?.takes.map(({ key, amount }) => [key, amount]),
    [
      ['a', 2],
      ['b', 1],
      ['d', 1],
    ],
  );
  sent[1]?.answer();
});

test('what he was not asked is not told him in another window, and nothing of it that did not fit into a bucket', async () => {
  const { clock, sent, counters } = start();
  const bucket = { kind: 'gcra', burst: 2, refill: 1, refillMs: 60_000 } as const;
  const late = counters.take('late', rule, 1);
  await turn();
  await clock.advance(100);
  await late;
  for (const key of ['old', 'both']) await counters.take(key, rule, 5);
  await clock.advance(60_000);
  await counters.take('both', rule, 1);
  for (const amount of [1, 2, 1]) await counters.take('bucket', bucket, amount);
  sent[0]?.answer();
  await turn();
  void counters.take('d', rule, 1);
  await turn();
  assert.deepEqual(
    sent[1]?.takes.map(({ key, amount }) => [key, amount]),
    [
      ['both', 1],
      ['bucket', 2],
      ['d', 1],
    ],
  );
  sent[1]?.answer();
});
