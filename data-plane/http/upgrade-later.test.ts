import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';

import { startRig } from '../../test/kit/engine/engine-rig.ts';
import { Peer, turns } from '../../test/kit/engine/raw-peer.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import type { Exchange, UpstreamOptions, UpstreamUpgrade } from './exchange.ts';
import type { OpenUpgrade } from './upstream/upgrade.ts';

/** An upgrade that its caller does not take over at once: steps around the backend wait by promises. */

const asking = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** A backend of one connection, whose TCP end is `socket`; over TLS Node reads ahead of us, and learns of an end that we have not read. */
async function startBackend(t: TestContext, isTls: boolean) {
  const sockets: Socket[] = [];
  const peers: Peer[] = [];
  const { certFile, keyFile } = isTls
    ? createAuthority(tempDir(t)).issue('h', { names: ['DNS:h'] })
    : { certFile: '', keyFile: '' };
  const server = isTls
    ? createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
    : createServer();
  server.on('connection', (socket: Socket) => void sockets.push(socket));
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => void peers.push(new Peer(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const upstream: Partial<UpstreamOptions> = {
    port: (server.address() as AddressInfo).port,
    ...(isTls && {
      scheme: 'https',
      tls: {
        rejectUnauthorized: false,
        verifyHost: false,
        servername: 'h',
        ca: undefined,
        cert: undefined,
        key: undefined,
        pfx: undefined,
        passphrase: undefined,
      },
    }),
  };
  return { sockets, peers, upstream };
}

/** A backend that has switched, said "early" behind its head and "later" after that, and an exchange that has not heard of it. */
async function startSwitched(t: TestContext, isTls: boolean) {
  let held: { readonly exchange: Exchange; readonly upgrade: UpstreamUpgrade } | undefined;
  const { sockets, peers, upstream: options } = await startBackend(t, isTls);
  const rig = await startRig(t, {
    upstream: options,
    onExchange(exchange, upstream) {
      const { method, path, headers, body, isUpgrade } = exchange.request;
      upstream.send({ method, target: path, headers, body, exchange, isUpgrade }, (result) => {
        if (result.kind === 'upgrade') held = { exchange, upgrade: result.upgrade };
        else if (result.kind === 'response') exchange.respond(result.head, result.body);
        else assert.equal(result.failure, 'aborted');
      });
    },
  });
  const client = await rig.open(asking);
  const peer = await eventually(() => peers[0]);
  await peer.until('\r\n\r\n');
  peer.write(`${switched}early `);
  await eventually(() => held !== undefined);
  peer.write('later');
  await turns();
  assert.equal(client.text, '');
  return { ...(held ?? assert.fail()), rig, client, peer, peers, socket: sockets[0] ?? assert.fail() };
}

for (const isTls of [false, true]) {
  const over = isTls ? 'over TLS' : 'in plain';

  test(`${over}: what switched protocols waits for its tunnel, and what it says meanwhile with it`, async (t) => {
    const { exchange, upgrade, client, peer, rig } = await startSwitched(t, isTls);
    exchange.tunnel(upgrade);
    await client.until('\r\n\r\nearly later');
    client.write('and back');
    await peer.until('and back');
    peer.leave('fin');
    await client.ended;
    await eventually(() => rig.outcomes.length === 1);
    assert.deepEqual([rig.outcomes[0]?.kind, rig.outcomes[0]?.status], ['complete', 101]);
  });

  test(`${over}: it is let go when the request is answered otherwise, whose connection stays usable`, async (t) => {
    const { exchange, client, peer, peers } = await startSwitched(t, isTls);
    exchange.respond({ status: 403, headers: exchange.createHeaders() }, 'no');
    await client.until('\r\n\r\nno');
    await peer.ended;
    client.write('GET /next HTTP/1.1\r\nHost: h\r\n\r\n');
    const next = await eventually(() => peers[1]);
    await next.until('GET /next');
    next.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes');
    await client.until('\r\n\r\nyes');
  });

  test(`${over}: it is let go when its client leaves before it has a tunnel`, async (t) => {
    const { exchange, upgrade, client, peer, rig } = await startSwitched(t, isTls);
    client.leave('reset');
    await peer.ended;
    exchange.tunnel(upgrade);
    assert.deepEqual(
      rig.outcomes.map(({ kind }) => kind),
      ['clientAborted'],
    );
  });

  test(`${over}: one that its backend cuts before it has a tunnel ends its client with it`, async (t) => {
    const { exchange, upgrade, client, peer, rig, socket } = await startSwitched(t, isTls);
    socket.resetAndDestroy();
    await peer.ended;
    // A plain one is not looked at before it is read.
    await (isTls ? eventually(() => (upgrade as OpenUpgrade).wire.isClosed) : turns());
    exchange.tunnel(upgrade);
    await client.ended;
    await eventually(() => rig.running.connections === 0);
    assert.deepEqual(
      rig.outcomes.map(({ kind, status }) => [kind, status]),
      [['upstreamAborted', 101]],
    );
  });
}
