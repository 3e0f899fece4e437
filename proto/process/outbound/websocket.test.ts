import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';

import { startConnectProxy } from '../../../test/kit/engine/connect-proxy.ts';
import { Fault } from '../../faults/fault.ts';
import { createOutbound, refusalOf, type OutboundOptions } from './outbound.ts';

function outboundFor(t: TestContext, options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    profile: 'private',
    allow: ['127.0.0.1'],
    connectMsMax: 2_000,
    responseBytesMax: 1_000_000,
    ...options,
  });
  t.after(() => outbound.close());
  return outbound;
}

async function serve(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const isFault = (code: string) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, code);
  return true;
};

test('a WebSocket opens through the proxy and speaks both ways', async (t) => {
  const server = createServer();
  const port = await serve(t, server);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
  const proxy = await startConnectProxy({ username: 'a', password: 'b' });
  t.after(() => proxy.close());
  for (const through of [undefined, proxy]) {
    const outbound = outboundFor(t, { proxy: through });
    const socket = await outbound.webSocket(`ws://127.0.0.1:${port}/s`, {
      handshakeMs: 2_000,
      maxPayloadBytes: 1_000,
    });
    const echoed = new Promise((resolve) =>
      socket.once('message', (message: Buffer) => resolve(message.toString())),
    );
    socket.send('over the border');
    assert.equal(await echoed, 'over the border');
    socket.terminate();
  }
  assert.equal(proxy.connections(), 1);
});

test('a refused handshake tells status, headers and body; a silent one times out; an abort ends it', async (t) => {
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    t.after(() => socket.destroy());
    socket.end('HTTP/1.1 401 Unauthorized\r\nX-Bridge-Time: 7\r\nContent-Length: 4\r\n\r\nnope');
  });
  const port = await serve(t, server);
  const outbound = outboundFor(t);
  const options = { handshakeMs: 100, maxPayloadBytes: 1_000 };
  const error: unknown = await outbound
    .webSocket(`ws://127.0.0.1:${port}/`, options)
    .catch((caught: unknown) => caught);
  assert.ok(isFault('outbound.handshake_refused')(error));
  const refusal = refusalOf(error);
  assert.equal(refusal?.status, 401);
  assert.equal(refusal.headers['x-bridge-time'], '7');
  assert.equal(refusal.body, 'nope');
  const mute = createServer();
  mute.on('upgrade', (_request, socket) => t.after(() => socket.destroy()));
  const mutePort = await serve(t, mute);
  await assert.rejects(
    outbound.webSocket(`ws://127.0.0.1:${mutePort}/`, options),
    isFault('outbound.timeout'),
  );
  const signal = AbortSignal.timeout(30);
  await assert.rejects(
    outbound.webSocket(`ws://127.0.0.1:${mutePort}/`, { ...options, handshakeMs: 5_000, signal }),
    {
      name: 'TimeoutError',
    },
  );
});
