import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { batchOf, callBridge } from '../test/kit/bridge/bridge-calls.ts';
import { assertionFor, claimSeat, openStream } from '../test/kit/bridge/bridge-client.ts';
import { eventually } from '../test/kit/eventually.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';

test('a refused upgrade is closed although its client keeps its half open', async (t) => {
  const bridge = await startTestBridge(t);
  const sockets = Array.from({ length: 20 }, () =>
    connect({ port: Number(new URL(bridge.url).port), host: '127.0.0.1', allowHalfOpen: true }),
  );
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  let refused = 0;
  let closed = 0;
  for (const socket of sockets) {
    socket.on('error', () => undefined).on('close', () => (closed += 1));
    socket.on('data', (bytes: Buffer) => (refused += bytes.includes('request.unauthorized') ? 1 : 0));
    socket.write(
      'GET /bridge/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
  }
  await eventually(() => refused === 20);
  // Once the bridge has destroyed its end, writing to it is answered with a reset.
  await eventually(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x');
    return closed === 20;
  });
});

test('what a gateway says of environments that are not granted is reported and not kept', async (t) => {
  const { repository, url } = await startTestBridge(t);
  const gateway = repository.addGateway();
  const client = await openStream({ gateway, url });
  await eventually(() => client.frames.length > 0);
  for (let n = 0; n < 500; n += 1)
    client.send({ kind: 'applied', environment: `invented-${n}`, epoch: 1, seq: 1, nacks: [] });
  client.send({ kind: 'applied', environment: 'dev', epoch: 1, seq: 7, nacks: [] });
  const saved = () => repository.reports.get(gateway.identity.id)?.environments ?? [];
  await eventually(() => saved().some(({ seq }) => seq === 7));
  assert.deepEqual(
    saved().map(({ environment }) => environment),
    ['dev'],
  );
  assert.ok(repository.events.some(({ kind }) => kind === 'grant.environment_refused'));
});

test('uploads that stall take no room, and are ended', async (t) => {
  const limits = { uploadsInFlightBytesMax: 100_000, uploadBytesMax: 100_000, bodyWindowMs: 500 };
  const bridge = await startTestBridge(t, { limits });
  const codes: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const gateway = bridge.repository.addGateway();
    await claimSeat(gateway, bridge.url, { role: 'shipper' });
    const token = await assertionFor(gateway, bridge.url, { role: 'shipper' });
    const stalled = request(`${bridge.url}/bridge/v1/uploads/${batchOf(gateway).key}`, {
      method: 'PUT',
      agent: false,
      headers: { authorization: `Bearer ${token}`, 'content-length': '90000' },
    });
    stalled.on('error', () => undefined);
    stalled.on('response', (answer) => codes.push(String(answer.headers['x-isthmus-code'])));
    stalled.write('x');
    t.after(() => stalled.destroy());
  }
  const honest = bridge.repository.addGateway();
  const { key, bytes } = batchOf(honest);
  const path = `/bridge/v1/uploads/${key}`;
  const answer = await callBridge({ url: bridge.url, gateway: honest }, path, { method: 'PUT', body: bytes });
  assert.equal(answer.status, 201);
  await eventually(() => codes.length === 4);
  assert.deepEqual([...new Set(codes)], ['request.timeout']);
});

test('a gateway that floods its stream is read later, and others are served meanwhile', async (t) => {
  const { repository, url } = await startTestBridge(t, { limits: { framesInPerSecondMax: 10 } });
  const loud = repository.addGateway();
  const flood = await openStream({ gateway: loud, url });
  const quiet = await openStream({ gateway: repository.addGateway(), url });
  await eventually(() => flood.frames.length > 0 && quiet.frames.length > 0);
  const say = (seq: number): void =>
    flood.send({ kind: 'applied', environment: 'dev', epoch: 1, seq, nacks: [] });
  const heard = (): number => repository.reports.get(loud.identity.id)?.environments[0]?.seq ?? 0;
  const sinceMs = performance.now();
  for (let seq = 1; seq <= 30; seq += 1) say(seq);
  // However the kernel cuts them into reads, the thirty are two seconds more than the bucket holds.
  await eventually(() => heard() === 30, { timeoutMs: 10_000 });
  say(31);
  repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  await eventually(() => quiet.sets.get('dev')?.head?.seq === 1);
  assert.ok(heard() < 31);
  await eventually(() => heard() === 31, { timeoutMs: 10_000 });
  assert.ok(performance.now() - sinceMs >= 1_900, 'the last waited for what was said before');
});

test('nobody fills the listener without a credential: strangers of one address are bounded, who proves himself and others come in', async (t) => {
  const bridge = await startTestBridge(t, { limits: { strangersPerSourceMax: 5 } });
  const gateway = bridge.repository.addGateway();
  await openStream({ gateway, url: bridge.url });
  const port = Number(new URL(bridge.url).port);
  const dial = (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    t.after(() => socket.destroy());
    const seen = { isClosed: false, isAnswered: false };
    socket.on('error', () => undefined).on('close', () => (seen.isClosed = true));
    socket.on('data', () => (seen.isAnswered = true));
    return {
      seen,
      ask: () => socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'),
      end: () => socket.destroy(),
    };
  };
  const idle = Array.from({ length: 5 }, () => dial('127.0.0.9'));
  for (const one of idle) one.ask();
  await eventually(() => idle.every(({ seen }) => seen.isAnswered));
  const sixth = dial('127.0.0.9');
  await eventually(() => sixth.seen.isClosed);
  assert.equal(sixth.seen.isAnswered, false);
  const neighbour = dial('127.0.0.10');
  neighbour.ask();
  await eventually(() => neighbour.seen.isAnswered);
  idle[0]?.end();
  await eventually(async () => {
    const again = dial('127.0.0.9');
    again.ask();
    await eventually(() => again.seen.isAnswered || again.seen.isClosed);
    return again.seen.isAnswered;
  });
});

test('a request with more header lines than anybody of ours sends is refused, and none of them is left out unseen', async (t) => {
  const { url } = await startTestBridge(t);
  // The client adds Host and Connection.
  for (const [count, status] of [
    [98, 200],
    [99, 431],
    [1_000, 431],
  ] as const) {
    const headers = Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, '1']));
    const answered = await new Promise<number>((resolve, reject) => {
      const call = request(`${url}/bridge/v1/nonce`, { headers, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      call.on('error', reject).end();
    });
    assert.equal(answered, status, String(count));
  }
});

test('who does not take the answer to a poll is let go', async (t) => {
  const bridge = await startTestBridge(t, { limits: { sendMsMax: 300 } });
  const gateway = bridge.repository.addGateway();
  const many = Array.from({ length: 24 }, (_, n) => ({
    kind: 'api' as const,
    id: `api-${n}`,
    payload: randomBytes(1024 * 1024),
  }));
  bridge.repository.publish('dev', many);
  await claimSeat(gateway, bridge.url, {});
  const token = await assertionFor(gateway, bridge.url, {});
  const socket = connect({ port: Number(new URL(bridge.url).port), host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  let isClosed = false;
  socket.on('close', () => (isClosed = true));
  socket.pause();
  socket.write(
    `GET /bridge/v1/changes?environment=dev HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  // Writing on shows that the other end has gone, which a paused reader does not see.
  await eventually(() => {
    if (socket.writable) socket.write('x');
    return isClosed;
  });
});
