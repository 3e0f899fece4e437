import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { encodeFrame } from '../../proto/wire/frames.ts';
import { framesOf } from '../../test/kit/bridge/bridge-calls.ts';
import { assertionFor, claimSeat, openStream } from '../../test/kit/bridge/bridge-client.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { MemoryGateway } from '../../test/kit/bridge/memory-repository.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';

const badFrames: readonly (readonly [name: string, send: (socket: WebSocketLike) => void, code: string])[] = [
  ['bytes that are no frame', (socket) => socket.send(Buffer.from([0xff, 0xff])), 'wire.malformed'],
  ['an empty frame', (socket) => socket.send(Buffer.alloc(0)), 'wire.malformed'],
  ['text', (socket) => socket.send('hello'), 'wire.malformed'],
  ['a second hello', (socket) => socket.send(helloBytes('instance-1')), 'wire.malformed'],
  [
    'a frame that only a bridge sends',
    (socket) => socket.send(encodeFrame({ kind: 'head', environment: 'dev', head: new Uint8Array(9) })),
    'wire.malformed',
  ],
  [
    'bucket hashes that are too short',
    (socket) => socket.send(encodeFrame({ kind: 'buckets', environment: 'dev', hashes: new Uint8Array(32) })),
    'wire.malformed',
  ],
];

interface WebSocketLike {
  send(message: Uint8Array | string): void;
}

function helloBytes(instance: string): Uint8Array {
  return encodeFrame({
    kind: 'hello',
    protocol: 1,
    instance,
    version: '1',
    hostname: 'h',
    startedAtMs: 1,
    policies: [],
    environments: [],
    tags: [],
  });
}

for (const [name, send, code] of badFrames) {
  test(`a stream that sends ${name} is ended with the reason`, async (t) => {
    const bridge = await startTestBridge(t);
    const client = await openStream({ gateway: bridge.repository.addGateway(), url: bridge.url });
    await eventually(() => client.frames.some(({ kind }) => kind === 'welcome'));
    send(client.socket);
    const { frame } = await client.closed;
    assert.equal(frame?.code, code);
  });
}

test('a stream whose first frame is no hello, or that says another instance, is ended', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const liar = await openStream({ gateway, url: bridge.url, hello: { instance: 'other' } });
  assert.equal((await liar.closed).frame?.code, 'wire.malformed');
  const old = await openStream({ gateway, url: bridge.url, hello: { protocol: 0 } });
  assert.equal((await old.closed).frame?.code, 'wire.malformed');
});

test('a giant frame ends the stream before it is in memory', async (t) => {
  const bridge = await startTestBridge(t, { limits: { frameInBytesMax: 10_000 } });
  const client = await openStream({ gateway: bridge.repository.addGateway(), url: bridge.url });
  await eventually(() => client.frames.length > 0);
  client.socket.send(Buffer.alloc(20_000));
  assert.equal((await client.closed).code, 1009);
});

/** The bytes of a stream whose handshake is asked for, whose end is not ended by the bridge's. */
async function rawStream(url: string, gateway: MemoryGateway): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await claimSeat(gateway, url);
  const token = await assertionFor(gateway, url);
  socket.write(
    `GET /bridge/v1/stream HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n` +
      'upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  return socket;
}

/** A short frame of a client, masked with zeros. */
const frameOf = (opcode: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([
    content.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | content.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, content.length >> 8, content.length & 0xff]),
    Buffer.alloc(4),
    content,
  ]);

test('a gateway that leaves while something is sent to it is no failure of the bridge', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const socket = await rawStream(bridge.url, gateway);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.write(frameOf(2, helloBytes('instance-1')));
  bridge.repository.publish('dev', [{ kind: 'api', id: 'first', payload: Buffer.from('first') }]);
  await eventually(() => text.includes('first'));
  // It says that it closes, and hangs up only later: until then there is somebody to send to who takes nothing.
  socket.write(frameOf(8, Buffer.from([0x03, 0xe8])));
  await new Promise((resolve) => socket.once('end', resolve));
  bridge.repository.publish('dev', [{ kind: 'api', id: 'second', payload: Buffer.from('second') }]);
  const told = await eventually(() => bridge.logged.find((line) => line.includes('a stream ')));
  assert.match(told, /"level":"info".*"code":"request\.broken_off".*a stream is ended/);
  assert.ok(!text.includes('second'));
  socket.destroy();
});

test('a stream that says no hello is ended', async (t) => {
  const bridge = await startTestBridge(t, { limits: { helloMsMax: 50 } });
  const gateway = bridge.repository.addGateway();
  const socket = await rawStream(bridge.url, gateway);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  await eventually(() => text.includes('request.timeout'));
  socket.destroy();
});

test('an oversized length prefix in a body is refused before it is buffered', async () => {
  const giant = Buffer.alloc(4);
  giant.writeUInt32BE(0xffffffff);
  await assert.rejects(framesOf(giant), { code: 'wire.too_large' });
  const cut = encodeDelimited({ kind: 'ping', atMs: 1 });
  await assert.rejects(framesOf(cut.subarray(0, cut.length - 1)), { code: 'wire.malformed' });
});
