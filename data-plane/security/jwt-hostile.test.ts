import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { compact, createIssuer, secretToken, startSaidServer } from '../../test/kit/gateway/issuer.ts';
import { bearer, given, plan, startTokenGateway as start } from '../../test/kit/gateway/token-plans.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

const issuer = createIssuer();

test('hostile tokens are refused: other algorithms, none, embedded keys, crit, two spellings, size', async (t) => {
  const jwks = await startSaidServer(t, JSON.stringify({ keys: [issuer.jwk] }));
  const gateway = await start(t, {
    a: given(issuer),
    set: { publicKeyResolver: 'JWKS_URL', resolverParameter: `${jwks.url}/keys` },
  });
  const attacker = createIssuer();
  const claims = { azp: 'client' };
  const good = issuer.token(claims);
  const [head = '', payload = '', signature = ''] = good.split('.');
  const unsigned = (header: object): string => compact(header, claims, () => Buffer.alloc(256));
  const hostile: Readonly<Record<string, string>> = {
    none: compact({ alg: 'none' }, claims, () => Buffer.from('')),
    'none with a signature': unsigned({ alg: 'none' }),
    'None with a signature': unsigned({ alg: 'None' }),
    'an alg that is a list': unsigned({ alg: ['RS256'] }),
    'HS256 with the public key as secret': secretToken(issuer.publicKey, claims, {
      alg: 'HS256',
      kid: 'key-1',
    }),
    'RS256 said, HS256 made': compact({ alg: 'RS256', kid: 'key-1' }, claims, (text) =>
      Buffer.from(secretToken(issuer.publicKey, { text }, { alg: 'HS256' }).split('.')[2] ?? '', 'base64url'),
    ),
    'an embedded jwk': attacker.token(claims, { jwk: attacker.jwk }),
    'a jku': attacker.token(claims, { jku: `${jwks.url}/attacker` }),
    'an x5u': attacker.token(claims, { x5u: `${jwks.url}/attacker` }),
    'an x5c': attacker.token(claims, { x5c: [attacker.publicKey] }),
    'a kid that is a list': attacker.token(claims, { kid: ['key-1'] }),
    crit: issuer.token(claims, { crit: ['exp'] }),
    'crit and b64': issuer.token(claims, { crit: ['b64'], b64: false }),
    'b64 without crit': issuer.token(claims, { b64: true }),
    'padding at the end': `${good}=`,
    'another last character': `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
    'standard base64': `${head}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
    'a line end inside': `${head}.${payload.slice(0, 4)}%0a${payload.slice(4)}.${signature}`,
    'a fourth part': `${good}.x`,
    'two parts': `${head}.${payload}`,
    'no head': `.${payload}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'claims that are a list': compact({ alg: 'RS256' }, [], () => Buffer.alloc(256)),
    'another payload': `${head}.${Buffer.from(JSON.stringify({ azp: 'client', more: 1 })).toString('base64url')}.${signature}`,
    'deep claims': compact(
      { alg: 'RS256' },
      { azp: JSON.parse(`${'['.repeat(3_000)}${']'.repeat(3_000)}`) as unknown },
      () => Buffer.alloc(256),
    ),
    'a huge token': issuer.token({ ...claims, pad: 'x'.repeat(14_000) }),
  };
  assert.equal((await gateway.call('/a', bearer(good))).status, 200);
  assert.equal((await gateway.call('/set', bearer(good))).status, 200);
  for (const [what, token] of Object.entries(hostile)) {
    for (const path of ['/a', '/set'])
      assert.equal((await gateway.call(path, bearer(token))).status, 401, `${what} at ${path}`);
  }
  assert.deepEqual([...new Set(jwks.asked)], ['/keys']);
  assert.equal(
    (await gateway.call('/a', bearer(issuer.token({ ...claims, pad: 'x'.repeat(10_000) })))).status,
    200,
  );
});

test('a token of one API is nothing at another whose plan its client has not subscribed to', async (t) => {
  const upstream = await startUpstream(t);
  const api = (id: string) => apiDefinition(id, upstream.url, { plans: { tokens: plan(given(issuer)) } });
  const gateway = await startLocalGateway(t, {
    apis: { mine: api('mine'), yours: api('yours') },
    subscriptions: [{ id: 's', api: 'mine', plan: 'tokens', application: 'x', clientId: 'client' }],
  });
  const token = bearer(issuer.token({ azp: 'client' }));
  assert.equal((await gateway.call('/mine', token)).status, 200);
  assert.equal((await gateway.call('/yours', token)).status, 401);
});

test('keys that cannot be used are refused at load, with the reason', async (t) => {
  const weak = createIssuer('RS256', 'k', 1_024).publicKey;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const rows: readonly (readonly [configuration: object, why: RegExp])[] = [
    [{ resolverParameter: weak }, /resolverParameter.*1024 bits/],
    [{ resolverParameter: '' }, /resolverParameter.*required/],
    [{ resolverParameter: 'nonsense' }, /no public key/],
    [{ resolverParameter: privateKey.export({ type: 'pkcs8', format: 'pem' }) }, /private key/],
    [{ resolverParameter: createIssuer('ES256').publicKey }, /no RSA key/],
    [{ signature: 'ECDSA_ES384', resolverParameter: createIssuer('ES256').publicKey }, /P-384/],
    [{ signature: 'HMAC_HS256', resolverParameter: 'short' }, /guessed/],
    ...[
      issuer.publicKey,
      issuer.publicKey.replaceAll(/-----[^-]*-----|\s/g, ''),
      ` ${issuer.publicKey.replaceAll(/-----[^-]*-----/g, '')} `,
      JSON.stringify(createPublicKey(issuer.publicKey).export({ format: 'jwk' })),
      JSON.stringify({ keys: [createPublicKey(issuer.publicKey).export({ format: 'jwk' })] }),
    ].map(
      (spelling) => [{ signature: 'HMAC_HS256', resolverParameter: spelling }, /is a public key/] as const,
    ),
    [{ signature: 'none', resolverParameter: issuer.publicKey }, /signature/],
    [{ publicKeyResolver: 'JWKS_URL', resolverParameter: 'file:///etc/passwd' }, /http or https/],
    [{ publicKeyResolver: 'JWKS_URL', resolverParameter: 'https://a:b@idp' }, /without user/],
    [
      { publicKeyResolver: 'JWKS_URL', signature: 'HMAC_HS256', resolverParameter: 'https://idp' },
      /HMAC needs/,
    ],
    [{ resolverParameter: issuer.publicKey, revocationCheck: { enabled: true } }, /revocationListUrl/],
    [
      {
        resolverParameter: issuer.publicKey,
        protectedResourceMetadata: { authorizationServers: ['https://as'] },
      },
      /authorizationServers.*allowed: an empty list/,
    ],
    [{ resolverParameter: issuer.publicKey, unknown: 1 }, /unknown/],
  ];
  const gateway = await start(
    t,
    Object.fromEntries(rows.map(([configuration], at) => [`n${at}`, configuration])),
  );
  const problems = gateway.logged.join('\n').split('\n');
  rows.forEach(([, why], at) => {
    const own = problems.filter((line) => line.includes(`"n${at}"`) || line.includes(`n${at}.json`));
    assert.match(own.join('\n'), why, `row ${at}: ${own.join('\n')}`);
  });
  assert.equal((await gateway.call('/n0')).status, 503);
});

test('a token that is bound to a certificate comes with that certificate, said by a peer that is trusted', async (t) => {
  const authority = createAuthority(tempDir(t));
  const [own, other] = ['own', 'other'].map((name) => readFileSync(authority.issue(name).certFile, 'utf8'));
  const thumbprint = Buffer.from(
    new X509Certificate(own ?? '').fingerprint256.replaceAll(':', ''),
    'hex',
  ).toString('base64url');
  const bound = (extra: object = {}, certificate: object = {}) =>
    given(issuer, {
      confirmationMethodValidation: {
        certificateBoundThumbprint: { enabled: true, extractCertificateFromHeader: true, ...certificate },
        ...extra,
      },
    });
  const plans = {
    bound: bound(),
    named: bound({}, { headerName: 'X-Cert' }),
    lax: bound({ ignoreMissing: true }),
    session: bound({}, { extractCertificateFromHeader: false }),
  };
  const gateway = await start(t, plans, { config: { listen: { trustedProxies: ['127.0.0.1'] } } });
  const stranger = await start(t, plans);
  const form = (pem = ''): string => encodeURIComponent(pem).replaceAll('%20', '+');
  const token = issuer.token({ azp: 'client', cnf: { 'x5t#S256': thumbprint } });
  const unbound = issuer.token({ azp: 'client' });
  const rows: readonly (readonly [
    where: typeof gateway,
    path: string,
    token: string,
    headers: Record<string, string>,
    status: number,
  ])[] = [
    [gateway, 'bound', token, { 'ssl-client-cert': form(own) }, 200],
    [gateway, 'bound', token, { 'ssl-client-cert': encodeURIComponent(own ?? '') }, 200],
    [gateway, 'bound', token, { 'ssl-client-cert': form(other) }, 401],
    [gateway, 'bound', token, { 'ssl-client-cert': 'nonsense%' }, 401],
    [gateway, 'bound', token, {}, 401],
    [gateway, 'bound', unbound, { 'ssl-client-cert': form(own) }, 401],
    [gateway, 'named', token, { 'x-cert': form(own) }, 200],
    [gateway, 'named', token, { 'ssl-client-cert': form(own) }, 401],
    [gateway, 'lax', unbound, {}, 200],
    [gateway, 'lax', token, {}, 401],
    ...[7, '', null, [thumbprint]].map(
      (odd) => [gateway, 'lax', issuer.token({ azp: 'client', cnf: { 'x5t#S256': odd } }), {}, 401] as const,
    ),
    [gateway, 'session', token, { 'ssl-client-cert': form(own) }, 401],
    [stranger, 'bound', token, { 'ssl-client-cert': form(own) }, 401],
  ];
  for (const [at, [where, path, each, headers, status]] of rows.entries()) {
    const answer = await where.call(`/${path}`, { headers: { ...headers, authorization: `Bearer ${each}` } });
    assert.equal(answer.status, status, `row ${at}`);
  }
});

test('a revoked token is refused from the list on, also when it was verified before; a list that is away blocks nobody', async (t) => {
  const list = await startSaidServer(t, ['one', 'two'].join('\n'));
  const secured = await startSaidServer(t, (_path, { headers: { authorization = '' } }) =>
    ['Basic dTpw', 'Bearer t'].includes(authorization) ? 'secret' : 401,
  );
  const check = (url: string, extra: object = {}) =>
    given(issuer, {
      revocationCheck: { enabled: true, revocationListUrl: url, refreshInterval: 1, ...extra },
    });
  const gateway = await start(t, {
    listed: check(`${list.url}/list`),
    bySession: check(`${list.url}/list`, { revocationClaim: 'sid' }),
    away: check(`${(await startSaidServer(t, 500)).url}/list`),
    basic: check(`${secured.url}/list`, { auth: { type: 'basic', basic: { username: 'u', password: 'p' } } }),
    token: check(`${secured.url}/list`, {
      auth: { type: 'token', token: { value: 't' } },
      followRedirects: true,
    }),
    none: check(`${secured.url}/list`, { auth: { type: 'none' } }),
    hanging: check(`${(await startSaidServer(t, undefined)).url}/list`, {
      connectTimeout: 50,
      requestTimeout: 50,
    }),
  });
  const status = async (path: string, claims: object) =>
    (await gateway.call(path, bearer(issuer.token({ azp: 'client', ...claims })))).status;
  assert.equal(await status('/listed', { jti: 'one' }), 401);
  assert.equal(await status('/listed', { jti: 'three' }), 200);
  assert.equal(await status('/listed', {}), 200);
  assert.equal(await status('/bySession', { jti: 'one' }), 200);
  assert.equal(await status('/bySession', { sid: 'two' }), 401);
  list.says = ['one', 'two', '', '  17 ', 'true'].join('\r\n');
  await eventually(async () => (await status('/bySession', { sid: '17' })) === 401);
  for (const sid of [17, true, ' two ', 'one'])
    assert.equal(await status('/bySession', { sid }), 401, `${sid}`);
  for (const sid of [1, '', ['17'], {}]) assert.equal(await status('/bySession', { sid }), 200);
  assert.equal(await status('/basic', { jti: 'secret' }), 401);
  assert.equal(await status('/token', { jti: 'secret' }), 401);
  assert.equal(await status('/none', { jti: 'secret' }), 200);
  assert.equal(await status('/away', { jti: 'one' }), 200);
  assert.equal(await status('/hanging', { jti: 'one' }), 200);
  const token = issuer.token({ azp: 'client', jti: 'later' });
  assert.equal((await gateway.call('/listed', bearer(token))).status, 200);
  list.says = 'later';
  await eventually(async () => (await gateway.call('/listed', bearer(token))).status === 401);
  list.says = 500;
  assert.equal((await gateway.call('/listed', bearer(token))).status, 401);
});

test('a list of revoked tokens that is longer than is read says so, and counts as far as it is read', async (t) => {
  const ids = (count: number): string => Array.from({ length: count }, (_, n) => `t${n}`).join('\n');
  const list = await startSaidServer(t, `\n\n${ids(200_000)}\n`);
  const gateway = await start(t, {
    a: given(issuer, {
      revocationCheck: { enabled: true, revocationListUrl: `${list.url}/list`, refreshInterval: 1 },
    }),
  });
  const status = async (jti: string) =>
    (await gateway.call('/a', bearer(issuer.token({ azp: 'client', jti })))).status;
  const told = () => gateway.logged.filter((line) => line.includes('longer than is read')).length;
  assert.deepEqual([await status('t199999'), told()], [401, 0]);
  list.says = ids(200_001);
  await eventually(() => told() > 0);
  assert.deepEqual([await status('t199999'), await status('t200000')], [401, 200]);
  const { length } = list.asked;
  await eventually(() => list.asked.length > length + 1);
  assert.equal(told(), 1, 'once');
});

test('times are numbers: a token with another is refused, and none lives for ever', async (t) => {
  const gateway = await start(t, { a: given(issuer) });
  const now = Math.floor(Date.now() / 1_000);
  const status = async (claims: object) =>
    (await gateway.call('/a', bearer(issuer.token({ azp: 'client', ...claims })))).status;
  for (const claims of [
    { exp: now + 60.5 },
    { exp: now - 50 },
    { nbf: now + 50 },
    { iat: now + 10_000 },
    { exp: undefined },
    { exp: 1e300 },
  ])
    assert.equal(await status(claims), 200, JSON.stringify(claims));
  for (const name of ['exp', 'nbf', 'iat'])
    for (const odd of [String(now + 60), null, true, [now + 60], {}, ''])
      assert.equal(await status({ [name]: odd }), 401, `${name} ${JSON.stringify(odd)}`);
  for (const claims of [{ exp: now - 61 }, { exp: 0 }, { exp: -1e300 }, { nbf: now + 62 }])
    assert.equal(await status(claims), 401, JSON.stringify(claims));
});

test('a public key may be PEM, a certificate, bare base64 or ssh-rsa', async (t) => {
  const { n = '', e = '' } = issuer.jwk as { n?: string; e?: string };
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.from(n, 'base64url')]);
  const ssh = Buffer.concat([
    field(Buffer.from('ssh-rsa')),
    field(Buffer.from(e, 'base64url')),
    field(modulus),
  ]);
  const gateway = await start(t, {
    pem: { resolverParameter: `\n${issuer.publicKey}` },
    bare: { resolverParameter: issuer.publicKey.replaceAll(/-----.*-----|\n/g, '') },
    ssh: { resolverParameter: `ssh-rsa ${ssh.toString('base64')} me@here` },
  });
  for (const path of ['/pem', '/bare', '/ssh'])
    assert.equal((await gateway.call(path, bearer(issuer.token({ azp: 'client' })))).status, 200, path);
});
