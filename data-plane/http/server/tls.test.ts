import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { Fault } from '../../../proto/faults/fault.ts';
import { createAuthority, issuePair, tlsSettings } from '../../../test/kit/servers/certificates.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { TlsOptions } from '../../../proto/process/listening/tls.ts';
import { clientCertificateOf, createTlsAcceptor, type TlsAcceptor } from './tls.ts';

interface Stage {
  readonly acceptor: TlsAcceptor;
  readonly port: number;
  /** Sockets whose handshake is complete. */
  readonly secured: TLSSocket[];
  readonly failures: Error[];
  /** Shakes hands as a client; errors are rejections. With TLS 1.3 a refused client learns it by its first read. */
  call(options?: ConnectionOptions): Promise<TLSSocket>;
}

/** A listener that greets everyone whose handshake is complete. */
async function stage(t: TestContext, tls: TlsOptions, handshakeMsMax?: number): Promise<Stage> {
  const acceptor = createTlsAcceptor(tls, { handshakeMsMax });
  const secured: TLSSocket[] = [];
  const failures: Error[] = [];
  const open: { destroy(): void }[] = [];
  acceptor.onSecure((socket) => {
    secured.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => socket.write(piece));
    socket.write('hello');
  });
  acceptor.onFailed((_socket, error) => failures.push(error));
  const server = createServer((socket) => {
    open.push(socket);
    acceptor.accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    acceptor,
    port,
    secured,
    failures,
    async call(options = {}) {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
      open.push(socket);
      const closed = new AbortController();
      socket.on('close', () => closed.abort(new Error('closed')));
      const [greeting] = (await once(socket, 'data', { signal: closed.signal })) as [Buffer];
      assert.equal(greeting.toString(), 'hello');
      return socket;
    },
  };
}

const nameOf = (socket: TLSSocket): string => socket.getPeerX509Certificate()?.subject ?? '';

/** The server ended it: by an alert, a reset, or silently. */
const refused = (call: Promise<TLSSocket>): Promise<void> =>
  assert.rejects(call, (error: Error) =>
    /^(ECONNRESET|EPIPE|ABORT_ERR|ERR_SSL_.*)$/.test('code' in error ? String(error.code) : ''),
  );

test('the name that a client asks for picks the certificate', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { call } = await stage(
    t,
    tlsSettings([
      issuePair(authority, 'default'),
      issuePair(authority, 'orders', { names: ['DNS:orders.acme.com', 'DNS:shop.acme.com'] }),
      issuePair(authority, 'wild', { names: ['DNS:*.acme.com'] }),
    ]),
  );
  for (const [servername, expected] of [
    ['orders.acme.com', 'CN=orders'],
    ['SHOP.acme.com', 'CN=orders'],
    ['other.acme.com', 'CN=wild'],
    ['a.b.acme.com', 'CN=default'],
    ['acme.com', 'CN=default'],
    ['stranger.example', 'CN=default'],
    ['', 'CN=default'],
  ] as const) {
    assert.equal(nameOf(await call({ servername })), expected, servername);
  }
});

test('a certificate for the name itself goes before a wildcard, in whatever order they stand', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { call } = await stage(
    t,
    tlsSettings([
      issuePair(authority, 'wild', { names: ['DNS:*.acme.com'] }),
      issuePair(authority, 'exact', { names: ['DNS:a.acme.com'] }),
    ]),
  );
  assert.equal(nameOf(await call({ servername: 'a.acme.com' })), 'CN=exact');
  assert.equal(nameOf(await call({ servername: 'b.acme.com' })), 'CN=wild');
});

test('RSA and ECDSA certificates for one name stand beside each other, by name and as the default', async (t) => {
  const authority = createAuthority(tempDir(t));
  const names = ['DNS:a.acme.com'];
  const pairs = [
    issuePair(authority, 'rsa', { names, keyType: 'rsa' }),
    issuePair(authority, 'ec', { names }),
    issuePair(authority, 'second-ec', { names }),
  ];
  const byDefault = await stage(t, tlsSettings(pairs));
  const byName = await stage(t, tlsSettings([issuePair(authority, 'default'), ...pairs]));
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const ecdsa = { maxVersion, sigalgs: 'ECDSA+SHA256' };
    const rsa = { maxVersion, sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' };
    const servername = 'a.acme.com';
    for (const { call } of [byDefault, byName]) {
      assert.equal(nameOf(await call({ servername, ...ecdsa })), 'CN=ec');
      assert.equal(nameOf(await call({ servername, ...rsa })), 'CN=rsa');
    }
    // Whoever takes both gets the one that costs us less.
    assert.equal(nameOf(await byName.call({ servername, maxVersion })), 'CN=ec');
    assert.equal(nameOf(await byDefault.call(ecdsa)), 'CN=ec');
    assert.equal(nameOf(await byDefault.call(rsa)), 'CN=rsa');
  }
});

test('a reload serves new handshakes and leaves open connections alone', async (t) => {
  const authority = createAuthority(tempDir(t));
  const names = ['DNS:a.acme.com'];
  const { call, acceptor, secured, port } = await stage(
    t,
    tlsSettings([issuePair(authority, 'default'), issuePair(authority, 'old', { names })]),
  );
  const before = await call({ servername: 'a.acme.com' });
  const halfway = connectTcp(port, '127.0.0.1');
  await once(halfway, 'connect');

  acceptor.reload(tlsSettings([issuePair(authority, 'default-2'), issuePair(authority, 'new', { names })]));
  assert.equal(nameOf(await call({ servername: 'a.acme.com' })), 'CN=new');
  assert.equal(nameOf(await call()), 'CN=default-2');

  before.write('still there');
  const [echo] = (await once(before, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'still there');
  assert.equal(nameOf(before), 'CN=old');
  // A handshake that had begun is finished with what it began with.
  const late = connect({ socket: halfway, servername: 'a.acme.com', rejectUnauthorized: false });
  await once(late, 'data');
  assert.equal(secured.length, 4);
  late.destroy();
});

test('a reload that does not fit is refused by its place and changes nothing', async (t) => {
  const authority = createAuthority(tempDir(t));
  const [one, two] = [issuePair(authority, 'one'), issuePair(authority, 'two', { keyType: 'rsa' })];
  const { call, acceptor } = await stage(t, tlsSettings([one]));
  const noNames = issuePair(authority, 'nameless', { names: [] });
  for (const [what, tls, place] of [
    [
      'a key of another type',
      tlsSettings([{ cert: one.cert, key: two.key }]),
      /certificates\[0\]\.key does not belong/,
    ],
    [
      'a key of another pair',
      tlsSettings([one, { cert: two.cert, key: issuePair(authority, 'x', { keyType: 'rsa' }).key }]),
      /certificates\[1\]\.key does not/,
    ],
    [
      'no certificate',
      tlsSettings([{ cert: 'x', key: one.key }]),
      /certificates\[0\]\.cert is no certificate/,
    ],
    ['no key', tlsSettings([{ cert: one.cert, key: 'x' }]), /certificates\[0\]\.key is no unencrypted/],
    ['none at all', tlsSettings([]), /certificates must hold at least one/],
    ['one that nobody can ask for', tlsSettings([one, noNames]), /certificates\[1\]\.cert has no DNS name/],
    ['required without authorities', tlsSettings([one], { clientAuth: 'required' }), /ca is needed/],
    ['authorities that are none', tlsSettings([one], { ca: 'x' }), /ca cannot be read/],
  ] as const) {
    assert.throws(
      () => acceptor.reload(tls),
      (error) => error instanceof Fault && error.code === 'config.invalid' && place.test(error.detail),
      what,
    );
  }
  assert.equal(nameOf(await call()), 'CN=one');
});

test('a required client certificate: a verified one passes, none and a stranger fail the handshake', async (t) => {
  const authority = createAuthority(tempDir(t));
  const strangers = createAuthority(tempDir(t));
  const ca = readFileSync(authority.caFile, 'utf8');
  const { call, secured, failures } = await stage(
    t,
    tlsSettings(
      [issuePair(authority, 'server'), issuePair(authority, 'named', { names: ['DNS:a.acme.com'] })],
      {
        ca,
        clientAuth: 'required',
      },
    ),
  );
  for (const servername of ['', 'a.acme.com']) {
    await call({ ...issuePair(authority, 'orders'), servername });
    const shown = clientCertificateOf(secured.at(-1) ?? assert.fail());
    assert.equal(shown?.isVerified, true);
    assert.equal(shown.subject, 'CN=orders');
    assert.match(shown.fingerprintSha256, /^[0-9a-f]{64}$/);
    assert.match(shown.pem, /^-----BEGIN CERTIFICATE-----\n/);

    const soFar = { secured: secured.length, failures: failures.length };
    await refused(call({ servername }));
    await refused(call({ ...issuePair(strangers, 'orders'), servername }));
    await refused(call({ ...issuePair(authority, 'late', { isExpired: true }), servername }));
    await eventually(() => failures.length === soFar.failures + 3);
    assert.equal(secured.length, soFar.secured);
  }
});

test('a requested client certificate: whoever comes is served, and it is said whether it was verified', async (t) => {
  const authority = createAuthority(tempDir(t));
  const strangers = createAuthority(tempDir(t));
  const { call, secured, acceptor } = await stage(
    t,
    tlsSettings([issuePair(authority, 'server')], {
      ca: readFileSync(authority.caFile, 'utf8'),
      clientAuth: 'request',
    }),
  );
  const seen = () => clientCertificateOf(secured.at(-1) ?? assert.fail());
  await call();
  assert.equal(seen(), undefined);
  await call(issuePair(authority, 'known'));
  assert.equal(seen()?.isVerified, true);
  await call(issuePair(strangers, 'stranger'));
  assert.equal(seen()?.isVerified, false);
  assert.equal(seen()?.subject, 'CN=stranger');

  // Without authorities nobody is verified: not even by the public ones that Node knows.
  acceptor.reload(tlsSettings([issuePair(authority, 'server')], { clientAuth: 'request' }));
  await call(issuePair(authority, 'known'));
  assert.equal(seen()?.isVerified, false);
});

test('a resumed session shows the same client certificate; after a reload it is no longer resumed', async (t) => {
  const authority = createAuthority(tempDir(t));
  const tls = tlsSettings([issuePair(authority, 'server')], {
    ca: readFileSync(authority.caFile, 'utf8'),
    clientAuth: 'required',
  });
  const { call, secured, acceptor, failures } = await stage(t, tls);
  const client = issuePair(authority, 'orders');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = await call({ ...client, maxVersion });
    const session = await sessionOf(first, maxVersion);
    const again = await call({ ...client, maxVersion, session });
    assert.equal(again.isSessionReused(), true, maxVersion);
    const shown = clientCertificateOf(secured.at(-1) ?? assert.fail());
    assert.deepEqual([shown?.subject, shown?.isVerified], ['CN=orders', true], maxVersion);
    acceptor.reload(tls);
    assert.equal((await call({ ...client, maxVersion, session })).isSessionReused(), false, maxVersion);
  }
  assert.equal(failures.length, 0);
});

test('resuming proves nothing that was not proven before', async (t) => {
  const authority = createAuthority(tempDir(t));
  const stranger = issuePair(createAuthority(tempDir(t)), 'stranger');
  const tls = tlsSettings([issuePair(authority, 'server')], {
    ca: readFileSync(authority.caFile, 'utf8'),
    clientAuth: 'request',
  });
  const { call, secured, acceptor, failures, port } = await stage(t, tls);
  const seen = () => clientCertificateOf(secured.at(-1) ?? assert.fail());
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const shown of [{}, stranger]) {
      const session = await sessionOf(await call({ ...shown, maxVersion }), maxVersion);
      const again = await call({ ...shown, maxVersion, session });
      assert.equal(again.isSessionReused(), true, maxVersion);
      assert.ok(seen()?.isVerified !== true, maxVersion);
    }
  }
  // Where a certificate is required, a client that was refused may have got its ticket before.
  acceptor.reload({ ...tls, clientAuth: 'required' });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const tickets: Buffer[] = [];
    const refusedSocket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion,
      ...stranger,
    });
    refusedSocket.on('session', (ticket) => tickets.push(ticket)).on('error', () => undefined);
    refusedSocket.resume();
    await eventually(() => refusedSocket.closed && failures.length > 0);
    failures.length = 0;
    for (const session of tickets) await refused(call({ ...stranger, maxVersion, session }));
    for (const session of tickets) await refused(call({ maxVersion, session }));
  }
});

/** TLS 1.3 sends its tickets after the handshake. */
async function sessionOf(socket: TLSSocket, version: string): Promise<Buffer> {
  const session = socket.getSession();
  if (version === 'TLSv1.2' && session !== undefined) return session;
  socket.write('x');
  const [ticket] = (await once(socket, 'session')) as [Buffer];
  return ticket;
}

test('older versions, other protocols and noise are refused and counted', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { call, port, failures, secured } = await stage(
    t,
    tlsSettings([issuePair(authority, 'server')], { minVersion: 'TLSv1.3' }),
  );
  await refused(call({ maxVersion: 'TLSv1.2' }));
  await refused(call({ ALPNProtocols: ['h2'] }));
  assert.equal((await call({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol, 'http/1.1');
  const noise = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  noise.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(noise, 'close');
  const gone = connectTcp(port, '127.0.0.1');
  await once(gone, 'connect');
  gone.resetAndDestroy();
  await eventually(() => failures.length === 4);
  assert.equal(secured.length, 1);
});

test('a handshake that takes too long is ended', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { port, failures } = await stage(t, tlsSettings([issuePair(authority, 'server')]), 50);
  const silent = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  silent.resume();
  await once(silent, 'close');
  await eventually(() => failures.length === 1);
  assert.match(String(failures[0]), /handshake timeout/i);
});

test('handshakes under way are counted until they are complete or gone, and ended by close', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { acceptor, port, failures, call } = await stage(t, tlsSettings([issuePair(authority, 'server')]));
  const open = await call();
  assert.equal(acceptor.handshakes, 0);
  const silent = [connectTcp(port, '127.0.0.1'), connectTcp(port, '127.0.0.1')].map((socket) =>
    socket.on('error', () => undefined).resume(),
  );
  await eventually(() => acceptor.handshakes === 2);
  silent[0]?.destroy();
  await eventually(() => acceptor.handshakes === 1);
  acceptor.close();
  await eventually(() => acceptor.handshakes === 0 && silent[1]?.closed);
  await eventually(() => failures.length === 2);
  open.write('still there');
  const [echo] = (await once(open, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'still there');
});

test('a client of TLS 1.2 cannot ask for another handshake', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { call } = await stage(t, tlsSettings([issuePair(authority, 'server')]));
  const socket = await call({ maxVersion: 'TLSv1.2' });
  const error = await new Promise<unknown>((resolve) => {
    socket.on('error', resolve);
    socket.renegotiate({}, resolve);
  });
  assert.match(String(error), /renegotiation/i);
});
