import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { sentEvent } from './event.ts';
import { EventStream, heartbeatMs, queueBounds } from './stream.ts';

function opened(lifeMsMax = 600_000) {
  const clock = createFakeClock();
  const closed = { times: 0 };
  const stream = new EventStream({ clock, lifeMsMax, onClosed: () => (closed.times += 1) });
  return { clock, closed, stream };
}

const each = (n: number, more = '') => sentEvent({ name: 'call', kind: 'each', data: { n, more } });
const state = (n: number) => sentEvent({ name: 'traffic', kind: 'state', data: { n } });

/** What waits, without a wait for more. */
async function waiting(stream: EventStream): Promise<string[]> {
  const texts: string[] = [];
  stream.end('life');
  for await (const text of stream) texts.push(text);
  return texts;
}

test('a slow reader gets the newest state once, the last events, and is told how many he missed', async () => {
  const { stream } = opened();
  for (let n = 0; n < 1_000; n += 1) {
    stream.push(each(n));
    stream.push(state(n));
  }
  stream.skip(5);
  const [skipped, ...rest] = await waiting(stream);
  const counted = /"count":(\d+)/.exec(skipped ?? '')?.[1];
  const calls = rest.filter((text) => text.startsWith('event: call'));
  assert.equal(Number(counted) + calls.length, 1_005, 'none is left out unsaid');
  assert.ok(calls.length <= queueBounds.events && calls.length > queueBounds.events - 5);
  assert.equal(calls.at(-1), each(999).text);
  assert.deepEqual(
    rest.filter((text) => text.startsWith('event: traffic')),
    [state(999).text],
  );
  assert.equal(rest.at(-1), 'event: end\ndata: {"reason":"life"}\n\n');
});

test('what waits is bounded by its size as well', async () => {
  const { stream } = opened();
  const large = 'x'.repeat(queueBounds.characters / 4);
  for (let n = 0; n < 20; n += 1) stream.push(each(n, large));
  const texts = await waiting(stream);
  assert.ok(texts.join('').length < queueBounds.characters + 1_000);
  assert.match(texts[0] ?? '', /^event: skipped\ndata: \{"count":17\}\n\n$/);
});

test('who waits is handed each event at once, a beat where nothing happens, and the end when it is time', async () => {
  const { stream, clock, closed } = opened(2 * heartbeatMs + 1);
  assert.equal((await stream.next()).value, 'retry: 2000\n\n');
  const next = stream.next();
  stream.push(each(1));
  assert.equal((await next).value, each(1).text);
  const beat = stream.next();
  await clock.advance(heartbeatMs);
  assert.equal((await beat).value, ':\n\n');
  await clock.advance(heartbeatMs + 1);
  const rest: string[] = [];
  for await (const text of stream) rest.push(text);
  assert.deepEqual(rest, [':\n\n', 'event: end\ndata: {"reason":"life"}\n\n']);
  assert.deepEqual([closed.times, clock.pending, stream.isOpen], [1, 0, false]);
});

test('a reader who goes away while he waits leaves nothing behind', async () => {
  const { stream, clock, closed } = opened();
  await stream.next();
  const next = stream.next();
  await stream.return();
  assert.equal((await next).done, true);
  stream.push(each(1));
  stream.end('shutdown');
  assert.deepEqual([closed.times, clock.pending, (await stream.next()).done], [1, 0, true]);
});
