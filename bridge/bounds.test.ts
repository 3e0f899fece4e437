import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openStream } from '../test/kit/bridge-client.ts';
import { eventually } from '../test/kit/eventually.ts';
import { startTestBridge } from '../test/kit/test-bridge.ts';

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
