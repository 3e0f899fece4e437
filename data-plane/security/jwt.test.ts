import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createIssuer, secretToken } from '../../test/kit/gateway/issuer.ts';
import { bearer, given, plan, startTokenGateway as start } from '../../test/kit/gateway/token-plans.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const issuer = createIssuer();
const secret = 'a secret of at least thirty-two bytes, as it must be';

test('every algorithm verifies its own tokens, and no other', async (t) => {
  const words = {
    RS256: 'RSA_RS256',
    RS384: 'RSA_RS384',
    RS512: 'RSA_RS512',
    PS256: 'RSA_PS256',
    PS384: 'RSA_PS384',
    PS512: 'RSA_PS512',
    ES256: 'ECDSA_ES256',
    ES384: 'ECDSA_ES384',
    ES512: 'ECDSA_ES512',
    EdDSA: 'EDDSA',
  } as const;
  const issuers = Object.entries(words).map(
    ([algorithm, signature]) => [signature, createIssuer(algorithm as keyof typeof words)] as const,
  );
  const plans: Record<string, object> = Object.fromEntries(
    issuers.map(([signature, each]) => [signature, given(each, { signature })]),
  );
  for (const bits of [256, 384, 512])
    plans[`HMAC_HS${bits}`] = { signature: `HMAC_HS${bits}`, resolverParameter: secret };
  const gateway = await start(t, plans);
  const tokens = [
    ...issuers.map(([signature, each]) => [signature, each.token({ azp: 'client' })] as const),
    ...[256, 384, 512].map(
      (bits) => [`HMAC_HS${bits}`, secretToken(secret, { azp: 'client' }, { alg: `HS${bits}` })] as const,
    ),
  ];
  for (const [own, token] of tokens) {
    for (const signature of Object.keys(plans)) {
      const { status } = await gateway.call(`/${signature}`, bearer(token));
      assert.equal(status, signature === own ? 200 : 401, `${own} at ${signature}`);
    }
  }
});

test('a token is taken from Authorization in any case, else from the query; the client id from azp, aud, client_id', async (t) => {
  const gateway = await start(t, {
    a: given(issuer),
    nested: given(issuer, { clientIdClaim: 'act.repository' }),
  });
  const token = issuer.token({ azp: 'client' });
  const rows: readonly (readonly [path: string, headers: Record<string, string>, status: number])[] = [
    ['/a', { authorization: `bearer ${token}` }, 200],
    ['/a', { authorization: `BEARER   ${token} ` }, 200],
    ['/a', { authorization: token }, 401],
    ['/a', { authorization: `Bearer${token}` }, 401],
    ['/a', { authorization: 'Bearer' }, 401],
    ['/a', { authorization: 'Bearer ' }, 401],
    ['/a', { authorization: 'Basic eDp5' }, 401],
    ['/a', {}, 401],
    [`/a?access_token=${token}`, {}, 200],
    [`/a?access_token=${token}&access_token=${token}`, {}, 200],
    [`/a?access_token=${token}&access_token=x`, {}, 401],
    [`/a?access_token=${token}`, { authorization: 'Bearer x' }, 401],
    [`/a?access_token=x`, { authorization: `Bearer ${token}` }, 200],
  ];
  for (const [path, headers, status] of rows) {
    const answer = await gateway.call(path, { headers });
    assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
    if (status === 401) {
      assert.equal(answer.text, 'Unauthorized');
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
  }
  const claims: readonly (readonly [claims: object, path: string, status: number])[] = [
    [{ aud: 'client' }, '/a', 200],
    [{ aud: ['client', 'other'] }, '/a', 200],
    [{ aud: ['other', 'client'] }, '/a', 401],
    [{ client_id: 'client' }, '/a', 200],
    [{ azp: 'other', client_id: 'client' }, '/a', 401],
    [{ azp: ['client'] }, '/a', 401],
    [{ azp: 7, aud: {} }, '/a', 401],
    [{ azp: ' ' }, '/a', 401],
    [{}, '/a', 401],
    [{ act: { repository: 'client' } }, '/nested', 200],
    [{ 'act.repository': 'client', act: { repository: 'other' } }, '/nested', 200],
    [{ act: { repository: ['client'] } }, '/nested', 200],
    [{ azp: 'client' }, '/nested', 401],
    [{ act: 'client' }, '/nested', 401],
  ];
  for (const [each, path, status] of claims)
    assert.equal((await gateway.call(path, bearer(issuer.token(each)))).status, status, JSON.stringify(each));
});

test('a token counts until its exp and from its nbf, with a minute of tolerance; times that are none make it invalid', async (t) => {
  const gateway = await start(t, { a: given(issuer) });
  const status = async (claims: object) =>
    (await gateway.call('/a', bearer(issuer.token({ azp: 'client', ...claims })))).status;
  const now = Date.now() / 1_000;
  assert.equal(await status({ exp: now - 30 }), 200);
  assert.equal(await status({ exp: now - 60 }), 401);
  assert.equal(await status({ nbf: now + 60 }), 200);
  assert.equal(await status({ nbf: now + 120 }), 401);
  assert.equal(await status({ exp: undefined }), 200);
  for (const odd of ['4102444800', null, true, {}]) {
    assert.equal(await status({ exp: odd }), 401, JSON.stringify(odd));
    assert.equal(await status({ nbf: odd }), 401, JSON.stringify(odd));
  }
});

test('what a plan knows of a token stands in attributes, and the backend sees the token unless the plan hides it', async (t) => {
  const names = ['jwt.token', 'oauth.client_id', 'user', 'application', 'plan', "jwt.claims']['role"];
  const addHeaders = names.map((name, at) => ({
    name: `X-${at}`,
    value: `{#context.attributes['${name}']}`,
  }));
  const flows = [flow('/', { request: [['transform-headers', { addHeaders }]] })];
  const gateway = await start(
    t,
    {
      shown: given(issuer, { extractClaims: true, userClaim: 'person.name' }),
      hidden: given(issuer, { extractClaims: true, propagateAuthHeader: false }),
    },
    { flows },
  );
  const token = issuer.token({ azp: 'client', sub: 'subject', person: { name: 'Ada' }, role: 'admin' });
  const asked = async (path: string) =>
    (JSON.parse((await gateway.call(path, bearer(token))).text) as { headers: Record<string, string> })
      .headers;
  const shown = await asked('/shown');
  assert.deepEqual(
    names.map((_name, at) => shown[`x-${at}`]),
    [token, 'client', 'Ada', 'app', 'tokens', 'admin'],
  );
  assert.equal(shown['authorization'], `Bearer ${token}`);
  const hidden = await asked('/hidden');
  assert.equal(hidden['x-2'], 'subject');
  assert.equal(hidden['x-0'], token);
  assert.equal(hidden['authorization'], undefined);
  const inQuery = async (path: string, more = {}) =>
    (JSON.parse((await gateway.call(path, more)).text) as { url: string }).url;
  const rest = '/?a=1&b=%20';
  assert.equal(await inQuery(`/shown?a=1&access_token=${token}&b=%20`), `/?a=1&access_token=${token}&b=%20`);
  assert.equal(await inQuery(`/hidden?a=1&access_token=${token}&b=%20`), rest);
  assert.equal(await inQuery(`/hidden?a=1&access%5Ftoken=${token}&b=%20&access_token=${token}`), rest);
  const own = '/?access_token=of-the-backend';
  assert.equal(
    await inQuery(`/hidden?access_token=of-the-backend`, bearer(token)),
    own,
    'what nobody was let in by',
  );
  const unsigned = `${token.slice(0, -8)}AAAAAAAA`;
  assert.equal((await gateway.call('/hidden', bearer(unsigned))).status, 401);
});

test('types and scopes are asked where the plan says so', async (t) => {
  const typ = (tokenTypValidation: object) =>
    given(issuer, { tokenTypValidation: { enabled: true, ...tokenTypValidation } });
  const scopes = (requiredScopes: readonly string[], modeStrict?: boolean) =>
    given(issuer, { checkRequiredScopes: true, requiredScopes, modeStrict });
  const gateway = await start(t, {
    typ: typ({}),
    missing: typ({ ignoreMissing: true, expectedValues: ['at+jwt'], ignoreCase: true }),
    all: scopes(['read', 'write']),
    any: scopes(['read', 'write'], false),
    none: scopes([]),
  });
  const rows: readonly (readonly [path: string, claims: object, header: object, status: number])[] = [
    ['typ', {}, {}, 200],
    ['typ', {}, { typ: 'jwt' }, 401],
    ['typ', {}, { typ: undefined }, 401],
    ['missing', {}, { typ: undefined }, 200],
    ['missing', {}, { typ: 'AT+JWT' }, 200],
    ['missing', {}, { typ: 'JWT' }, 401],
    ['all', { scope: 'write read more' }, {}, 200],
    ['all', { scope: ['read', 'write'] }, {}, 200],
    ['all', { scp: 'read write' }, {}, 200],
    ['all', { scope: 'read' }, {}, 401],
    ['all', { scope: 'readwrite' }, {}, 401],
    ['all', {}, {}, 401],
    ['any', { scope: 'write' }, {}, 200],
    ['any', { scope: 'other' }, {}, 401],
    ['none', {}, {}, 200],
  ];
  for (const [path, claims, header, status] of rows) {
    const token = issuer.token({ azp: 'client', ...claims }, header);
    assert.equal(
      (await gateway.call(`/${path}`, bearer(token))).status,
      status,
      JSON.stringify([path, claims, header]),
    );
  }
});

test('a plan counts only where the client has subscribed; then its judgement is final, whatever comes after', async (t) => {
  const upstream = await startUpstream(t);
  const other = createIssuer();
  const templates = Object.fromEntries(
    ['JWT_INVALID_TOKEN', 'GATEWAY_PLAN_UNRESOLVABLE'].map((key) => [
      key,
      { '*/*': { status: 401, body: key } },
    ]),
  );
  const gateway = await startLocalGateway(t, {
    apis: {
      two: apiDefinition('two', upstream.url, {
        plans: [
          { id: 'first', ...plan(given(issuer)) },
          { id: 'second', ...plan(given(other, { clientIdClaim: 'repo' })) },
          { id: 'keys', name: 'keys', security: { type: 'API_KEY' } },
          { id: 'open', name: 'open', security: { type: 'KEY_LESS' } },
        ],
      }),
      alone: apiDefinition('alone', upstream.url, {
        plans: { first: plan(given(issuer)) },
        responseTemplates: templates,
      }),
    },
    subscriptions: [
      { id: 'a', api: 'two', plan: 'first', application: 'x', clientId: 'one' },
      { id: 'b', api: 'two', plan: 'second', application: 'x', clientId: 'two' },
      { id: 'c', api: 'two', plan: 'keys', application: 'x', apiKeys: ['the-key'] },
      { id: 'd', api: 'alone', plan: 'first', application: 'x', clientId: 'paused', status: 'PAUSED' },
      { id: 'e', api: 'alone', plan: 'first', application: 'x', clientId: 'again', status: 'CLOSED' },
      { id: 'f', api: 'alone', plan: 'first', application: 'x', clientId: 'again' },
    ],
  });
  const key = { 'x-gravitee-api-key': 'the-key' };
  const rows: readonly (readonly [
    token: string | undefined,
    headers: object,
    status: number,
    what: string,
  ])[] = [
    [undefined, {}, 200, 'nothing presented: keyless'],
    [issuer.token({ azp: 'one' }), {}, 200, 'the first plan'],
    [other.token({ repo: 'two', azp: 'x' }), {}, 200, 'the second plan, whose client alone has subscribed'],
    [other.token({ azp: 'one' }), {}, 401, 'the first plan has its subscription, and the signature is wrong'],
    [other.token({ azp: 'one', repo: 'two' }), key, 401, 'neither the second plan nor the key is asked then'],
    [issuer.token({ azp: 'nobody' }), {}, 401, 'an unknown client blocks keyless'],
    [issuer.token({ azp: 'nobody' }), key, 200, 'an unknown client with a good key'],
    ['garbage', key, 200, 'no token at all with a good key'],
    ['garbage', {}, 401, 'no token at all'],
  ];
  for (const [token, headers, status, what] of rows) {
    const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    assert.equal((await gateway.call('/two', { headers: all })).status, status, what);
  }
  assert.equal((await gateway.call('/alone', bearer(issuer.token({ azp: 'again' })))).status, 200);
  const paused = await gateway.call('/alone', bearer(issuer.token({ azp: 'paused' })));
  assert.deepEqual([paused.status, paused.text], [401, 'JWT_INVALID_TOKEN']);
  assert.equal((await gateway.call('/alone')).text, 'GATEWAY_PLAN_UNRESOLVABLE');
});

test('keys of the settings are found by issuer and kid, and by nothing that looks like one', async (t) => {
  const keys = [
    { issuer: 'https://idp', kid: 'key-1', key: issuer.publicKey },
    { issuer: 'https://idp', key: createIssuer('ES256').publicKey },
  ];
  const gateway = await start(t, { a: { publicKeyResolver: 'GATEWAY_KEYS' } }, { config: { jwt: { keys } } });
  const status = async (claims: object, header?: object) =>
    (await gateway.call('/a', bearer(issuer.token({ azp: 'client', ...claims }, header)))).status;
  assert.equal(await status({ iss: 'https://idp' }), 200);
  assert.equal(await status({ iss: 'https://other' }), 401);
  assert.equal(await status({}), 401);
  assert.equal(await status({ iss: 'https://idp' }, { kid: undefined }), 401);
  for (const kid of ['../../etc/passwd', "' OR 1=1 --", 'http://127.0.0.1/', '__proto__', 'key-1\0', ''])
    assert.equal(await status({ iss: 'https://idp' }, { kid }), 401, kid);
  await assert.rejects(
    start(
      t,
      { a: { publicKeyResolver: 'GATEWAY_KEYS' } },
      {
        config: { jwt: { keys: [{ issuer: 'i', key: createIssuer('RS256', 'k', 1_024).publicKey }] } },
      },
    ),
    (error) =>
      JSON.stringify(error).includes('jwt.keys[0].key') && JSON.stringify(error).includes('1024 bits'),
  );
});
