import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { ByTurn, type Take } from './by-turn.ts';
import type { Count, CounterRule } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';
import { NearCounters } from './near.ts';

const fixed = { kind: 'fixed', windowMs: 60_000 } as const;

/** Counters far away that others use as well, and two processes that ask them. */
function start({ waitingMax = 100 } = {}) {
  const clock = createFakeClock(0);
  const far = createMemoryCounters({ windowsMax: 100, clock }).within('far');
  const told: Take[] = [];
  let state: 'answers' | 'silent' | 'fails' = 'answers';
  let untold = 0;
  const process = () => {
    const near = new NearCounters({
      ask(take) {
        if (state === 'silent') return undefined;
        told.push(take);
        if (state === 'fails') return Promise.reject(new Error('late'));
        const { count, resetAtMs } = far.take(take.key, take.rule, take.amount);
        return Promise.resolve({ count, resetAtMs });
      },
      local: createMemoryCounters({ windowsMax: 100, clock }),
      mergeMs: 5_000,
      waitingMax,
      clock,
      onUntold: () => void (untold += 1),
    });
    const take =
      (face: 'estimated' | 'later') =>
      async (key = 'k', rule: CounterRule = fixed): Promise<string> => {
        const { count, isEstimate }: Count = await near[face]('e', 'asked:').take(key, rule, 1);
        return isEstimate === true ? `${count}?` : `${count}`;
      };
    return { near, estimated: take('estimated'), later: take('later') };
  };
  return { clock, far, told, process, set: (to: typeof state) => void (state = to), untold: () => untold };
}

test('an estimate goes on from what was known last, for each rule, and ends with its window', async () => {
  for (const rule of [
    fixed,
    { kind: 'calendar', unit: 'hour', units: 1, from: 'first' },
    { kind: 'sliding', windowMs: 60_000 },
    { kind: 'gcra', burst: 100, refill: 1, refillMs: 60_000 },
  ] as const) {
    const { clock, far, process, set } = start();
    const { estimated } = process();
    far.take('k', rule, 7);
    assert.equal(await estimated('k', rule), '8', rule.kind);
    for (const state of ['silent', 'fails'] as const) set(state);
    assert.deepEqual([await estimated('k', rule), await estimated('k', rule)], ['9?', '10?'], rule.kind);
    assert.equal(await estimated('other', rule), '1?');
    set('silent');
    assert.equal(await estimated('k', rule), '11?');
    set('answers');
    assert.equal(await estimated('k', rule), '9', 'what was estimated is not added afterwards');
    if (rule.kind === 'gcra') continue;
    set('silent');
    await clock.advance(2 * 3_600_000);
    assert.equal(await estimated('k', rule), '1?');
  }
});

test('later: counted at once; what others counted is known after mergeMs, so that no more than limit x processes pass', async () => {
  const { clock, process, told } = start();
  const [one, two] = [process(), process()];
  assert.deepEqual([await one.later(), await one.later(), await two.later()], ['1', '2', '1']);
  assert.equal(told.length, 0);
  await clock.advance(4_999);
  assert.equal(told.length, 0);
  await clock.advance(1);
  assert.deepEqual(
    told.map(({ amount }) => amount),
    [2, 1],
    'once for each process',
  );
  assert.equal(await two.later(), '4');
  assert.equal(await one.later(), '3', 'it was told before the other');
  await clock.advance(5_000);
  assert.equal(await one.later(), '6');
  const limit = 10;
  let passed = 0;
  for (const each of [one, two])
    for (let asked = 0; asked < 50; asked += 1) passed += Number(await each.later('fresh')) <= limit ? 1 : 0;
  assert.equal(passed, 2 * limit);
});

test('later: who is not asked is told another time, who was late is not told again, and what has ended is told nobody', async () => {
  const { clock, far, process, set, told, untold } = start();
  const { later, near } = process();
  set('silent');
  await later();
  await clock.advance(5_000);
  assert.equal(await later(), '2?', 'since nobody has heard of it');
  set('answers');
  await clock.advance(5_000);
  assert.equal(told.at(-1)?.amount, 2);
  assert.equal(await later(), '3');
  set('fails');
  await clock.advance(5_000);
  assert.equal(untold(), 1);
  set('answers');
  await clock.advance(5_000);
  assert.equal(far.take('k', fixed, 0).count, 2, 'the third may have been counted');
  set('silent');
  await later('short', { kind: 'fixed', windowMs: 3_000 });
  set('answers');
  const before = told.length;
  await clock.advance(5_000);
  assert.equal(told.length, before);
  await later('closed');
  near.close();
  await clock.advance(5_000);
  assert.equal(told.length, before);
});

test('later: keys that wait to be told are a bound, and many are told a part at a time', async () => {
  const { clock, process, told, untold } = start({ waitingMax: 700 });
  const { later } = process();
  for (let n = 0; n < 701; n += 1) await later(`k${n}`);
  assert.equal(untold(), 1);
  await clock.advance(5_000);
  assert.equal(told.length, 500);
  await clock.advance(10);
  assert.equal(told.length, 700);
});

test('gcra: what does not fit in the bucket is told nobody', async () => {
  const { clock, process, told } = start();
  const { later } = process();
  const rule = { kind: 'gcra', burst: 2, refill: 1, refillMs: 60_000 } as const;
  for (const expected of ['1', '2', '3', '3']) assert.equal(await later('k', rule), expected);
  await clock.advance(5_000);
  assert.equal(told[0]?.amount, 2);
});

test('who is probed is asked for nothing until a probe is answered in time; probes come less and less often', async () => {
  const clock = createFakeClock(0);
  const probes: { answer(): void; fail(): void }[] = [];
  const said: string[] = [];
  let isUp = false;
  const turns = new ByTurn({
    waitMsMax: 50,
    waitingMax: 10,
    clock,
    send: async (takes) => {
      if (!isUp) throw new Error('READONLY');
      return takes.map(() => ({ count: 1, resetAtMs: 1 }));
    },
    probe: () =>
      new Promise((resolve, reject) =>
        probes.push({ answer: () => resolve(undefined), fail: () => reject(new Error('READONLY')) }),
      ),
    onAway: () => said.push('away'),
    onBack: () => said.push('back'),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const take = () => turns.take({ environment: 'e', key: 'k', rule: fixed, amount: 1 });
  await assert.rejects(take() ?? Promise.resolve(), /READONLY/);
  assert.equal(take(), undefined);
  await clock.advance(10);
  assert.equal(probes.length, 1);
  probes[0]?.fail();
  await turn();
  await clock.advance(19);
  assert.equal(probes.length, 1);
  await clock.advance(1);
  assert.equal(probes.length, 2);
  // Answered, but too late.
  await clock.advance(50);
  await turn();
  probes[1]?.answer();
  await turn();
  assert.equal(take(), undefined);
  isUp = true;
  await clock.advance(40);
  probes[2]?.answer();
  await turn();
  assert.deepEqual(said, ['away', 'back']);
  assert.equal((await take())?.count, 1);
  isUp = false;
  await assert.rejects(take() ?? Promise.resolve(), /READONLY/);
  turns.close();
  await clock.advance(10_000);
  assert.equal(probes.length, 3);
});
