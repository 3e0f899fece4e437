import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { type Deadline, Deadlines } from './deadlines.ts';

function setUp() {
  const clock = createFakeClock();
  const fired: string[] = [];
  const thrown: unknown[] = [];
  const deadlines = new Deadlines({
    clock,
    afterMs: 1_000,
    graceMs: 50,
    onThrown: (error) => void thrown.push(error),
  });
  const create = (name: string): Deadline => ({
    dueMs: 0,
    previousDeadline: undefined,
    nextDeadline: undefined,
    onDeadline: () => void fired.push(name),
  });
  return { clock, fired, thrown, deadlines, create };
}

test('deadlines fire in order, not before their time and at most the grace late', async () => {
  const { clock, fired, deadlines, create } = setUp();
  deadlines.add(create('a'));
  await clock.advance(400);
  deadlines.add(create('b'));
  await clock.advance(599);
  assert.deepEqual(fired, []);
  await clock.advance(51);
  assert.deepEqual(fired, ['a']);
  await clock.advance(400);
  assert.deepEqual(fired, ['a', 'b']);
});

test('a removed deadline never fires, wherever it stood and however often it is removed', async () => {
  const { clock, fired, deadlines, create } = setUp();
  const all = ['a', 'b', 'c', 'd'].map(create);
  for (const deadline of all) deadlines.add(deadline);
  const [first, , third, last] = all;
  for (const deadline of [third, first, last, third, first])
    if (deadline !== undefined) deadlines.remove(deadline);
  await clock.advance(1_100);
  assert.deepEqual(fired, ['b']);
  deadlines.add(create('e'));
  await clock.advance(1_100);
  assert.deepEqual(fired, ['b', 'e']);
});

test('a deadline that throws is told, and the others fire in their time', async () => {
  const { clock, fired, thrown, deadlines, create } = setUp();
  const broken = create('broken');
  broken.onDeadline = () => {
    throw new Error('a bug');
  };
  deadlines.add(broken);
  deadlines.add(create('a'));
  await clock.advance(500);
  deadlines.add(create('b'));
  await clock.advance(1_100);
  assert.deepEqual([fired, thrown.length], [['a', 'b'], 1]);
});

test('a deadline that fires again does so after the time that it asks for, and the others in theirs', async () => {
  const { clock, fired, deadlines, create } = setUp();
  const first = create('first');
  first.onDeadline = () => {
    fired.push('first');
    if (fired.length === 1) deadlines.again(first, 300);
  };
  deadlines.add(first);
  await clock.advance(1_000);
  deadlines.add(create('second'));
  await clock.advance(299);
  assert.deepEqual(fired, ['first']);
  await clock.advance(1);
  assert.deepEqual(fired, ['first', 'first']);
  await clock.advance(750);
  assert.deepEqual(fired, ['first', 'first', 'second']);
});
