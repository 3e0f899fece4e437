import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';

import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startConnectProxy } from '../../../test/kit/engine/connect-proxy.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { UpstreamOptions, UpstreamProxy } from '../exchange.ts';
import { openTunnel } from './proxy.ts';
import { createTestDialer, dialled, listening, upstreamTls } from './dial-stage.ts';

const proxyAt = (port: number, more: Partial<UpstreamProxy> = {}): UpstreamProxy => ({
  host: '127.0.0.1',
  port,
  username: undefined,
  password: undefined,
  ...more,
});

/** A proxy that answers CONNECT with these pieces and keeps what it was asked. */
async function scripted(t: TestContext, pieces: readonly string[]) {
  const heads: string[] = [];
  const port = await listening(
    t,
    createServer((socket) => {
      let head = '';
      socket.on('data', (piece: Buffer) => {
        head += piece.toString('latin1');
        if (heads.length > 0 || !head.endsWith('\r\n\r\n')) return;
        heads.push(head);
        for (const answer of pieces) socket.write(answer, 'latin1');
      });
    }),
  );
  return { heads, port };
}

const https = (more: Partial<UpstreamOptions>): Partial<UpstreamOptions> => ({
  scheme: 'https',
  host: 'a.acme.com',
  port: 443,
  tls: upstreamTls({}),
  ...more,
});

test('an https upstream is reached through the proxy, by a name that only the proxy resolves', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('server');
  const server = createTlsServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    (socket) => void socket.on('error', () => undefined).pipe(socket),
  );
  const port = await listening(t, server);
  const proxy = await startConnectProxy({ username: 'gate', password: 'gäh:eim' });
  t.after(() => proxy.close());
  const tls = upstreamTls({ ca: readFileSync(authority.caFile, 'utf8') });
  const through = (password: string) =>
    createTestDialer(
      https({
        host: 'localhost',
        port,
        tls,
        proxy: proxyAt(Number(new URL(proxy.url).port), { username: 'gate', password }),
      }),
    );

  const dialer = through('gäh:eim');
  assert.equal(dialer.usesAbsoluteForm, false);
  assert.equal(dialer.proxyAuthorization, undefined, 'the upstream must not see it');
  const result = await dialled(t, dialer);
  assert.equal(result.kind, 'connected', result.kind === 'failed' ? result.message : '');
  result.socket.write('through');
  const [echo] = (await once(result.socket, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'through');
  assert.equal(proxy.connections(), 1);

  const refused = await dialled(t, through('other'));
  assert.equal(refused.kind === 'failed' && refused.failure, 'unreachable');
  assert.match(refused.kind === 'failed' ? refused.message : '', /wants authentication.*407/);
  assert.equal(proxy.connections(), 1);
});

test('an http upstream: the connection ends at the proxy, whose reader writes absolute targets', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => void socket.pipe(socket)),
  );
  const dialer = createTestDialer({
    host: 'a.acme.com',
    proxy: proxyAt(port, { username: 'Aladdin', password: 'open sesame' }),
  });
  assert.equal(dialer.usesAbsoluteForm, true);
  assert.equal(dialer.proxyAuthorization, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
  const result = await dialled(t, dialer);
  assert.equal(result.kind === 'connected' && result.socket.remotePort, port);
  const direct = createTestDialer({ host: 'a.acme.com', proxy: proxyAt(port) });
  assert.equal(direct.proxyAuthorization, undefined);
});

test('CONNECT names the upstream, the password only when there is one', async (t) => {
  for (const [host, authority] of [
    ['a.acme.com', 'a.acme.com:443'],
    ['::1', '[::1]:443'],
  ] as const) {
    const { heads, port } = await scripted(t, ['HTTP/1.1 503 Busy\r\n\r\n']);
    await dialled(t, createTestDialer(https({ host, proxy: proxyAt(port) })));
    assert.deepEqual(heads, [`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`]);
  }
  const { heads, port } = await scripted(t, ['HTTP/1.1 503 Busy\r\n\r\n']);
  await dialled(t, createTestDialer(https({ proxy: proxyAt(port, { username: 'u', password: '' }) })));
  assert.match(heads[0] ?? '', /\r\nProxy-Authorization: Basic dTo=\r\n\r\n$/);
});

test('whatever else a proxy answers opens no tunnel', async (t) => {
  for (const [pieces, message] of [
    [['HTTP/1.1 503 Busy\r\n\r\n'], /opened no tunnel to a\.acme\.com:443 \(503\)/],
    [['HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n'], /\(302\)/],
    [['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'], /\(100\)/],
    [['HTTP/1.1 407 Who\r\n', 'Proxy-Authenticate: Basic\r\n\r\n'], /wants authentication/],
    [['HTTP/2 200 OK\r\n\r\n'], /did not answer in HTTP/],
    [['HTTP/1.1 2000 OK\r\n\r\n'], /did not answer in HTTP/],
    [['HTTP/1.1 200OK\r\n\r\n'], /did not answer in HTTP/],
    [['HTTP/1.1 200 OK\nA: b\r\n\r\n'], /did not answer in HTTP/],
    [['HTTP/1.1 200 OK\r\nno colon\r\n\r\n'], /did not answer in HTTP/],
    [['HTTP/1.1 200 OK\r\n folded: x\r\n\r\n'], /did not answer in HTTP/],
    [['SSH-2.0-OpenSSH_9.9\r\n\r\n'], /did not answer in HTTP/],
    [[`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}\r\n`], /did not answer in HTTP/],
    [['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'], /sent a body/],
    [[`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(16_384)}`], /endless head/],
    [[`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(16_384)}\r\n\r\n`], /endless head/],
  ] as const) {
    const { port } = await scripted(t, pieces);
    const result = await dialled(t, createTestDialer(https({ proxy: proxyAt(port) })));
    const label = JSON.stringify(pieces).slice(0, 80);
    assert.equal(result.kind === 'failed' && result.failure, 'unreachable', label);
    assert.match(result.kind === 'failed' ? result.message : '', message, label);
  }
});

test('a head of exactly 16 KiB, in pieces, still opens the tunnel', async (t) => {
  const start = 'HTTP/1.1 200 OK\r\nA: ';
  const head = `${start}${'x'.repeat(16_384 - start.length - 4)}\r\n\r\n`;
  const { port } = await scripted(t, [head.slice(0, 10), head.slice(10, 9_000), head.slice(9_000)]);
  const result = await dialled(t, createTestDialer(https({ proxy: proxyAt(port), connectMsMax: 500 })));
  assert.match(result.kind === 'failed' ? result.message : '', /TLS handshake/, 'it went on to TLS');
});

test('a proxy that refuses, closes, or says nothing', async (t) => {
  const closed = createServer();
  const nobody = await listening(t, closed);
  closed.close();
  await once(closed, 'close');
  const refused = await dialled(t, createTestDialer(https({ proxy: proxyAt(nobody) })));
  assert.equal(refused.kind === 'failed' && refused.failure, 'connectRefused');

  const closing = await listening(
    t,
    createServer((socket) => void socket.once('data', () => socket.end('HTTP/1.1 200'))),
  );
  const gone = await dialled(t, createTestDialer(https({ proxy: proxyAt(closing) })));
  assert.equal(gone.kind === 'failed' && gone.failure, 'reset');

  const { port } = await scripted(t, []);
  assert.deepEqual(await dialled(t, createTestDialer(https({ proxy: proxyAt(port), connectMsMax: 60 }))), {
    kind: 'failed',
    failure: 'connectTimeout',
    message: `60 ms passed while waiting for the proxy 127.0.0.1:${port}`,
  });
});

test("what throws while the proxy's answer is read ends the dial and not the process", async (t) => {
  const { port } = await scripted(t, ['HTTP/1.1 200 OK\r\n\r\n']);
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const options = { ...https({}), host: 'a.acme.com', port: 443, proxy: proxyAt(port) } as UpstreamOptions;
  const thrown = new Promise<unknown>((resolve) => {
    openTunnel(socket, options, {
      run(work) {
        try {
          work();
        } catch (error) {
          resolve(error);
        }
      },
      done() {
        throw new Error('a bug');
      },
    });
  });
  assert.match(String(await thrown), /a bug/);
});
