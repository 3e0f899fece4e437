import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Turns } from './turns.ts';

test('the threads are shared evenly by time: one with dear scripts gets fewer runs, not more time', () => {
  const turns = new Turns<string>({ threadsMax: 1, waitingMax: 10_000 });
  for (let n = 0; n < 1_000; n += 1) {
    assert.ok(turns.add('dear', 'dear', 0));
    assert.ok(turns.add('cheap', 'cheap', 0));
  }
  const had = { dear: 0, cheap: 0 };
  const runs = { dear: 0, cheap: 0 };
  for (let ms = 0; ms < 1_000;) {
    const next = turns.take();
    assert.ok(next !== undefined);
    const api = next.api === 'dear' ? 'dear' : 'cheap';
    const took = api === 'dear' ? 50 : 1;
    runs[api] += 1;
    had[api] += took;
    ms += took;
    turns.give(next.api, took);
  }
  assert.ok(Math.abs(had.dear - had.cheap) <= 100, JSON.stringify(had));
  assert.ok(runs.cheap > 20 * runs.dear, JSON.stringify(runs));
});

test('who comes anew is not owed the time before: it has its turn, and no more than that', () => {
  const turns = new Turns<string>({ threadsMax: 1, waitingMax: 100 });
  const add = (api: string): void => assert.ok(turns.add(api, api, 0));
  for (let n = 0; n < 40; n += 1) add('old');
  for (let n = 0; n < 30; n += 1) {
    assert.equal(turns.take()?.api, 'old');
    turns.give('old', 10);
  }
  for (let n = 0; n < 10; n += 1) add('new');
  const next: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const { api = '' } = turns.take() ?? {};
    next.push(api);
    turns.give(api, 10);
  }
  assert.equal(next.filter((api) => api === 'new').length, 4, next.join());
});

test('an API whose scripts are slow leaves a thread to the others; one whose scripts are quick may have all', () => {
  const turns = new Turns<string>({ threadsMax: 2, waitingMax: 100 });
  for (let n = 0; n < 5; n += 1) turns.add('a', 'a', 0);
  assert.equal(turns.take()?.api, 'a');
  assert.equal(turns.take()?.api, 'a', 'nothing is known of it yet');
  turns.give('a', 100);
  turns.give('a', 100);
  assert.equal(turns.take()?.api, 'a');
  assert.equal(turns.take(), undefined, 'the last thread is kept for others');
  turns.add('b', 'b', 0);
  assert.equal(turns.take()?.api, 'b');
});

test('what is held back for others is given out as soon as a run of its API is over', () => {
  const turns = new Turns<string>({ threadsMax: 2, waitingMax: 100 });
  for (let n = 0; n < 4; n += 1) turns.add('a', 'a', 0);
  turns.take();
  turns.give('a', 1_000);
  turns.take();
  assert.equal(turns.take(), undefined);
  turns.give('a', 1_000);
  assert.equal(turns.take()?.job, 'a');
});

test('most that wait: in all as many as the bound says, of one API half of that; those that wait too long are let go', () => {
  const turns = new Turns<number>({ threadsMax: 1, waitingMax: 4 });
  assert.deepEqual(
    [1, 2, 3].map((n) => turns.add('a', n, n) !== undefined),
    [true, true, false],
  );
  assert.deepEqual(
    [4, 5].map((n) => turns.add('b', n, n) !== undefined),
    [true, true],
  );
  assert.equal(turns.add('c', 6, 6), undefined);
  assert.deepEqual(turns.expire(2), [1, 2]);
  assert.equal(turns.waiting, 2);
  assert.ok(turns.add('c', 7, 7));
  assert.deepEqual([turns.take()?.job, turns.waiting], [4, 2]);
});

test('who leaves makes room at once, has no turn, and cannot leave again', () => {
  const turns = new Turns<number>({ threadsMax: 1, waitingMax: 4 });
  const [first, second] = [turns.add('a', 1, 0), turns.add('a', 2, 0)];
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(turns.add('a', 3, 0), undefined);
  assert.deepEqual([turns.remove('a', first), turns.remove('a', first), turns.waiting], [true, false, 1]);
  assert.ok(turns.add('a', 3, 0));
  assert.equal(turns.take()?.job, 2);
  assert.equal(turns.remove('a', second), false, 'it runs');
  assert.deepEqual([turns.take()?.job, turns.waiting], [3, 0]);
});
