import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';

import { Fault } from '../../../proto/faults/fault.ts';
import { createAuthority, type IssueOptions } from '../../../test/kit/servers/certificates.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { UpstreamOptions, UpstreamTls } from '../exchange.ts';
import { createTestDialer, dialled, listening, upstreamTls, type Dialled } from './dial-stage.ts';
import { failureOf } from './dial.ts';

/** An authority, and a server with a certificate of it that greets everyone. */
async function stage(t: TestContext, issue: IssueOptions = {}, options: TlsOptions = {}) {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const ca = readFileSync(authority.caFile, 'utf8');
  const pair = (name: string, how?: IssueOptions) => {
    const { certFile, keyFile } = authority.issue(name, how);
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  };
  const asked: (string | false)[] = [];
  const protocols: (string | false | null)[] = [];
  const server = createServer({ ...pair('server', issue), ca, ALPNProtocols: ['http/1.1'], ...options });
  server.on('secureConnection', (socket) => {
    asked.push((socket as TLSSocket & { servername: string | false }).servername);
    protocols.push(socket.alpnProtocol);
    socket.on('error', () => undefined);
    socket.write(socket.authorized ? 'known' : 'unknown');
  });
  const port = await listening(t, server);
  const dialer = (tls: Partial<UpstreamTls> = {}, more: Partial<UpstreamOptions> = {}) =>
    createTestDialer(
      { scheme: 'https', host: '127.0.0.1', port, tls: upstreamTls({ ca, ...tls }), ...more },
      { localhost: ['127.0.0.1'], 'a.acme.com': ['127.0.0.1'], 'localhost.': ['127.0.0.1'] },
    );
  return { dir, authority, ca, pair, asked, protocols, server, port, dialer };
}

/** What the server says first; a rejection with the socket's error when it ends without a word. */
async function greeting(result: Dialled): Promise<string> {
  assert.equal(result.kind, 'connected', result.kind === 'failed' ? result.message : '');
  const [piece] = (await once(result.socket, 'data')) as [Buffer];
  return piece.toString();
}

const failsBy = (result: Dialled, failure: string, message: RegExp): void => {
  assert.equal(result.kind === 'failed' && result.failure, failure);
  assert.match(result.kind === 'failed' ? result.message : '', message);
};

test('a server is recognised by its authority and by the name or address that was asked for', async (t) => {
  const { dialer, asked, protocols } = await stage(t);
  for (const host of ['127.0.0.1', 'localhost', 'localhost.'])
    assert.equal(await greeting(await dialled(t, dialer({}, { host }))), 'unknown');
  assert.deepEqual(asked, [false, 'localhost', 'localhost'], 'no address and no final dot in SNI');
  assert.deepEqual(protocols, ['http/1.1', 'http/1.1', 'http/1.1']);
});

test('an unknown authority, another name, an expired certificate: refused by name', async (t) => {
  const { dialer } = await stage(t);
  failsBy(await dialled(t, dialer({ ca: undefined })), 'tlsFailed', /SELF_SIGNED_CERT_IN_CHAIN/);
  const other = createAuthority(tempDir(t));
  failsBy(
    await dialled(t, dialer({ ca: readFileSync(other.caFile, 'utf8') })),
    'tlsFailed',
    /handshake with 127\.0\.0\.1: .*SELF_SIGNED/,
  );
  failsBy(
    await dialled(t, dialer({}, { host: 'a.acme.com' })),
    'tlsFailed',
    /Host: a\.acme\.com\. is not in the cert.*ERR_TLS_CERT_ALTNAME_INVALID/,
  );
  const expired = await stage(t, { isExpired: true });
  failsBy(await dialled(t, expired.dialer()), 'tlsFailed', /expired \(CERT_HAS_EXPIRED\)/);
});

test('a self-signed certificate is named so, and taken when it is the authority', async (t) => {
  const { dir, ca, dialer } = await stage(t);
  const own = createServer({ cert: ca, key: readFileSync(join(dir, 'ca.key')) }, (socket) => {
    socket.on('error', () => undefined);
    socket.write('own');
  });
  const port = await listening(t, own);
  failsBy(await dialled(t, dialer({ ca: undefined }, { port })), 'tlsFailed', /SELF_SIGNED/);
  assert.equal(await greeting(await dialled(t, dialer({ verifyHost: false }, { port }))), 'own');
});

test('hostnameVerifier off skips the name and nothing else; trustAll skips everything', async (t) => {
  const { dialer } = await stage(t, { names: ['DNS:b.acme.com'] });
  assert.equal(await greeting(await dialled(t, dialer({ verifyHost: false }))), 'unknown');
  failsBy(await dialled(t, dialer({ verifyHost: false, ca: undefined })), 'tlsFailed', /SELF_SIGNED/);
  const trustAll = { rejectUnauthorized: false, verifyHost: false, ca: undefined };
  assert.equal(await greeting(await dialled(t, dialer(trustAll))), 'unknown');
});

test('another server name is asked for and checked instead of the host', async (t) => {
  const { dialer, asked } = await stage(t, { names: ['DNS:b.acme.com'] });
  assert.equal(await greeting(await dialled(t, dialer({ servername: 'b.acme.com' }))), 'unknown');
  assert.deepEqual(asked, ['b.acme.com']);
});

test('a client certificate is shown: PEM, PKCS12, PKCS12 with its authority', async (t) => {
  const { dir, authority, pair, dialer } = await stage(
    t,
    {},
    { requestCert: true, rejectUnauthorized: true },
  );
  assert.equal(await greeting(await dialled(t, dialer(pair('orders')))), 'known');

  const { certFile, keyFile } = authority.issue('packed');
  const file = join(dir, 'packed.p12');
  const parts = ['-in', certFile, '-inkey', keyFile, '-certfile', authority.caFile];
  execFileSync('openssl', ['pkcs12', '-export', ...parts, '-out', file, '-passout', 'pass:geheim']);
  const pfx = readFileSync(file).toString('base64');
  assert.equal(await greeting(await dialled(t, dialer({ pfx, passphrase: 'geheim' }))), 'known');
});

test('the authorities inside of a PKCS12 key store vouch for us, not for the server', async (t) => {
  const { dir, authority, dialer } = await stage(t);
  const { certFile, keyFile } = authority.issue('packed');
  const file = join(dir, 'packed.p12');
  const parts = ['-in', certFile, '-inkey', keyFile, '-certfile', authority.caFile];
  execFileSync('openssl', ['pkcs12', '-export', ...parts, '-out', file, '-passout', 'pass:x']);
  const store = { pfx: readFileSync(file).toString('base64'), passphrase: 'x' };
  const other = readFileSync(createAuthority(tempDir(t)).caFile, 'utf8');
  for (const ca of [undefined, other])
    failsBy(await dialled(t, dialer({ ...store, ca })), 'tlsFailed', /only the key store/);
  const trustAll = { rejectUnauthorized: false, verifyHost: false, ca: undefined };
  assert.equal(await greeting(await dialled(t, dialer({ ...store, ...trustAll }))), 'unknown');
});

test('a refused client certificate comes with the first read of TLS 1.3, and during the handshake before', async (t) => {
  const required = { requestCert: true, rejectUnauthorized: true } as const;
  const late = await stage(t, {}, { ...required, minVersion: 'TLSv1.3' });
  const result = await dialled(t, late.dialer());
  await assert.rejects(
    greeting(result),
    (error) => error instanceof Error && ['tlsFailed', 'reset'].includes(failureOf(error)),
  );
  const early = await stage(t, {}, { ...required, maxVersion: 'TLSv1.2' });
  const refused = await dialled(t, early.dialer());
  assert.ok(refused.kind === 'failed');
  assert.ok(['tlsFailed', 'reset'].includes(refused.failure), refused.message);
});

test('the last session is offered again, in TLS 1.2 and 1.3', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { dialer } = await stage(t, {}, { minVersion: version, maxVersion: version });
    const one = dialer();
    const first = await dialled(t, one);
    await greeting(first);
    const isReused = await eventually(async () => {
      const next = await dialled(t, one);
      await greeting(next);
      return next.kind === 'connected' && (next.socket as TLSSocket).isSessionReused();
    });
    assert.equal(isReused, true, version);
  }
});

test('a session of a server with another name is not kept, which would skip the check the next time', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { dialer } = await stage(t, {}, { minVersion: version, maxVersion: version });
    const one = dialer({}, { host: 'a.acme.com' });
    for (const result of [...(await Promise.all([dialled(t, one), dialled(t, one)])), await dialled(t, one)])
      failsBy(result, 'tlsFailed', /ALTNAME_INVALID/);
  }
});

test('a server that does not speak TLS, closes or resets: a failure at once', async (t) => {
  const { dialer } = await stage(t);
  const plain = await listening(
    t,
    createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  failsBy(await dialled(t, dialer({}, { port: plain })), 'tlsFailed', /ERR_SSL|EPROTO/);
  const closing = await listening(
    t,
    createTcpServer((socket) => void socket.once('data', () => socket.end()).resume()),
  );
  failsBy(await dialled(t, dialer({}, { port: closing })), 'reset', /handshake/);
  const resetting = await listening(
    t,
    createTcpServer((socket) => void socket.once('data', () => socket.resetAndDestroy())),
  );
  failsBy(await dialled(t, dialer({}, { port: resetting })), 'reset', /ECONNRESET/);
});

test('a handshake that is never answered ends with the connect timeout, and the socket is closed', async (t) => {
  const { dialer } = await stage(t);
  let isClosed = false;
  const silent = await listening(
    t,
    createTcpServer((socket) => void socket.resume().on('close', () => (isClosed = true))),
  );
  failsBy(
    await dialled(t, dialer({}, { port: silent, connectMsMax: 60 })),
    'connectTimeout',
    /^60 ms passed while in the TLS handshake with 127\.0\.0\.1$/,
  );
  await eventually(() => isClosed);
});

test('material that does not fit together is refused when the dialer is made', async (t) => {
  const { dialer, pair } = await stage(t);
  for (const tls of [
    { ca: 'no PEM' },
    { cert: pair('one').cert, key: pair('two').key },
    { cert: 'no PEM', key: 'no PEM' },
    { pfx: Buffer.from('no PKCS12').toString('base64'), passphrase: 'x' },
  ]) {
    assert.throws(
      () => dialer(tls),
      (error) => error instanceof Fault && error.code === 'request.invalid',
    );
  }
});
