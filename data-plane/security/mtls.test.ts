import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request, Agent } from 'node:https';
import { test, type TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';

import { apiDefinition, flow, type LocalGateway, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createIssuer } from '../../test/kit/gateway/issuer.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { type CertificatePair, createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

const plan = (type: string, extra: object = {}): object => ({ security: { type }, ...extra });

const subscription = (id: string, clientCertificate: string, changes: object = {}): object => ({
  id,
  api: 'secured',
  plan: 'mtls',
  application: id,
  clientCertificate,
  ...changes,
});

/** Two authorities, one of which the listener trusts, and what they issued. */
function issue(t: TestContext) {
  const trusted = createAuthority(tempDir(t));
  const foreign = createAuthority(tempDir(t));
  return {
    trusted,
    server: trusted.issue('localhost'),
    own: issuePair(foreign, 'orders'),
    /** The same name, another key. */
    twin: issuePair(createAuthority(tempDir(t)), 'orders'),
    second: issuePair(foreign, 'second'),
    expired: issuePair(foreign, 'expired', { isExpired: true }),
    known: issuePair(trusted, 'known'),
  };
}

type Issued = ReturnType<typeof issue>;

/** Its APIs: `secured` by certificates alone, `mixed` by those, keys or nothing, `open` for everybody. */
async function start(
  t: TestContext,
  { server, trusted }: Issued,
  wish: { readonly subscriptions: readonly object[]; readonly listen?: object; readonly tls?: object },
): Promise<LocalGateway> {
  const upstream = await startUpstream(t);
  const { caFile } = trusted;
  return startLocalGateway(t, {
    apis: {
      secured: apiDefinition('secured', upstream.url, { plans: { mtls: plan('MTLS') } }),
      mixed: apiDefinition('mixed', upstream.url, {
        plans: {
          mtls: plan('MTLS', { selectionRule: "#request.headers['x-skip'] == null" }),
          keys: plan('API_KEY'),
          open: plan('KEY_LESS'),
        },
      }),
      open: apiDefinition('open', upstream.url),
    },
    subscriptions: wish.subscriptions,
    config: { listen: { tls: { ...server, caFile, clientAuth: 'request', ...wish.tls }, ...wish.listen } },
  });
}

interface Asked {
  readonly status: number;
  readonly text: string;
}

/** One request; 0 where the connection ended before an answer. */
function ask(
  { port }: LocalGateway,
  path: string,
  options: {
    readonly pair?: CertificatePair | undefined;
    readonly agent?: Agent;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Asked> {
  const { pair, agent = false, headers } = options;
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path, agent, headers, rejectUnauthorized: false, ...pair },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    sent.on('error', () => resolve({ status: 0, text: '' })).end();
  });
}

test('a certificate lets in where its subscription does, is trusted because of it, and any other fails the handshake', async (t) => {
  const issued = issue(t);
  const { own, twin, second, expired, known } = issued;
  const gateway = await start(t, issued, {
    subscriptions: [
      // Several of one application: PEM behind PEM.
      subscription('orders', `${own.cert}\n${second.cert}`),
      subscription('late', expired.cert),
      subscription('orders-mixed', own.cert, { api: 'mixed', application: 'orders' }),
      subscription('keys', known.cert, { api: 'mixed', plan: 'keys', apiKeys: ['key'] }),
    ],
  });
  const key = { 'x-gravitee-api-key': 'key' };
  const rows: readonly (readonly [
    what: string,
    pair: CertificatePair | undefined,
    path: string,
    headers: Record<string, string>,
    status: number,
  ])[] = [
    ['its own', own, '/secured', {}, 200],
    ['another of the same application', second, '/secured', {}, 200],
    ['none', undefined, '/secured', {}, 401],
    ['none, where it is not asked for', undefined, '/open', {}, 200],
    ['the same subject and another key', twin, '/open', {}, 0],
    ['one that has ended', expired, '/open', {}, 0],
    ['one of a trusted authority', known, '/open', {}, 200],
    ['one of a trusted authority without subscription', known, '/secured', {}, 401],
    ['its own beside other plans', own, '/mixed', {}, 200],
    ['none beside other plans', undefined, '/mixed', {}, 200],
    ['none, and a key', undefined, '/mixed', key, 200],
    ['one without subscription keeps out of an open plan', known, '/mixed', {}, 401],
    ['one without subscription, and a key', known, '/mixed', key, 200],
    ['one without subscription, and a rule that does not hold', known, '/mixed', { 'x-skip': '1' }, 200],
    ['a subscription to another API alone', second, '/mixed', {}, 401],
  ];
  for (const [what, pair, path, headers, status] of rows)
    assert.equal((await ask(gateway, path, { pair, headers })).status, status, what);
});

test('over HTTP/2 certificates are judged as over HTTP/1.1', async (t) => {
  const issued = issue(t);
  const { own, second } = issued;
  const gateway = await start(t, issued, {
    subscriptions: [subscription('orders', own.cert)],
    tls: { alpn: ['h2', 'http/1.1'] },
  });
  const statusOf = (pair: CertificatePair | undefined): Promise<number> =>
    new Promise((resolve) => {
      const session = connectHttp2(`https://127.0.0.1:${gateway.port}`, {
        rejectUnauthorized: false,
        ...pair,
      });
      t.after(() => session.destroy());
      session.on('error', () => resolve(0)).on('close', () => resolve(0));
      session
        .request({ ':path': '/secured' })
        .on('response', (head) => resolve(Number(head[':status'])))
        .on('error', () => resolve(0))
        .end();
    });
  assert.deepEqual([await statusOf(own), await statusOf(undefined), await statusOf(second)], [200, 401, 0]);
});

test('expressions read the names of both certificates', async (t) => {
  const issued = issue(t);
  const { own, trusted, server } = issued;
  const upstream = await startUpstream(t);
  const said = '{#request.ssl.client.cn} {#request.ssl.client.defined} {#request.ssl.server.cn}';
  const flows = [flow('/', { request: [['mock', { status: '200', content: said }]] })];
  const gateway = await startLocalGateway(t, {
    apis: { open: apiDefinition('open', upstream.url, { flows }) },
    subscriptions: [subscription('orders', own.cert, { api: 'open', plan: 'open' })],
    config: { listen: { tls: { ...server, caFile: trusted.caFile, clientAuth: 'request' } } },
  });
  assert.equal((await ask(gateway, '/open', { pair: own })).text, 'orders true localhost');
  assert.equal((await ask(gateway, '/open')).text, ' false localhost');
});

test('what a plan refuses for is told by key, and a template answers it', async (t) => {
  const issued = issue(t);
  const upstream = await startUpstream(t);
  const keys = ['SSL_SESSION_REQUIRED', 'CLIENT_CERTIFICATE_MISSING', 'CLIENT_CERTIFICATE_INVALID'];
  const responseTemplates = Object.fromEntries(
    keys.map((key) => [key, { '*/*': { statusCode: 403, body: key } }]),
  );
  const wish = (config: Record<string, unknown>) => ({
    apis: {
      secured: apiDefinition('secured', upstream.url, { plans: { mtls: plan('MTLS') }, responseTemplates }),
    },
    subscriptions: [],
    config,
  });
  const plain = await startLocalGateway(t, wish({}));
  assert.match((await plain.call('/secured')).text, /^SSL_SESSION_REQUIRED$/);
  const tls = { ...issued.server, caFile: issued.trusted.caFile, clientAuth: 'request' };
  const gateway = await startLocalGateway(t, wish({ listen: { tls } }));
  assert.match((await ask(gateway, '/secured')).text, /^CLIENT_CERTIFICATE_MISSING$/);
  assert.match((await ask(gateway, '/secured', { pair: issued.known })).text, /^CLIENT_CERTIFICATE_INVALID$/);
  // Who is not asked for one shows none.
  const unasked = await startLocalGateway(t, wish({ listen: { tls: { ...tls, clientAuth: 'none' } } }));
  assert.match((await ask(unasked, '/secured', { pair: issued.known })).text, /^CLIENT_CERTIFICATE_MISSING$/);
});

test('trust follows the subscriptions: on an open connection, for resumed sessions, and back again', async (t) => {
  const issued = issue(t);
  const { own, second } = issued;
  const with_ = (...subscriptions: readonly object[]) => ({ subscriptions });
  const first = subscription('orders', own.cert);
  const gateway = await start(t, issued, {
    ...with_(first),
    tls: { caFile: undefined, clientAuth: 'required' },
  });
  assert.equal((await ask(gateway, '/open')).status, 0);
  assert.equal((await ask(gateway, '/open', { pair: second })).status, 0);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const pair = { ...own, maxVersion };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    gateway.write('isthmus', with_(first));
    await eventually(async () => (await ask(gateway, '/secured', { pair })).status === 200);
    assert.equal((await ask(gateway, '/secured', { pair, agent })).status, 200);
    const session = await sessionOf(gateway.port, pair);
    assert.equal((await resumed(gateway.port, pair, session)).isAnswered, true, maxVersion);

    gateway.write('isthmus', with_({ ...first, status: 'CLOSED' }, subscription('second', second.cert)));
    await eventually(async () => (await ask(gateway, '/secured', { pair: second })).status === 200);
    // The connection of before is open still, and is of no use to a plan.
    assert.deepEqual(await ask(gateway, '/secured', { pair, agent }), { status: 401, text: 'Unauthorized' });
    const again = await resumed(gateway.port, pair, session);
    assert.deepEqual(again, { isReused: true, isAnswered: false }, maxVersion);
    assert.equal((await ask(gateway, '/secured', { pair })).status, 0);
  }
});

test('a certificate of a terminator in front counts in its header, in the spellings of the field, of trusted peers alone', async (t) => {
  const issued = issue(t);
  const { own, expired, known } = issued;
  const issuer = createIssuer('RS256');
  const upstream = await startUpstream(t);
  const thumbprint = Buffer.from(new X509Certificate(own.cert).fingerprint256.replaceAll(':', ''), 'hex');
  const token = issuer.token({ azp: 'client', cnf: { 'x5t#S256': thumbprint.toString('base64url') } });
  const jwt = {
    signature: 'RSA_RS256',
    publicKeyResolver: 'GIVEN_KEY',
    resolverParameter: issuer.publicKey,
    confirmationMethodValidation: { certificateBoundThumbprint: { enabled: true } },
  };
  const wish = (trustedProxies: readonly string[]) => ({
    apis: {
      secured: apiDefinition('secured', upstream.url, { plans: { mtls: plan('MTLS') } }),
      bound: apiDefinition('bound', upstream.url, {
        plans: { jwt: plan('JWT', { security: { type: 'JWT', configuration: jwt } }) },
      }),
      open: apiDefinition('open', upstream.url),
    },
    subscriptions: [
      subscription('orders', own.cert),
      subscription('late', expired.cert),
      subscription('bound', known.cert, { api: 'bound', plan: 'jwt', clientId: 'client' }),
    ],
    config: { listen: { trustedProxies, tls: { clientCertificateHeader: 'X-Client-Cert' } } },
  });
  const gateway = await startLocalGateway(t, wish(['127.0.0.1']));
  const stranger = await startLocalGateway(t, wish([]));
  const der = new X509Certificate(own.cert).raw.toString('base64');
  const percent = encodeURIComponent(own.cert);
  const rows: readonly (readonly [
    what: string,
    header: string | readonly string[] | undefined,
    status: number,
  ])[] = [
    ['percent-encoded', percent, 200],
    ['with a plus as it is', percent.replaceAll('%2B', '+').replaceAll('%2F', '/'), 200],
    ['form-encoded', percent.replaceAll('%20', '+'), 200],
    ['blanks for line ends', own.cert.trim().replaceAll('\n', ' '), 200],
    ['DER', der, 200],
    ['DER, escaped', encodeURIComponent(der), 200],
    ['RFC 9440', `:${der}:`, 200],
    ['Envoy', `By=spiffe://a;Hash=00;Cert="${percent}";Subject="CN=a, O=b"`, 200],
    [
      'the first of a chain',
      encodeURIComponent(`${own.cert}${readFileSync(issued.trusted.caFile, 'utf8')}`),
      200,
    ],
    ['a chain of DER', `${der},${new X509Certificate(known.cert).raw.toString('base64')}`, 200],
    ['a chain that begins with another', encodeURIComponent(`${known.cert}${own.cert}`), 401],
    ['Envoy, two elements', `Cert="${percent}",Cert="${percent}"`, 401],
    ['Envoy, its hash alone', `Hash=${thumbprint.toString('hex')}`, 401],
    ['one that has ended', encodeURIComponent(expired.cert), 401],
    ['one without subscription', encodeURIComponent(known.cert), 401],
    ['two lines', [percent, percent], 401],
    ['oversized', `${percent}${'%0A'.repeat(6_000)}`, 401],
    ['garbage', '%zz', 401],
    ['more garbage', '-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----', 401],
    ['a key', encodeURIComponent(own.key), 401],
    ['empty', '', 401],
    ['none', undefined, 401],
  ];
  for (const [what, header, status] of rows) {
    const headers = header === undefined ? {} : { 'X-Client-Cert': header };
    assert.equal((await gateway.call('/secured', { headers })).status, status, what);
    assert.equal((await stranger.call('/secured', { headers })).status, 401, what);
  }
  const headers = { 'x-client-cert': percent };
  assert.match((await gateway.call('/open', { headers })).text, /BEGIN%20CERTIFICATE/);
  for (const said of [headers, { x_client_cert: percent }])
    assert.doesNotMatch((await stranger.call('/open', { headers: said })).text, /BEGIN%20CERTIFICATE/);
  const bearer = { authorization: `Bearer ${token}` };
  assert.equal((await gateway.call('/bound', { headers: { ...bearer, ...headers } })).status, 200);
  assert.equal((await gateway.call('/bound', { headers: bearer })).status, 401);
  assert.equal((await stranger.call('/bound', { headers: { ...bearer, ...headers } })).status, 401);
});

test('a terminator that shows a certificate of its own is not taken for its client', async (t) => {
  const issued = issue(t);
  const { own, known } = issued;
  const gateway = await start(t, issued, {
    subscriptions: [subscription('terminator', known.cert), subscription('orders', own.cert)],
    listen: { trustedProxies: ['127.0.0.1'] },
    tls: { clientCertificateHeader: 'X-Client-Cert' },
  });
  const headers = { 'X-Client-Cert': encodeURIComponent(own.cert) };
  assert.equal((await ask(gateway, '/secured', { pair: known })).status, 401);
  assert.equal((await ask(gateway, '/secured', { pair: known, headers })).status, 200);
});

test('a certificate of two applications, an authority or no certificate is refused by name, and what was there before stays', async (t) => {
  const issued = issue(t);
  const { own, second } = issued;
  const gateway = await start(t, issued, { subscriptions: [subscription('orders', own.cert)] });
  const rows: readonly (readonly [subscriptions: readonly object[], why: RegExp])[] = [
    [
      [subscription('orders', own.cert), subscription('thief', own.cert)],
      /clientCertificate of subscription \\"thief\\" \(CN=orders\) is that of .* already, which is the application \\"orders\\"'s/,
    ],
    [[subscription('orders', `${second.cert}${second.cert}`)], /holds a certificate twice/],
    [
      [subscription('orders', readFileSync(issued.trusted.caFile, 'utf8'))],
      /certificate of an authority \(CN=Isthmus test CA\)/,
    ],
    [[subscription('orders', second.key)], /holds a private key; allowed: certificates alone/],
    [[subscription('orders', 'nonsense!')], /holds no certificate/],
    [[subscription('orders', 'AAAA')], /something that is no certificate/],
  ];
  for (const [subscriptions, why] of rows) {
    gateway.write('isthmus', { subscriptions });
    await eventually(() => why.test(gateway.logged.join('')));
    assert.equal((await ask(gateway, '/secured', { pair: own })).status, 200, String(why));
  }
});

/** A session that can be resumed, of a connection that asked once. */
async function sessionOf(port: number, options: object): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  const session = Promise.withResolvers<Buffer>();
  socket.on('session', (ticket: Buffer) => session.resolve(ticket)).on('error', session.reject);
  await asked(socket);
  const ticket = await session.promise;
  socket.destroy();
  return ticket;
}

async function resumed(port: number, options: object, session: Buffer) {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options, session });
  let isReused = false;
  socket.on('secureConnect', () => (isReused = socket.isSessionReused()));
  const isAnswered = (await asked(socket)).startsWith('HTTP/1.1 200');
  socket.destroy();
  return { isReused, isAnswered };
}

function asked(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (piece: Buffer) => resolve(piece.toString('latin1')));
    socket.on('error', () => undefined).on('close', () => resolve(''));
    socket.on('secureConnect', () => socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n'));
  });
}
