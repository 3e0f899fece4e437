import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';
import { encodeFrame, type Frame } from '../../proto/wire/frames.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { Session } from './session.ts';
import { runStream, sendFrame } from './stream.ts';

const mebibyte = 1024 * 1024;
const large: Frame = { kind: 'payloads', environment: 'dev', records: [new Uint8Array(mebibyte)] };
const ping: Frame = { kind: 'ping', atMs: 1 };

/** A stream whose frames go to `take`, and the bridge's end of it. */
async function openPair(
  t: TestContext,
  take: (frame: Frame, send: (frame: Frame) => Promise<void>) => Promise<void>,
): Promise<{ readonly bridge: WebSocket; readonly over: Promise<never> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await new Promise((resolve) => server.once('listening', resolve));
  const outbound = createOutbound(
    toOutboundOptions(outboundSettings.parse({ allow: ['127.0.0.1'] }), 'private', {}),
  );
  const stop = new AbortController();
  t.after(() => (stop.abort(), server.close(), outbound.close()));
  const joined = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const socket = await outbound.webSocket(url, { handshakeMs: 5_000, maxPayloadBytes: 16 * mebibyte });
  const session: Session = { take: (frame) => take(frame, (each) => sendFrame(socket, each, systemClock)) };
  const over = runStream({
    socket,
    session,
    clock: systemClock,
    signal: stop.signal,
    onMalformed: () => undefined,
  });
  over.catch(() => undefined);
  const bridge = await joined;
  bridge.on('error', () => undefined);
  t.after(() => bridge.terminate());
  return { bridge, over };
}

test('what waits of a stream is bounded in bytes: a bridge that is faster than its gateway has to wait', async (t) => {
  const busy = Promise.withResolvers<void>();
  let taken = 0;
  const { bridge } = await openPair(t, async () => {
    await busy.promise;
    taken += 1;
  });
  const count = 96;
  let left = 0;
  for (let n = 0; n < count; n += 1) bridge.send(encodeFrame(large), () => (left += 1));
  let before = -1;
  // Until no more leaves.
  await eventually(() => before === (before = left) && left > 0, { everyMs: 300, timeoutMs: 20_000 });
  assert.ok(left < 32, `${left} MiB left the bridge although the gateway took none`);
  busy.resolve();
  await eventually(() => taken === count, { timeoutMs: 20_000 });
});

test('a bridge that asks and asks and reads no answer has to wait too', async (t) => {
  let asked = 0;
  const { bridge } = await openPair(t, async (frame, send) => {
    asked += 1;
    await send({ ...frame, kind: 'payloads', environment: 'dev', records: [new Uint8Array(mebibyte)] });
  });
  bridge.pause();
  for (let n = 0; n < 100; n += 1) bridge.send(encodeFrame(ping));
  let before = -1;
  await eventually(() => before === (before = asked) && asked > 0, { everyMs: 300, timeoutMs: 20_000 });
  assert.ok(asked < 32, `${asked} answers of 1 MiB were made for a bridge that reads none`);
  bridge.on('message', () => undefined);
  bridge.resume();
  await eventually(() => asked === 100, { timeoutMs: 20_000 });
});

test('a flood of small frames leaves callers their turn, and is read later', async (t) => {
  let taken = 0;
  let turns = 0;
  const { bridge } = await openPair(t, async () => void (taken += 1));
  const turn = (): void => {
    turns += 1;
    if (taken < 6_000) setImmediate(turn);
  };
  const startedMs = performance.now();
  // Corked into one write, so that one read of the gateway brings thousands.
  const raw = Reflect.get(bridge, '_socket') as { cork(): void; uncork(): void };
  raw.cork();
  for (let n = 0; n < 6_000; n += 1) bridge.send(encodeFrame(ping));
  raw.uncork();
  turn();
  await eventually(() => taken >= 6_000, { timeoutMs: 20_000 });
  assert.ok(turns > 6_000 / 64, `${turns} turns of the event loop beside 6000 frames`);
  assert.ok(performance.now() - startedMs > 1_000, 'more than a second has to offer came later');
});
