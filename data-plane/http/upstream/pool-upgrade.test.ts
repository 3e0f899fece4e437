import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startConnectProxy } from '../../../test/kit/engine/connect-proxy.ts';
import { startRig } from '../../../test/kit/engine/engine-rig.ts';

/** Which connection an upgrade goes on: always one of its own, and through a proxy a tunnel. */

const get = 'GET /plain HTTP/1.1\r\nHost: h\r\n\r\n';
const upgrade =
  'GET /live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: 1\r\n\r\n';
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

test('through an http proxy an upgrade asks for a tunnel; the upstream sees an origin-form target and no credentials', async (t) => {
  const proxy = await startConnectProxy({ username: 'gate', password: 'geheim' });
  t.after(() => proxy.close());
  const { port } = new URL(proxy.url);
  const rig = await startRig(t, {
    upstream: {
      proxy: { host: '127.0.0.1', port: Number(port), username: 'gate', password: 'geheim' },
    },
  });
  const client = await rig.open(upgrade);
  const backend = await rig.backend.next();
  await backend.until('\r\n\r\n');
  assert.match(backend.text, /^GET \/live HTTP\/1\.1\r\n/);
  assert.match(backend.text, /\r\nUpgrade: websocket\r\n/);
  assert.doesNotMatch(backend.text, /proxy-authorization/i);
  backend.write(`${switched}from the upstream`);
  await client.until('from the upstream');
  client.write('from the client');
  await backend.until('from the client');
  backend.leave('reset');
  await client.ended;
  assert.equal(proxy.connections(), 1);

  // An answer that does not switch leaves a connection of no use: the next request is for the proxy's own reader, which here has none.
  const declined = await rig.open(upgrade);
  const second = await rig.backend.next();
  await second.until('\r\n\r\n');
  second.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  await declined.until('\r\n\r\nno');
  await second.ended;
  declined.write(get);
  await declined.until('HTTP/1.1 405');
  assert.equal(proxy.connections(), 2);
});

test('a proxy that opens no tunnel is a failure that says so', async (t) => {
  const proxy = await startConnectProxy({ username: 'gate', password: 'geheim' });
  t.after(() => proxy.close());
  const { port } = new URL(proxy.url);
  const rig = await startRig(t, {
    upstream: { proxy: { host: '127.0.0.1', port: Number(port), username: 'gate', password: 'other' } },
  });
  await (await rig.open(upgrade)).until('unreachable');
  assert.deepEqual(rig.failures, ['unreachable']);
});

test('an upgrade that waited in the queue gets a new connection, not the one that became free', async (t) => {
  const rig = await startRig(t);
  const client = await rig.open(get);
  const first = await rig.backend.next();
  await first.until('/plain');
  const waiting = await rig.open(upgrade);
  first.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain');
  await client.until('plain');
  const second = await rig.backend.next();
  await second.until('GET /live');
  assert.doesNotMatch(first.text, /live/);
  second.write(switched);
  await waiting.until('HTTP/1.1 101');
});
