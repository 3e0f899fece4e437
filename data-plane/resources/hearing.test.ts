import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../../proto/faults/fault.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { Hearing } from './hearing.ts';

const timeout = () => Promise.reject(new Fault('outbound.timeout'));
const outcome = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(String, (error: unknown) => (error instanceof Fault ? error.code : 'not asked'));

test('of a server that hangs a few questions a second are asked, the others are told at once; whatever is heard ends that', async () => {
  const clock = createFakeClock();
  const hearing = new Hearing(clock);
  const ask = async (question: () => Promise<unknown>) => outcome(hearing.ask(question));
  assert.equal(await ask(timeout), 'outbound.timeout');
  for (let second = 0; second < 3; second += 1) {
    const asked = await Promise.all(Array.from({ length: 100 }, async () => ask(timeout)));
    assert.equal(asked.filter((each) => each === 'outbound.timeout').length, 10, `second ${second}`);
    assert.equal(asked.filter((each) => each === 'not asked').length, 90, `second ${second}`);
    await clock.advance(1_000);
  }
  assert.equal(await ask(() => Promise.resolve('back')), 'back');
  const after = await Promise.all(
    Array.from({ length: 100 }, async () => ask(() => Promise.resolve('back'))),
  );
  assert.ok(after.every((each) => each === 'back'));
});

test('a server that answers others while one waits is not silent, nor is one that refuses', async () => {
  const hearing = new Hearing(createFakeClock());
  const ask = async (question: () => Promise<unknown>) => outcome(hearing.ask(question));
  const slow = Promise.withResolvers<never>();
  const waiting = ask(() => slow.promise);
  assert.equal(await ask(() => Promise.resolve('yes')), 'yes');
  slow.reject(new Fault('outbound.timeout'));
  assert.equal(await waiting, 'outbound.timeout');
  const refused = () => Promise.reject(new Fault('outbound.unreachable'));
  for (let times = 0; times < 30; times += 1) assert.equal(await ask(refused), 'outbound.unreachable');
});
