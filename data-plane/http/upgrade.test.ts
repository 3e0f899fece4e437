import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startProxy } from './conformance/stage.ts';
import { createEngine } from './engine.ts';

const upgradeTo = (protocol: string): string =>
  `GET /live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

for (const [what, fields] of [
  ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'],
  ['h2c in other letters', 'Connection: upgrade\r\nUpgrade: H2C\r\n'],
  ['h2', 'Connection: upgrade\r\nUpgrade: h2\r\n'],
  ['another HTTP', 'Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n'],
  ['TLS on this connection', 'Connection: upgrade\r\nUpgrade: TLS/1.2\r\n'],
  ['all of them', 'Connection: upgrade\r\nUpgrade: h2c, HTTP/2.0\r\nUpgrade: TLS/1.3\r\n'],
  ['nothing', 'Connection: upgrade\r\nUpgrade: \r\n'],
  ['no protocol', 'Connection: upgrade\r\nUpgrade: web socket\r\n'],
  ['a protocol that Connection does not name', 'Upgrade: websocket\r\n'],
] as const) {
  test(`an offer of ${what} is ignored: the request is served as HTTP/1.1`, async (t) => {
    const isUpgrade: boolean[] = [];
    const { open, backend } = await startProxy(t, createEngine(), {
      onExchange: ({ request }) => isUpgrade.push(request.isUpgrade),
    });
    const client = await open(`GET /one HTTP/1.1\r\nHost: h\r\n${fields}\r\n`);
    const first = await backend.next();
    assert.doesNotMatch(first.head, /^(upgrade|connection|http2-settings):/im);
    first.reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none');
    await client.until('\r\n\r\none');
    assert.deepEqual(isUpgrade, [false]);
    // The connection is still HTTP/1.1, and the gateway still sees each request.
    client.write('GET /two HTTP/1.1\r\nHost: h\r\n\r\n');
    (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
    await client.until('\r\n\r\ntwo');
  });

  test(`an upstream that accepts ${what} all the same is an invalid answer`, async (t) => {
    const { ask, backend } = await startProxy(t, createEngine());
    const answer = ask(`GET / HTTP/1.1\r\nHost: h\r\n${fields}\r\n`);
    const call = await backend.next();
    call.reply('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    assert.match(await answer, /^HTTP\/1\.1 502 [\s\S]*invalidResponse$/);
    await call.closed;
  });
}

test('of several offers only those that may pass reach the upstream', async (t) => {
  const { open, backend } = await startProxy(t, createEngine());
  const client = await open(
    'GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c, websocket\r\nUpgrade: IRC/6.9\r\n\r\n',
  );
  const call = await backend.next();
  assert.match(call.head, /\r\nConnection: Upgrade\r\nUpgrade: websocket, IRC\/6\.9\r\n/);
  call.reply(switched.replace('websocket', 'irc/6.9'));
  await client.until('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: irc/6.9\r\n\r\n');
});

for (const [what, lines] of [
  ['a protocol that was not offered', 'Upgrade: irc\r\n'],
  ['one more than was offered', 'Upgrade: websocket, h2c\r\n'],
  ['another version', 'Upgrade: websocket/2\r\n'],
  ['no protocol at all', ''],
] as const) {
  test(`an upstream that switches to ${what} is an invalid answer`, async (t) => {
    const { ask, backend } = await startProxy(t, createEngine());
    const answer = ask(upgradeTo('websocket'));
    const call = await backend.next();
    call.reply(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines}\r\n`);
    assert.match(await answer, /^HTTP\/1\.1 502 [\s\S]*invalidResponse$/);
    await call.closed;
  });
}

test('an upgrade with a body is served as a plain request', async (t) => {
  const { ask, backend } = await startProxy(t, createEngine());
  const answer = ask(
    'POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi',
  );
  const call = await backend.next();
  assert.doesNotMatch(call.head, /upgrade/i);
  assert.equal(await call.body(), 'hi');
  call.reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.match(await answer, /^HTTP\/1\.1 200 /);
});

test('bytes right behind either head are the first of the tunnel', async (t) => {
  const { open, backend } = await startProxy(t, createEngine());
  const client = await open(`${upgradeTo('websocket')}from the client`);
  const call = await backend.next();
  call.reply(`${switched}from the upstream`);
  await client.until('\r\n\r\nfrom the upstream');
  await eventually(async () => (await call.rest()) === 'from the client');
});

test('what a client sends ahead of the answer waits for it: the first of the tunnel, or the next request', async (t) => {
  const { open, backend } = await startProxy(t, createEngine());
  const ahead = 'x'.repeat(300_000);
  const client = await open(upgradeTo('websocket') + ahead);
  const call = await backend.next();
  assert.equal(await call.rest(), '');
  call.reply(switched);
  await eventually(async () => (await call.rest()) === ahead);

  const refused = await open(`${upgradeTo('websocket')}GET /next HTTP/1.1\r\nHost: h\r\n\r\n`);
  const other = await backend.next();
  other.reply('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  const next = await backend.next();
  assert.match(next.head, /^GET \/next /);
  next.reply('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes');
  await refused.until('\r\n\r\nyes');
  client.destroy();
});

test('informational answers before the switch stay here', async (t) => {
  const { open, backend } = await startProxy(t, createEngine());
  const client = await open(upgradeTo('websocket'));
  const call = await backend.next();
  call.reply(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${switched}`);
  await client.until('\r\n\r\n');
  assert.match(client.text(), /^HTTP\/1\.1 101 /);
});

test('a client that leaves before the switch takes its upstream call with it', async (t) => {
  const outcomes: string[] = [];
  const { open, backend, running } = await startProxy(t, createEngine(), {
    onOutcome: ({ kind, status }) => void outcomes.push(`${kind} ${status}`),
  });
  const client = await open(upgradeTo('websocket'));
  const call = await backend.next();
  client.destroy();
  await call.closed;
  assert.deepEqual(outcomes, ['clientAborted 0']);
  assert.equal(running.connections, 0);
});

test('a server that stops in the moment of an upgrade waits for the tunnel', async (t) => {
  const { open, backend, running } = await startProxy(t, createEngine());
  const client = await open(upgradeTo('websocket'));
  const call = await backend.next();
  let isClosed = false;
  const closing = running.close(5_000).then(() => (isClosed = true));
  call.reply(switched);
  await client.until('101 Switching Protocols');
  client.write('ping');
  await eventually(async () => (await call.rest()) === 'ping');
  call.write('pong');
  await client.until('pong');
  assert.equal(isClosed, false);
  client.destroy();
  await closing;
});

test('an upstream that switches after the deadline of the request is let go', async (t) => {
  const { server, port, sockets } = await startRaw(t);
  const gateway = await startLocalGateway(t, {
    apis: { slow: apiDefinition('slow', `http://127.0.0.1:${port}`) },
    config: { request: { answerMsMax: 100 } },
  });
  const asked = once(server, 'connection');
  const answer = await gateway.call('/slow', {
    headers: { connection: 'Upgrade', upgrade: 'websocket' },
  });
  assert.equal(answer.status, 504);
  await asked;
  const [backend] = sockets;
  assert.ok(backend !== undefined);
  backend.resume();
  const closed = closeOf(backend);
  backend.write(switched);
  await closed;
});

test('what was sent before the end arrives, however slow its reader and whatever it says meanwhile', async (t) => {
  const { port, sockets } = await startRaw(t, (socket) => socket.write(switched));
  const { port: proxyPort, running, outcomes } = await startEngineProxy(t, { upstream: { port } });
  for (const side of ['upstream', 'client'] as const) {
    const client = connect(proxyPort, '127.0.0.1');
    t.after(() => client.destroy());
    client.write(upgradeTo('websocket'));
    await once(client, 'data');
    const backend = sockets.at(-1) ?? assert.fail();
    const [writer, reader] = side === 'upstream' ? [backend, client] : [client, backend];
    reader.pause();
    const bytes = randomBytes(4 * 1_048_576);
    const read: Buffer[] = [];
    reader.on('data', (piece: Buffer) => {
      read.push(piece);
      reader.pause();
    });
    let isEnded = false;
    const pull = setInterval(() => {
      reader.resume();
      if (!isEnded) reader.write('to nobody');
    }, 1);
    t.after(() => clearInterval(pull));
    const ended = once(reader, 'end').then(() => (isEnded = true));
    // Nobody reads on this side any more.
    writer.pause();
    writer.end(bytes);
    await ended;
    assert.ok(Buffer.concat(read).equals(bytes), side);
    writer.resume();
    await eventually(() => running.connections === 0);
  }
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['complete', 'complete'],
  );
  assert.equal(outcomes[0]?.responseBytes, 4 * 1_048_576);
  assert.equal(outcomes[1]?.requestBytes, 4 * 1_048_576);
});

test('a side that takes nothing more does not keep an ended tunnel open', async (t) => {
  const { port, sockets } = await startRaw(t, (socket) => socket.write(switched));
  const { port: proxyPort, running } = await startEngineProxy(t, {
    upstream: { port },
    limits: { tunnelIdleMsMax: 200 },
  });
  const client = connect(proxyPort, '127.0.0.1');
  t.after(() => client.destroy());
  client.on('error', () => undefined).write(upgradeTo('websocket'));
  await once(client, 'data');
  client.pause();
  const [backend] = sockets;
  assert.ok(backend !== undefined);
  const closed = closeOf(backend);
  backend.write(Buffer.alloc(32 * 1_048_576));
  await closed;
  await eventually(() => running.connections === 0);
});

for (const side of ['client', 'upstream'] as const) {
  test(`a slow ${side} slows the other end down, and nothing is lost`, async (t) => {
    const { port, sockets } = await startRaw(t, (socket) => socket.write(switched));
    const { port: proxyPort } = await startEngineProxy(t, { upstream: { port } });
    const client = connect(proxyPort, '127.0.0.1');
    t.after(() => client.destroy());
    client.write(upgradeTo('websocket'));
    await once(client, 'data');
    const backend = sockets[0] ?? assert.fail();
    const [reader, writer] = side === 'client' ? [client, backend] : [backend, client];
    reader.pause();
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const piece = randomBytes(65_536);
    const bytesAll = 64 * 1_048_576;
    let [bytesSent, bytesRead, movedMs] = [0, 0, performance.now()];
    const pump = (): void => {
      while (bytesSent < bytesAll) {
        bytesSent += piece.length;
        sent.update(piece);
        movedMs = performance.now();
        if (!writer.write(piece)) return;
      }
      writer.off('drain', pump);
    };
    writer.on('drain', pump);
    pump();
    await eventually(() => performance.now() - movedMs > 400, { timeoutMs: 20_000 });
    // What the kernel's buffers of four sockets take, and no more.
    assert.ok(bytesSent < 32 * 1_048_576, `${bytesSent} bytes left the writer while nobody read`);
    reader.on('data', (part: Buffer) => {
      received.update(part);
      bytesRead += part.length;
    });
    reader.resume();
    await eventually(() => bytesRead === bytesAll, { timeoutMs: 20_000 });
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
}

/** A reset is an end too. */
const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

/** A backend of bare sockets; `answer` is called with each as soon as it has asked. */
async function startRaw(t: TestContext, answer?: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, sockets, port: (server.address() as AddressInfo).port };
}
