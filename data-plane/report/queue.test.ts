import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createSpoolQueue, type QueueOptions } from './queue.ts';

const at = { stream: 'records', organization: 'o', environment: 'e', spool: '0'.repeat(32) } as const;

/** A queue whose clock stands still, and how many lines each of its messages held. */
function open(more: Partial<QueueOptions> = {}) {
  const clock = createFakeClock();
  const sent: number[] = [];
  const thrown: unknown[] = [];
  const queue = createSpoolQueue({
    clock,
    holdMs: 20,
    bytesMax: 1_000_000,
    send: (parts) => void sent.push(parts.reduce((sum, { count }) => sum + count, 0)),
    onState: () => undefined,
    onDropped: () => undefined,
    onThrown: (error) => void thrown.push(error),
    ...more,
  });
  return { clock, queue, sent, thrown };
}

test('a line alone leaves at the end of its turn', async () => {
  const { queue, sent } = open();
  void queue.add(at, 'one\n');
  assert.deepEqual(sent, []);
  await turn();
  assert.deepEqual(sent, [1]);
});

test('as long as each turn brings more, lines gather; the first quiet turn sends them together', async () => {
  const { queue, sent } = open();
  for (let busy = 0; busy < 5; busy += 1) {
    void queue.add(at, 'one\n');
    void queue.add(at, 'two\n');
    await turn();
    assert.deepEqual(sent, []);
  }
  await turn();
  assert.deepEqual(sent, [10]);
});

test('an event loop that is never quiet holds them 1 ms at most', async () => {
  const { clock, queue, sent } = open();
  for (let busy = 0; busy < 3; busy += 1) {
    void queue.add(at, 'one\n');
    void queue.add(at, 'two\n');
    await turn();
  }
  await clock.advance(1);
  void queue.add(at, 'last\n');
  await turn();
  assert.deepEqual(sent, [7]);
});

test('nothing leaves while a message is in flight, and whoever waits is released with his own', async () => {
  const { queue, sent } = open();
  const first = queue.add(at, 'one\n');
  await turn();
  let isReleased = false;
  const second = queue.add(at, 'two\n')?.then(() => (isReleased = true));
  await turn();
  assert.deepEqual(sent, [1]);
  queue.written();
  await first;
  await turn();
  assert.deepEqual(sent, [1, 1]);
  assert.equal(isReleased, false);
  queue.written();
  await second;
  await queue.drained();
});

test('what throws while lines leave is told, releases whoever waits for them, and holds up no line behind them', async () => {
  const dropped: number[] = [];
  const left: number[] = [];
  let isBroken = true;
  const { queue, thrown } = open({
    send(parts) {
      if (isBroken) throw new Error('a bug');
      left.push(parts.reduce((sum, { count }) => sum + count, 0));
    },
    onDropped: (count) => void dropped.push(count),
  });
  await queue.add(at, 'one\n');
  assert.deepEqual([thrown.length, dropped, queue.bytes], [1, [1], 0]);
  isBroken = false;
  const written = queue.add(at, 'two\n');
  await turn();
  assert.deepEqual(left, [1]);
  queue.written();
  await written;
  await queue.drained();
});

test('whoever hears that the spool is degraded and throws holds up no answer', async () => {
  const { clock, queue, thrown } = open({
    onState() {
      throw new Error('a bug');
    },
  });
  const written = queue.add(at, 'one\n');
  await turn();
  await clock.advance(1_000);
  await turn();
  await written;
  assert.equal(thrown.length, 1);
  assert.equal(queue.isDegraded, true);
});

test('answers that leave without their record are counted before they leave, and when everybody waits again that is said', async () => {
  const events: unknown[] = [];
  const { clock, queue } = open({
    unheld: {
      begin: (waiting) => events.push(['begin', [...waiting].map(({ count }) => count)]),
      added: () => events.push('added'),
      end: () => events.push('end'),
    },
  });
  const first = queue.add(at, 'one\n')?.then(() => events.push('left'));
  await turn();
  const second = queue.add(at, 'two\n')?.then(() => events.push('left'));
  await clock.advance(1_000);
  await turn();
  await Promise.all([first, second]);
  assert.equal(queue.add(at, 'three\n'), undefined);
  // The first is on its way to the thread.
  assert.deepEqual(events, [['begin', [1]], 'left', 'left', 'added']);
  queue.written();
  await turn();
  queue.written();
  assert.equal(events.at(-1), 'end');
});
