import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';

import { startRig } from '../../../test/kit/engine/engine-rig.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { openPeer, type Peer } from '../../../test/kit/engine/raw-peer.ts';
import { closeOf, exchangeMessage, openWebSocket } from '../../../test/kit/engine/websockets.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import type { Exchange, ServerLimits } from '../exchange.ts';
import type {
  AcceptedWebSocket,
  HandshakeRefusal,
  WebSocketClose,
  WebSocketHandler,
  WebSocketLimits,
} from '../web-socket.ts';
import { closeFrame, frameOf, opcodes } from './frames.ts';

interface SceneWish {
  readonly limits?: Partial<WebSocketLimits>;
  readonly server?: Partial<ServerLimits>;
  readonly protocol?: string;
  readonly cookie?: string;
  /** What a message does; by default it is sent back. */
  readonly onMessage?: (
    socket: AcceptedWebSocket,
    message: Parameters<WebSocketHandler['onMessage']>[0],
  ) => void;
  readonly onOpen?: (socket: AcceptedWebSocket) => void;
}

/** An engine that is itself the server of every WebSocket. */
async function startScene(t: TestContext, wish: SceneWish = {}) {
  const closes: WebSocketClose[] = [];
  const sockets: AcceptedWebSocket[] = [];
  const exchanges: Exchange[] = [];
  const refusals: HandshakeRefusal[] = [];
  const thrown: unknown[] = [];
  let drains = 0;
  const rig = await startRig(t, {
    limits: { tunnelIdleMsMax: 5_000, ...wish.server },
    onThrown: (error) => thrown.push(error),
    onExchange: (exchange) => {
      exchanges.push(exchange);
      const headers = exchange.createHeaders();
      if (wish.cookie !== undefined) headers.set('Set-Cookie', wish.cookie);
      const refusal = exchange.accept(
        {
          headers,
          protocol: wish.protocol,
          limits: {
            frameBytesMax: 200_000,
            messageBytesMax: 200_000,
            unsentBytesMax: 100_000,
            closeMsMax: 300,
            ...wish.limits,
          },
        },
        (socket) => {
          sockets.push(socket);
          wish.onOpen?.(socket);
          return {
            onMessage: (message) =>
              wish.onMessage === undefined
                ? void socket.send(message.isText ? message.bytes.toString() : message.bytes)
                : wish.onMessage(socket, message),
            onDrain: () => void (drains += 1),
            onClose: (close) => closes.push(close),
          };
        },
      );
      if (refusal === undefined) return;
      refusals.push(refusal);
      const answer = exchange.createHeaders();
      for (const [name, value] of refusal.headers) answer.set(name, value);
      exchange.respond({ status: refusal.status, headers: answer }, refusal.reason);
    },
  });
  const { port } = rig.running;
  return {
    ...rig,
    closes,
    sockets,
    exchanges,
    refusals,
    thrown,
    drains: () => drains,
    url: `ws://127.0.0.1:${port}/`,
    raw: (head: string) => openPeer(t, { port, from: '127.0.0.1' }, head),
  };
}

const asking =
  'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** A client by hand, past its handshake. */
async function joined(raw: (head: string) => Promise<Peer>, behind: Buffer = Buffer.alloc(0)): Promise<Peer> {
  const peer = await raw(`${asking}\r\n${behind.toString('latin1')}`);
  await peer.until('\r\n\r\n');
  return peer;
}

const latin1 = (frame: Buffer): string => frame.toString('latin1');
const closed = (code: number, reason: string): string => latin1(closeFrame(code, reason, false));

test('a WebSocket is answered without a backend: text, binary, long and empty messages come back as they went', async (t) => {
  const scene = await startScene(t);
  const socket = await openWebSocket(t, scene.url);
  for (const message of ['hé', '', 'x'.repeat(70_000), randomBytes(3), randomBytes(150_000)]) {
    const { message: back, isBinary } = await exchangeMessage(socket, message);
    assert.ok(back.equals(Buffer.from(message)));
    assert.equal(isBinary, typeof message !== 'string');
  }
  socket.close(4_000, 'done');
  assert.deepEqual(await closeOf(socket), { code: 4_000, reason: '' });
  await eventually(() => scene.outcomes.length === 1);
  assert.deepEqual(scene.closes, [{ code: 4_000, reason: 'done' }]);
  const [outcome] = scene.outcomes;
  assert.deepEqual([outcome?.kind, outcome?.status], ['complete', 101]);
  assert.ok((outcome?.requestBytes ?? 0) > 220_000 && (outcome?.responseBytes ?? 0) > 220_000);
  await eventually(() => scene.running.connections === 0);
  assert.equal(scene.backend.accepted(), 0);
});

test('the handshake is that of RFC 6455, with the protocol that was chosen and lines of our own', async (t) => {
  const scene = await startScene(t, { protocol: 'orders.v2', cookie: 'a=1' });
  const peer = await scene.raw(`${asking}Sec-WebSocket-Protocol: orders.v1, orders.v2\r\n\r\n`);
  await peer.until('\r\n\r\n');
  assert.equal(
    peer.text,
    'HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: orders.v2\r\n\r\n',
  );
  const unasked = await scene.raw(`${asking}\r\n`);
  await unasked.until('500');
  assert.match(String(scene.thrown[0]), /one that was offered/);
});

for (const [what, head, status] of [
  ['no upgrade', 'GET / HTTP/1.1\r\nHost: h\r\n', 400],
  ['another protocol', asking.replace('websocket', 'echo'), 400],
  ['another method', asking.replace('GET', 'POST'), 400],
  ['no key', asking.replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
  ['a key that is none', asking.replace('dGhl', ''), 400],
  ['two keys', `${asking}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`, 400],
  ['another version', asking.replace('13', '8'), 426],
  ['no version', asking.replace(/Sec-WebSocket-Version.*\r\n/, ''), 426],
] as const) {
  test(`who asks with ${what} opens no WebSocket: ${status}, and the connection goes on`, async (t) => {
    const scene = await startScene(t);
    const peer = await scene.raw(`${head}\r\n`);
    await peer.until('\r\n\r\n');
    assert.match(peer.text, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.equal(/^sec-websocket-version: 13\r$/im.test(peer.text), status === 426);
    assert.deepEqual([scene.sockets.length, scene.refusals.length], [0, 1]);
    peer.write(`${head}\r\n`);
    await peer.until('HTTP/1.1', 2);
  });
}

test('frames that came in the same read as the request are heard', async (t) => {
  const scene = await startScene(t);
  const peer = await joined(scene.raw, frameOf(opcodes.text, Buffer.from('early'), true));
  await peer.until('early');
});

test('a ping is answered, of many in one read the last; a pong is no message', async (t) => {
  const scene = await startScene(t);
  const peer = await joined(scene.raw);
  const pings = Array.from({ length: 100 }, (_, at) => frameOf(opcodes.ping, Buffer.from(`p${at}.`), true));
  peer.write(latin1(Buffer.concat([frameOf(opcodes.pong, Buffer.from('x'), true), ...pings])));
  await peer.until('p99.');
  assert.equal(peer.text.split('\r\n\r\n')[1], latin1(frameOf(opcodes.pong, Buffer.from('p99.'), false)));
});

for (const [what, frame, code] of [
  ['breaks the protocol', frameOf(opcodes.text, Buffer.from('a'), false), 1002],
  ['sends a text that is no UTF-8', frameOf(opcodes.text, Buffer.from([0xff]), true), 1007],
  ['sends a frame past its bound', frameOf(opcodes.binary, Buffer.alloc(200_001), true), 1009],
] as const) {
  test(`a client that ${what} is told ${code} and let go`, async (t) => {
    const scene = await startScene(t);
    const peer = await joined(scene.raw);
    peer.write(latin1(frame));
    await peer.ended;
    assert.equal(peer.text.split('\r\n\r\n')[1]?.slice(2, 4), String.fromCharCode(code >> 8, code & 0xff));
    await eventually(() => scene.closes.length === 1);
    assert.equal(scene.closes[0]?.code, code);
    assert.equal(scene.outcomes[0]?.kind, 'complete');
  });
}

test('a close without a code is answered without one', async (t) => {
  const scene = await startScene(t);
  const peer = await joined(scene.raw);
  peer.write(latin1(frameOf(opcodes.close, Buffer.alloc(0), true)));
  assert.equal(await peer.ended, 'fin');
  assert.equal(peer.text.split('\r\n\r\n')[1], '\x88\x00');
  assert.deepEqual(scene.closes, [{ code: 1_005, reason: '' }]);
});

test('a client that goes without a close frame is 1006, and its exchange is aborted', async (t) => {
  for (const how of ['fin', 'reset'] as const) {
    const scene = await startScene(t);
    const peer = await joined(scene.raw);
    peer.leave(how);
    await eventually(() => scene.outcomes.length === 1);
    assert.deepEqual(
      [scene.closes, scene.outcomes[0]?.kind],
      [[{ code: 1_006, reason: '' }], 'clientAborted'],
    );
  }
});

test('our close is sent behind what was sent, nothing follows it, and the client has its time to answer', async (t) => {
  const scene = await startScene(t);
  const peer = await joined(scene.raw);
  const [socket] = scene.sockets;
  assert.ok(socket !== undefined && socket.send('last'));
  socket.close(1_001, 'bye');
  assert.equal(socket.send('more'), false);
  socket.close(1_000, 'again');
  await peer.until(closed(1_001, 'bye'));
  // What comes meanwhile is read and not heard.
  peer.write(latin1(frameOf(opcodes.text, Buffer.from('echo'), true)));
  peer.write(latin1(closeFrame(1_001, '', true)));
  assert.equal(await peer.ended, 'fin');
  assert.equal(peer.text.split('\r\n\r\n')[1], `\x81\x04last${closed(1_001, 'bye')}`);
  assert.deepEqual(scene.closes, [{ code: 1_001, reason: 'bye' }]);

  const silent = await joined(scene.raw);
  const sinceMs = performance.now();
  scene.sockets[1]?.close(1_000, '');
  await silent.ended;
  assert.ok((silent.endedAtMs ?? 0) - sinceMs >= 250, 'it waits for the client');
  await eventually(() => scene.running.connections === 0);
});

test('Exchange.end closes it with the words of the gateway, within 1 s though the client says nothing', async (t) => {
  const scene = await startScene(t, { limits: { closeMsMax: 60_000 } });
  const peer = await joined(scene.raw);
  const sinceMs = performance.now();
  scene.exchanges[0]?.end({ code: 1_008, reason: 'the key is revoked' }, false);
  await peer.until(closed(1_008, 'the key is revoked'));
  await peer.ended;
  isWithin(performance.now() - sinceMs, { msMax: 1_000 });
  assert.deepEqual(scene.closes, [{ code: 1_008, reason: 'the key is revoked' }]);
  // In the very turn in which it was accepted, too.
  const atOnce = await startScene(t);
  const waiting = eventually(() => atOnce.exchanges.length === 1).then(() => undefined);
  const other = await atOnce.raw(`${asking}\r\n`);
  await waiting;
  atOnce.exchanges[0]?.end({ code: 1_001, reason: 'the gateway stops' }, false);
  await other.until(closed(1_001, 'the gateway stops'));
});

test('who sends more than is read is told, what was refused was not sent, and what waits is bounded', async (t) => {
  const scene = await startScene(t, { onMessage: () => undefined });
  const socket = await openWebSocket(t, scene.url);
  socket.pause();
  const [accepted] = scene.sockets;
  const message = Buffer.alloc(10_000);
  let taken = 0;
  let received = 0;
  socket.on('message', () => (received += 1));
  // Until the kernel takes no more: what the engine itself keeps is `unsentBytesMax`.
  await eventually(
    () => {
      const before = taken;
      while (taken < 10_000 && accepted?.send(message) === true) taken += 1;
      return taken > 0 && taken === before;
    },
    { timeoutMs: 10_000 },
  );
  assert.ok(taken < 2_000, `${taken} messages of 10,000 bytes were taken`);
  const drains = scene.drains();
  socket.resume();
  await eventually(() => scene.drains() > drains);
  assert.equal(accepted?.send(message), true);
  await eventually(() => received === taken + 1);
});

test('who is paused is not heard, holds the client up, and is heard in order afterwards', async (t) => {
  const heard: string[] = [];
  const scene = await startScene(t, {
    onMessage: (socket, { bytes }) => {
      heard.push(bytes.toString());
      if (heard.length === 1) socket.pause();
    },
  });
  const peer = await joined(scene.raw);
  const frames = ['one', 'two', 'three'].map((word) => frameOf(opcodes.text, Buffer.from(word), true));
  peer.write(latin1(Buffer.concat(frames)));
  await eventually(() => heard.length === 1);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(heard, ['one']);
  scene.sockets[0]?.resume();
  await eventually(() => heard.length === 3);
  assert.deepEqual(heard, ['one', 'two', 'three']);
});

test('a handler that throws is told and closes with 1011; the server goes on', async (t) => {
  const bug = new Error('a bug');
  for (const wish of [
    { onMessage: () => assert.fail(bug) },
    { onOpen: () => assert.fail(bug) },
  ] satisfies SceneWish[]) {
    const scene = await startScene(t, wish);
    const socket = new WebSocket(scene.url);
    t.after(() => socket.terminate());
    socket.on('open', () => socket.send('x'));
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, 1_011);
    assert.deepEqual(scene.thrown, [bug]);
    await eventually(() => scene.outcomes.length === 1);
  }
});

test('one that is silent is closed after the time for tunnels; a ping keeps it open', async (t) => {
  const scene = await startScene(t, { server: { tunnelIdleMsMax: 400 } });
  const peer = await joined(scene.raw);
  const sinceMs = performance.now();
  let pings = 0;
  const pinging = setInterval(() => {
    if ((pings += 1) <= 8) peer.write(latin1(frameOf(opcodes.ping, Buffer.alloc(0), true)));
  }, 100);
  t.after(() => clearInterval(pinging));
  await peer.ended;
  assert.ok(performance.now() - sinceMs >= 1_000, 'not while it pings');
  assert.equal(scene.closes[0]?.code, 1_001);
});

test('a server that stops waits for it to the deadline and then cuts it', async (t) => {
  const scene = await startScene(t);
  const peer = await joined(scene.raw);
  await scene.running.close(200);
  await peer.ended;
  await eventually(() => scene.closes.length === 1);
});
