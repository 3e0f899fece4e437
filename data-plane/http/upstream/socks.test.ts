import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';

import { startSocksProxy } from '../../../test/kit/engine/socks-proxy.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { UpstreamProxy } from '../exchange.ts';
import { createTestDialer, dialled, listening, upstreamTls } from './dial-stage.ts';

const through = (
  kind: 'socks4' | 'socks5',
  port: number,
  more: Partial<UpstreamProxy> = {},
): UpstreamProxy => ({
  kind,
  host: '127.0.0.1',
  port,
  username: undefined,
  password: undefined,
  ...more,
});

test('an upstream is reached through SOCKS4 and SOCKS5, with TLS and without, by a name that only the proxy resolves', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('server', { names: ['DNS:a.acme.com'] });
  const keys = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const secured = await listening(
    t,
    createTlsServer(keys, (socket) => void socket.on('error', () => undefined).pipe(socket)),
  );
  const plain = await listening(
    t,
    createServer((socket) => void socket.pipe(socket)),
  );
  const tls = upstreamTls({ ca: readFileSync(authority.caFile, 'utf8'), servername: 'a.acme.com' });
  const open = await startSocksProxy(t);
  const closed = await startSocksProxy(t, { username: 'gate', password: 'gäh:eim' });
  const user = { username: 'gate', password: 'gäh:eim' };
  for (const proxy of [
    through('socks4', open.port),
    through('socks5', open.port),
    through('socks5', closed.port, user),
  ])
    for (const scheme of ['http', 'https'] as const) {
      const port = scheme === 'http' ? plain : secured;
      const dialer = createTestDialer({
        scheme,
        host: 'a.acme.com',
        port,
        proxy,
        ...(scheme === 'https' && { tls }),
      });
      assert.equal(dialer.usesAbsoluteForm, false);
      assert.equal(dialer.proxyAuthorization, undefined);
      const result = await dialled(t, dialer);
      assert.equal(result.kind, 'connected', result.kind === 'failed' ? result.message : '');
      for (const word of ['through', 'and back']) {
        result.socket.write(word);
        const [echo] = (await once(result.socket, 'data')) as [Buffer];
        assert.equal(echo.toString(), word);
      }
    }
  assert.deepEqual(open.asked, [
    `4  a.acme.com:${plain}`,
    `4  a.acme.com:${secured}`,
    `5 : a.acme.com:${plain}`,
    `5 : a.acme.com:${secured}`,
  ]);
  assert.deepEqual(new Set(closed.asked.map((line) => line.split(' ')[1])), new Set(['gate:gäh:eim']));
});

test('a proxy that refuses, speaks something else or nothing opens no way, and no password is told', async (t) => {
  const closed = await startSocksProxy(t, { username: 'gate', password: 'secret' });
  const answering = (bytes: Uint8Array) =>
    listening(
      t,
      createServer((socket) => void socket.once('data', () => socket.write(bytes))),
    );
  const garbage = await answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const ending = await listening(
    t,
    createServer((socket) => void socket.destroy()),
  );
  const silent = await listening(t, createServer());
  const rows: readonly (readonly [proxy: UpstreamProxy, failure: RegExp])[] = [
    [through('socks5', closed.port), /^unreachable/],
    [through('socks5', closed.port, { username: 'gate', password: 'wrong-word' }), /^unreachable/],
    [through('socks4', closed.port, { username: 'other' }), /^unreachable/],
    [through('socks5', garbage), /^unreachable/],
    [through('socks4', garbage), /^unreachable/],
    [through('socks5', ending), /^(unreachable|reset)/],
    [through('socks5', silent), /^connectTimeout/],
    [through('socks5', 1), /^connectRefused/],
  ];
  for (const [at, [proxy, failure]] of rows.entries()) {
    const dialer = createTestDialer({ host: 'a.acme.com', port: 80, proxy, connectMsMax: 400 });
    const result = await dialled(t, dialer);
    assert.equal(result.kind, 'failed', `row ${at}`);
    assert.match(`${result.failure} ${result.message}`, failure, `row ${at}`);
    assert.doesNotMatch(result.message, /wrong-word/);
  }
});

test('a definition names a SOCKS proxy; requests keep their form, and connections are kept', async (t) => {
  const upstream = await startUpstream(t);
  const proxy = await startSocksProxy(t, { username: 'gate', password: 'word' });
  const { port } = new URL(upstream.url);
  const way = {
    enabled: true,
    type: 'SOCKS5',
    host: '127.0.0.1',
    port: proxy.port,
    username: 'gate',
    password: 'word',
  };
  const target = `http://a.acme.com:${port}`;
  const endpoint = {
    name: 'default',
    type: 'http-proxy',
    inheritConfiguration: false,
    configuration: { target },
    sharedConfigurationOverride: { proxy: way },
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', target, {
        endpointGroups: [{ name: 'default-group', type: 'http-proxy', endpoints: [endpoint] }],
      }),
    },
  });
  for (const path of ['/a/x', '/a/y?z=1']) {
    const answer = await gateway.call(path);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((JSON.parse(answer.text) as { url: string }).url, path.slice(2));
  }
  assert.deepEqual(proxy.asked, [`5 gate:word a.acme.com:${port}`]);
});
