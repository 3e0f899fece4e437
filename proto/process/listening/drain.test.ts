import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { listenOn } from '../listen.ts';
import { createDrain, drainMsMax } from './drain.ts';

async function serve(answer: RequestListener) {
  const server = createServer(answer);
  const drain = createDrain(server);
  const port = await listenOn(server, { host: '127.0.0.1', port: 0 });
  return { port, drain, server, clock: createFakeClock() };
}

/** A client that keeps its connection. */
function keeper(t: TestContext, port: number) {
  const socket = connect(port, '127.0.0.1');
  const seen = { text: '', isClosed: false, fault: undefined as unknown };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (seen.text += text));
  socket.on('error', (error) => (seen.fault = error));
  socket.on('close', () => (seen.isClosed = true));
  t.after(() => socket.destroy());
  return { seen, ask: (path: string) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`) };
}

test('a listener closes when its answers have ended, and cuts what has no end', async () => {
  const { port, drain, server, clock } = await serve((_request, answer) => void answer.write('for ever'));
  const endless = await fetch(`http://127.0.0.1:${port}/`);
  const closed = drain.close(clock);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`), 'it takes nobody new');
  await clock.advance(drainMsMax - 1);
  assert.equal(server.listening, false);
  await clock.advance(1);
  await closed;
  await assert.rejects(endless.text());
});

test('while it closes, every answer says so: one that is being made, and that of a connection which was idle', async (t) => {
  const waiting: (() => void)[] = [];
  const { port, drain, clock } = await serve((request, answer) => {
    if (request.url === '/slow') waiting.push(() => void answer.end('late'));
    else answer.end('at once');
  });
  const [slow, idle, silent, fresh] = [keeper(t, port), keeper(t, port), keeper(t, port), keeper(t, port)];
  for (const one of [idle, silent]) one.ask('/');
  await eventually(() => [idle, silent].every(({ seen }) => seen.text.includes('at once')));
  slow.ask('/slow');
  await eventually(() => waiting.length === 1);
  const closed = drain.close(clock, 500);
  idle.seen.text = '';
  idle.ask('/');
  await eventually(() => idle.seen.isClosed);
  assert.match(idle.seen.text, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n.*at once$/s);
  assert.equal(silent.seen.isClosed, false);
  await clock.advance(500);
  await eventually(() => silent.seen.isClosed && fresh.seen.isClosed);
  waiting[0]?.();
  await closed;
  await eventually(() => slow.seen.isClosed);
  assert.match(slow.seen.text, /\r\nConnection: close\r\n.*late$/s);
  assert.deepEqual(
    [slow, idle, silent, fresh].flatMap(({ seen }) => seen.fault ?? []),
    [],
  );
});
