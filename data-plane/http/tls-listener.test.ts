import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { accessRecords } from '../../test/kit/gateway/access-records.ts';
import { createAuthority, issuePair, tlsSettings } from '../../test/kit/servers/certificates.ts';
import { type EngineProxyWish, startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { exchangeMessage, openWebSocket, startWebSocketBackend } from '../../test/kit/engine/websockets.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { startBackend } from './conformance/stage.ts';
import type { ClientCertificate } from './exchange.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';

/** An engine that speaks TLS, in front of a backend that says what it was asked. */
async function stage(t: TestContext, tls: TlsOptions, wish: Partial<EngineProxyWish> = {}) {
  const upstream = await startUpstream(t);
  const proxy = await startEngineProxy(t, { upstream: { port: upstream.port }, tls, ...wish });
  return {
    ...proxy,
    upstream,
    /** A secured connection; refused handshakes reject. */
    open: (options?: ConnectionOptions) => openTls(t, proxy.port, options),
  };
}

async function openTls(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** One request on a connection; resolves with what came until it was whole or the connection closed. */
async function ask(socket: TLSSocket, path = '/', more = ''): Promise<string> {
  let text = '';
  const take = (part: Buffer): void => void (text += part.toString('latin1'));
  socket.on('data', take);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`);
  try {
    await eventually(() => socket.closed || isWhole(text));
  } finally {
    socket.off('data', take);
  }
  return text;
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(text)?.[1];
  return headEnd !== -1 && length !== undefined && text.length >= headEnd + 4 + Number(length);
}

/** A reset is an end too. */
const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

const subjectOf = (socket: TLSSocket): string | undefined => socket.getPeerX509Certificate()?.subject;

test('the name that a client asks for picks the certificate, and its request is served as https', async (t) => {
  const authority = createAuthority(tempDir(t));
  const schemes: string[] = [];
  const { open } = await stage(
    t,
    tlsSettings([
      issuePair(authority, 'default'),
      issuePair(authority, 'orders', { names: ['DNS:orders.acme.com'] }),
      issuePair(authority, 'wild', { names: ['DNS:*.acme.com'] }),
    ]),
    { onExchange: (exchange) => schemes.push(exchange.request.scheme) },
  );
  for (const [servername, subject] of [
    ['orders.acme.com', 'CN=orders'],
    ['shop.acme.com', 'CN=wild'],
    ['stranger.example', 'CN=default'],
    ['', 'CN=default'],
  ] as const) {
    const socket = await open({ servername });
    assert.equal(subjectOf(socket), subject);
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
  }
  assert.deepEqual(new Set(schemes), new Set(['https']));
  assert.equal(schemes.length, 4);
});

test('certificates are reloaded under traffic without a failed request', async (t) => {
  const authority = createAuthority(tempDir(t));
  const pairs = [issuePair(authority, 'one'), issuePair(authority, 'two'), issuePair(authority, 'three')];
  const { port, running } = await stage(t, tlsSettings(pairs.slice(0, 1)));
  let isDone = false;
  const statuses: (number | string)[] = [];
  const subjects = new Set<string>();
  const client = async (agent: Agent | false): Promise<void> => {
    while (!isDone) {
      statuses.push(
        await new Promise<number | string>((resolve) => {
          const call = request({ host: '127.0.0.1', port, agent, rejectUnauthorized: false }, (answer) => {
            const socket = answer.socket as TLSSocket;
            const shown = subjectOf(socket);
            if (shown !== undefined) subjects.add(shown);
            answer
              .resume()
              .on('end', () => resolve(answer.complete ? (answer.statusCode ?? 0) : 'truncated'));
          });
          call.on('error', (error) => resolve(error.message)).end();
        }),
      );
    }
  };
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const clients = [...Array.from({ length: 4 }, () => client(agent)), client(false), client(false)];
  for (let round = 1; round <= 12; round += 1) {
    const before = statuses.length;
    running.reloadTls(tlsSettings([pairs[round % 3] ?? assert.fail()]));
    await eventually(() => statuses.length >= before + 20, { timeoutMs: 20_000 });
  }
  isDone = true;
  await Promise.all(clients);
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.deepEqual(subjects, new Set(['CN=one', 'CN=two', 'CN=three']));
  // Texts that do not fit change nothing.
  const broken = { cert: pairs[0]?.cert ?? '', key: pairs[1]?.key ?? '' };
  assert.throws(() => running.reloadTls(tlsSettings([broken])), /does not belong/);
  assert.match(await ask(await openTls(t, port)), /^HTTP\/1\.1 200 /);
});

test('the certificate that a client showed is in the exchange, verified or not', async (t) => {
  const authority = createAuthority(tempDir(t));
  const strangers = createAuthority(tempDir(t));
  const seen: (ClientCertificate | undefined)[] = [];
  const ca = readFileSync(authority.caFile, 'utf8');
  const server = issuePair(authority, 'server');
  const { open, running } = await stage(t, tlsSettings([server], { ca, clientAuth: 'request' }), {
    onExchange: (exchange) => seen.push(exchange.request.clientCertificate),
  });
  const known = issuePair(authority, 'orders');
  for (const pair of [undefined, known, issuePair(strangers, 'stranger')]) await ask(await open(pair));
  assert.deepEqual(
    seen.map((one) => one && [one.subject, one.isVerified]),
    [undefined, ['CN=orders', true], ['CN=stranger', false]],
  );
  const fingerprint = new X509Certificate(known.cert).fingerprint256.replaceAll(':', '').toLowerCase();
  assert.equal(seen[1]?.fingerprintSha256, fingerprint);
  assert.equal(
    new X509Certificate(seen[1]?.pem ?? '').fingerprint256,
    new X509Certificate(known.cert).fingerprint256,
  );

  running.reloadTls(tlsSettings([server], { ca, clientAuth: 'required' }));
  assert.match(await ask(await open(known)), /^HTTP\/1\.1 200 /);
  for (const options of [
    {},
    issuePair(strangers, 'again'),
    issuePair(authority, 'late', { isExpired: true }),
  ])
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      // With TLS 1.3 a refused client believes that it is through until it reads.
      const text = await open({ ...options, maxVersion }).then(
        (socket) => ask(socket),
        () => '',
      );
      assert.equal(text, '', maxVersion);
    }
  assert.equal(seen.length, 4);
});

test('TLS 1.1 is refused, TLS 1.2 and 1.3 are spoken', async (t) => {
  const { open, running } = await stage(t, tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]));
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await assert.rejects(open(old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await open({ maxVersion });
    assert.equal(socket.getProtocol(), maxVersion);
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
  }
  await eventually(() => running.connections === 2);
});

test('clients that never finish their handshake count as connections, and are dropped', async (t) => {
  const tls = tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]);
  const { open, port, running, outcomes } = await stage(t, tls, {
    limits: { connectionsMax: 6, headerMsMax: 600 },
  });
  const startedMs = performance.now();
  // A whole ClientHello would do more: this one is cut after its record header.
  const hello = Buffer.from('16030102000100', 'hex');
  const closed = Array.from({ length: 6 }, async (_, at) => {
    const socket = connectTcp(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    if (at % 2 === 1) socket.write(hello);
    await closeOf(socket);
    return performance.now() - startedMs;
  });
  await eventually(() => running.connections === 6);
  await assert.rejects(open());
  for (const ms of await Promise.all(closed)) {
    assert.ok(ms >= 550, `${ms} ms`);
    isWithin(ms, { msMax: 3_000 });
  }
  await eventually(() => running.connections === 0);
  assert.match(await ask(await open()), /^HTTP\/1\.1 200 /);
  assert.equal(running.connections, 1);
  assert.equal(outcomes.length, 1);
});

test('a server that stops lets go of handshakes under way at once', async (t) => {
  const { port, running } = await stage(t, tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]));
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await eventually(() => running.connections === 1);
  const closed = closeOf(socket);
  await running.close(5_000);
  await closed;
});

test('requests in a row and pipelined ones are answered in order on one TLS connection', async (t) => {
  const { open, upstream, running } = await stage(
    t,
    tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]),
  );
  const socket = await open();
  for (const path of ['/1', '/2', '/3']) assert.match(await ask(socket, path), new RegExp(`"url":"${path}"`));
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
  const paths = Array.from({ length: 20 }, (_, at) => `/p${at}`);
  // Cut in the middle of a head, so that one record ends where no request does.
  const all = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join('');
  socket.write(all.slice(0, 500));
  socket.write(all.slice(500));
  await eventually(() => text.split('HTTP/1.1 200 ').length === 21 && text.endsWith('}'));
  assert.deepEqual(
    [...text.matchAll(/"url":"([^"]+)"/g)].map(([, path]) => path),
    paths,
  );
  assert.equal(upstream.requests.length, 23);
  assert.equal(running.connections, 1);
});

for (const how of ['closes', 'is reset'] as const) {
  test(`a TLS client that ${how} in the middle of an answer aborts the upstream`, async (t) => {
    const backend = await startBackend(t);
    const tls = tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]);
    const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, tls });
    const raw = connectTcp(proxy.port, '127.0.0.1');
    const socket = await openTls(t, 0, { socket: raw });
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const call = await backend.next();
    call.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf');
    await once(socket, 'data');
    const goneMs = performance.now();
    if (how === 'closes') socket.destroy();
    else raw.resetAndDestroy();
    await call.closed;
    isWithin(performance.now() - goneMs, { msMax: 1_000 });
    assert.deepEqual(
      proxy.outcomes.map(({ kind }) => kind),
      ['clientAborted'],
    );
    assert.equal(proxy.running.connections, 0);
  });
}

test('an answer that breaks off is not completed for a TLS client', async (t) => {
  const backend = await startBackend(t);
  const tls = tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, tls });
  for (const framing of [
    'Content-Length: 100\r\n\r\nhalf',
    'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  ]) {
    const socket = await openTls(t, proxy.port);
    let text = '';
    socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
    const closed = closeOf(socket);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const call = await backend.next();
    call.write(`HTTP/1.1 200 OK\r\n${framing}`);
    await eventually(() => text.includes('half'));
    call.end();
    await closed;
    assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
  }
  assert.deepEqual(
    proxy.outcomes.map(({ kind }) => kind),
    ['upstreamAborted', 'upstreamAborted'],
  );
});

test('an answer that breaks off where only the end of the connection would end it is a reset, over TLS too', async (t) => {
  const backend = await startBackend(t);
  const tls = tlsSettings([issuePair(createAuthority(tempDir(t)), 'server')]);
  const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, tls });
  for (const isWhole of [true, false]) {
    const socket = await openTls(t, proxy.port);
    const said: string[] = [];
    socket.on('error', (error) => said.push('code' in error ? String(error.code) : error.message));
    socket.on('end', () => said.push('end'));
    const closed = closeOf(socket);
    const arrived = once(socket, 'data');
    socket.write('GET / HTTP/1.0\r\nHost: h\r\n\r\n');
    const call = await backend.next();
    call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await arrived;
    if (isWhole) call.write('0\r\n\r\n');
    call.end();
    await closed;
    assert.deepEqual(said, [isWhole ? 'end' : 'ECONNRESET']);
  }
});

test('a gateway that speaks TLS says https to its backend and records the request', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const { certFile, keyFile } = authority.issue('gateway');
  const upstream = await startUpstream(t);
  const dataDir = join(dir, 'data');
  const gateway = await startLocalGateway(t, {
    apis: { open: apiDefinition('open', upstream.url) },
    config: { dataDir, report: { enabled: true }, listen: { tls: { certFile, keyFile } } },
  });
  const socket = await openTls(t, gateway.port);
  const text = await ask(socket, '/open/x?y=1', 'User-Agent: tester\r\n');
  assert.match(text, /"x-forwarded-proto":"https"/);
  const [record = {}] = await eventually(async () => {
    const records = await accessRecords(dataDir);
    return records.length > 0 && records;
  });
  assert.deepEqual(
    ['status', 'outcome', 'uri', 'user_agent', 'remote_address'].map((field) => record[field]),
    [200, 'complete', '/open/x?y=1', 'tester', '127.0.0.1'],
  );
  assert.equal(record['response_bytes'], text.length - text.indexOf('\r\n\r\n') - 4);
});

test('WebSockets run over TLS on both sides', async (t) => {
  const authority = createAuthority(tempDir(t));
  const inner = await startWebSocketBackend(t);
  const tls = tlsSettings([issuePair(authority, 'server')]);
  // A second engine secures the backend.
  const middle = await startEngineProxy(t, { upstream: { port: inner.port }, tls });
  const outer = await startEngineProxy(t, {
    tls,
    upstream: {
      port: middle.port,
      scheme: 'https',
      tls: {
        rejectUnauthorized: true,
        verifyHost: true,
        servername: 'localhost',
        ca: readFileSync(authority.caFile, 'utf8'),
        cert: undefined,
        key: undefined,
        pfx: undefined,
        passphrase: undefined,
      },
    },
  });
  const socket = await openWebSocket(t, `wss://127.0.0.1:${outer.port}/`, { rejectUnauthorized: false });
  const sent = Buffer.alloc(1_048_576, 'over two handshakes ');
  assert.ok((await exchangeMessage(socket, sent)).message.equals(sent));
  socket.close(4_001, 'enough');
  await eventually(() => inner.closes.length === 1);
  assert.deepEqual(inner.closes[0], { code: 4_001, reason: 'enough' });
  await eventually(() => outer.running.connections + middle.running.connections === 0);
});
