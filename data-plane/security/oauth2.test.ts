import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createIssuer, type SaidServer, startSaidServer } from '../../test/kit/gateway/issuer.ts';
import { bearer, given } from '../../test/kit/gateway/token-plans.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const resource = (url: string, extra: object = {}): object => ({
  name: 'server',
  type: 'oauth2',
  configuration: { authorizationServerUrl: url, clientId: 'gateway', clientSecret: 's:cret', ...extra },
});
const plan = (configuration: object = {}, extra: object = {}): object => ({
  id: 'tokens',
  name: 'OAuth2',
  security: { type: 'OAUTH2', configuration: { oauthResource: 'server', ...configuration } },
  ...extra,
});

/** A gateway with an API per plan; `client` has subscribed to `tokens` of each, `the-key` is a key of `keys`. */
async function start(
  t: TestContext,
  says: SaidServer['says'],
  {
    plans,
    ...wish
  }: {
    readonly plans: Readonly<Record<string, readonly object[]>>;
    readonly resource?: object;
    readonly flows?: readonly object[];
    readonly resources?: (url: string) => readonly object[];
  },
) {
  const upstream = await startUpstream(t);
  const server = await startSaidServer(t, says);
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(plans).map(([id, own]) => [
        id,
        apiDefinition(id, upstream.url, {
          plans: own,
          resources: wish.resources?.(server.url) ?? [resource(server.url, wish.resource)],
          flows: wish.flows ?? [],
        }),
      ]),
    ),
    subscriptions: Object.keys(plans).flatMap((api) => [
      { id: `${api}-t`, api, plan: 'tokens', application: 'app', clientId: 'client' },
      { id: `${api}-k`, api, plan: 'keys', application: 'app', apiKeys: [`key-of-${api}`] },
    ]),
  });
  return { server, gateway };
}

const active = (extra: object = {}): string =>
  JSON.stringify({ active: true, client_id: 'client', ...extra });
const soon = (): number => Math.floor(Date.now() / 1_000) + 600;

test('what the server says of a token decides, and a 401 names the scheme', async (t) => {
  const rows: readonly (readonly [says: string | number, status: number])[] = [
    [active(), 200],
    [JSON.stringify({ client_id: 'client' }), 200],
    [JSON.stringify({ active: true, aud: 'client' }), 200],
    [JSON.stringify({ active: true, aud: ['client', 'x'] }), 200],
    [JSON.stringify({ active: false, client_id: 'client' }), 401],
    [JSON.stringify({ active: 'true', client_id: 'client' }), 401],
    [JSON.stringify({ active: null, client_id: 'client' }), 401],
    [active({ client_id: 'nobody' }), 401],
    [active({ client_id: ['client'] }), 401],
    [active({ exp: soon() }), 200],
    [active({ exp: soon() - 601 }), 401],
    [active({ exp: String(soon()) }), 401],
    [active({ nbf: soon() }), 401],
    [JSON.stringify({}), 401],
    [active({ scope: 'a '.repeat(1_000) }), 200],
    [active({ scope: 'a '.repeat(1_001) }), 503],
    [active({ scope: Array.from({ length: 1_001 }, () => 'a') }), 503],
    // Whoever writes it again has no stack for it.
    [active().replace('}', `,"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 503],
    ['['.repeat(100_000), 503],
    ['[]', 503],
    ['null', 503],
    ['"active"', 503],
    ['<html>', 503],
    ['', 503],
    [204, 503],
    [302, 503],
    [401, 503],
    [500, 503],
  ];
  const { server, gateway } = await start(t, '', { plans: { a: [plan()] } });
  for (const [says, status] of rows) {
    server.says = says;
    const answer = await gateway.call('/a', bearer('token'));
    assert.equal(answer.status, status, String(says));
    assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
  }
  assert.equal(server.asked.length, rows.length, 'each request asks anew, since no cache is named');
  const empty = await gateway.call('/a', bearer(''));
  assert.deepEqual([empty.status, empty.headers['www-authenticate']], [401, 'Bearer']);
  assert.equal((await gateway.call('/a')).status, 401);
  assert.equal(server.asked.length, rows.length);
});

test('a server is asked as the resource says', async (t) => {
  const seen: { path: string; body: string; authorization: string | undefined; token: string | undefined }[] =
    [];
  const says: SaidServer['says'] = (path, { body, headers }) => {
    seen.push({ path, body, authorization: headers.authorization, token: headers['x-token']?.toString() });
    return active();
  };
  const basic = `Basic ${Buffer.from('gateway:s:cret').toString('base64')}`;
  const rows: readonly (readonly [extra: object, expected: object])[] = [
    [{}, { path: '/oauth/check_token?token=a%2Bb', body: '', authorization: basic }],
    [
      { introspectionEndpoint: '/i?x=1', tokenQueryParamName: 't', useClientAuthorizationHeader: false },
      { path: '/i?x=1&t=a%2Bb', body: '', authorization: undefined },
    ],
    [
      {
        introspectionEndpointMethod: 'POST',
        tokenIsSuppliedByQueryParam: false,
        tokenIsSuppliedByFormUrlEncoded: true,
        tokenFormUrlEncodedName: 'tok',
      },
      { path: '/oauth/check_token', body: 'tok=a%2Bb', authorization: basic },
    ],
    [
      {
        tokenIsSuppliedByQueryParam: false,
        tokenIsSuppliedByHttpHeader: true,
        tokenHeaderName: 'X-Token',
        clientAuthorizationHeaderName: 'authorization',
        clientAuthorizationHeaderScheme: 'Other',
      },
      { path: '/oauth/check_token', token: 'a+b', authorization: basic.replace('Basic', 'Other') },
    ],
  ];
  for (const [extra, expected] of rows) {
    const { gateway } = await start(t, says, { plans: { a: [plan()] }, resource: extra });
    assert.equal((await gateway.call('/a', bearer('a+b'))).status, 200);
    assert.partialDeepStrictEqual(seen.at(-1), expected);
    await gateway.close();
  }
  const am = (version: string) => (url: string) => [
    {
      name: 'server',
      type: 'oauth2-am-resource',
      configuration: {
        serverURL: `${url}/am`,
        version,
        securityDomain: 'shop',
        clientId: 'gateway',
        clientSecret: 's:cret',
      },
    },
  ];
  for (const [version, path] of [
    ['V3_X', '/am/shop/oauth/introspect'],
    ['V2_X', '/am/shop/oauth/introspect'],
    ['V1_X', '/am/shop/oauth/check_token'],
  ] as const) {
    const { gateway } = await start(t, says, { plans: { a: [plan()] }, resources: am(version) });
    assert.equal((await gateway.call('/a', bearer('a+b'))).status, 200);
    assert.partialDeepStrictEqual(seen.at(-1), { path, body: 'token=a%2Bb', authorization: basic });
    await gateway.close();
  }
});

test('scopes are a list or a text, all or any of the required ones; too few are final and say so', async (t) => {
  const scopes = (extra: object = {}) =>
    plan({ checkRequiredScopes: true, requiredScopes: ['read', 'write'], ...extra });
  const { server, gateway } = await start(t, '', {
    plans: {
      all: [scopes()],
      any: [scopes({ modeStrict: false })],
      unchecked: [plan({ requiredScopes: ['read'] })],
    },
    resource: { scopeSeparator: ',' },
  });
  const rows: readonly (readonly [path: string, scope: unknown, status: number])[] = [
    ['all', 'write,read', 200],
    ['all', ['read', 'write', 'x'], 200],
    ['all', 'read', 401],
    ['all', 'read write', 401],
    ['all', undefined, 401],
    ['any', 'write', 200],
    ['any', 'x', 401],
    ['unchecked', 'x', 200],
  ];
  for (const [path, scope, status] of rows) {
    server.says = active({ scope });
    const answer = await gateway.call(`/${path}`, bearer('token'));
    assert.equal(answer.status, status, JSON.stringify([path, scope]));
    if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer realm="gravitee.io"');
  }
});

test('steps find what is known of the token; the backend sees it unless the plan hides it', async (t) => {
  const names = ['oauth.access_token', 'oauth.client_id', 'user', 'oauth.payload', 'user.roles'];
  const addHeaders = names.map((name, at) => ({
    name: `X-${at}`,
    value: `{#context.attributes['${name}']}`,
  }));
  const { gateway } = await start(t, active({ who: 'Ada', scope: 'a b' }), {
    plans: { shown: [plan({ extractPayload: true })], hidden: [plan({ propagateAuthHeader: false })] },
    resource: { userClaim: 'who' },
    flows: [flow('/', { request: [['transform-headers', { addHeaders }]] })],
  });
  const asked = async (path: string) =>
    (JSON.parse((await gateway.call(path, bearer('token'))).text) as { headers: Record<string, string> })
      .headers;
  const shown = await asked('/shown');
  assert.deepEqual(
    names.map((_name, at) => shown[`x-${at}`]),
    ['token', 'client', 'Ada', active({ who: 'Ada', scope: 'a b' }), 'a,b'],
  );
  assert.equal(shown['authorization'], 'Bearer token');
  const hidden = await asked('/hidden');
  assert.deepEqual([hidden['authorization'], hidden['x-0'], hidden['x-3']], [undefined, 'token', undefined]);
  const { url } = JSON.parse((await gateway.call('/hidden?access_token=token&a=1')).text) as { url: string };
  assert.equal(url, '/?a=1');
});

test('those who ask at the same time are one question; a server that is away is 503 unless another plan lets in', async (t) => {
  const issuer = createIssuer();
  const both = [
    plan(),
    { id: 'keys', name: 'keys', security: { type: 'API_KEY' } },
    { id: 'open', name: 'open', security: { type: 'KEY_LESS' } },
  ];
  const { server, gateway } = await start(t, undefined, {
    plans: {
      both,
      jwt: [{ id: 'jwt', name: 'jwt', security: { type: 'JWT', configuration: given(issuer) } }, ...both],
    },
    resource: { http: { connectTimeout: 100, readTimeout: 100 } },
  });
  const key = { 'x-gravitee-api-key': 'key-of-both' };
  const all = await Promise.all(Array.from({ length: 10 }, () => gateway.call('/both', bearer('token'))));
  assert.deepEqual([...new Set(all.map(({ status }) => status))], [503]);
  assert.equal(server.asked.length, 1);
  assert.equal(all[0]?.text, 'Temporarily Unavailable');
  server.says = 500;
  assert.equal(
    (await gateway.call('/both', { headers: { ...bearer('token').headers, ...key } })).status,
    200,
  );
  assert.equal(
    (await gateway.call('/both', { headers: { ...bearer('token').headers, 'x-gravitee-api-key': 'x' } }))
      .status,
    503,
  );
  assert.equal((await gateway.call('/both')).status, 200);
  server.says = JSON.stringify({ active: false });
  assert.equal((await gateway.call('/both', bearer('token'))).status, 401);
  assert.equal((await gateway.call('/jwt', bearer(issuer.token({ azp: 'client' })))).status, 401);
  server.says = active();
  assert.equal((await gateway.call('/jwt', bearer(issuer.token({ azp: 'client' })))).status, 200);
});

test('addresses that nobody may call, and answers that never end, are 503', async (t) => {
  const { server, gateway } = await start(t, active({ pad: 'x'.repeat(300 * 1024) }), {
    plans: { a: [plan()] },
  });
  assert.equal((await gateway.call('/a', bearer('token'))).status, 503);
  server.says = active();
  assert.equal((await gateway.call('/a', bearer('token'))).status, 200);
  const inside = await start(t, '', {
    plans: { a: [plan()] },
    resource: { authorizationServerUrl: 'http://169.254.169.254' },
  });
  assert.equal((await inside.gateway.call('/a', bearer('token'))).status, 503);
});

test('a rule may read what the server said', async (t) => {
  const rules = [
    plan({}, { id: 'first', selectionRule: "#context.attributes['oauth.payload'].contains('gold')" }),
    { id: 'open', name: 'open', security: { type: 'KEY_LESS' } },
  ];
  const { server, gateway } = await start(t, active({ tier: 'tin' }), { plans: { a: rules } });
  assert.equal((await gateway.call('/a', bearer('token'))).status, 200);
  server.says = active({ tier: 'gold' });
  assert.equal((await gateway.call('/a', bearer('token'))).status, 401);
});

test('resources that are not there, serve something else, or cannot be used are refused by name, all at once', async (t) => {
  const { gateway } = await start(t, '', {
    plans: {
      a: [
        plan({ oauthResource: 'nobody' }, { id: 'p' }),
        plan({ oauthCacheResource: 'server' }, { id: 'q' }),
        plan({ oauthResource: 'off' }, { id: 'r' }),
        plan({ oauthResource: '' }, { id: 's' }),
      ],
    },
    resources: (url) => [
      resource(url),
      resource(url),
      { name: 'off', type: 'whatever', enabled: false },
      { name: 'odd', type: 'oauth2-auth0', configuration: {} },
      { name: 'file', type: 'oauth2', configuration: { authorizationServerUrl: 'file:///etc' } },
      {
        name: 'trusting',
        type: 'oauth2',
        configuration: {
          authorizationServerUrl: url,
          ssl: { trustAll: true },
          proxy: { enabled: true, host: 'p', port: 1 },
        },
      },
      {
        name: 'expressive',
        type: 'oauth2',
        configuration: { authorizationServerUrl: url, clientId: "{#context.attributes['x']}" },
      },
      {
        name: 'form',
        type: 'oauth2',
        configuration: {
          authorizationServerUrl: url,
          tokenIsSuppliedByFormUrlEncoded: true,
          tokenIsSuppliedByHttpHeader: true,
        },
      },
      {
        name: 'domain',
        type: 'oauth2-am-resource',
        configuration: { serverURL: url, securityDomain: '../x', clientId: 'a', clientSecret: 'b' },
      },
    ],
  });
  const told = gateway.logged.join('\n');
  for (const words of [
    /plans\[3\]\.security\.configuration\.oauthResource.*is required/,
    /resources\[1\]\.name.*twice/,
    /resources\[3\]\.type.*oauth2-auth0.*not supported/,
    /resources\[4\]\.configuration\.authorizationServerUrl.*http or https/,
    /resources\[5\]\.configuration\.ssl\.trustAll.*must be false/,
    /resources\[5\]\.configuration\.proxy\.enabled.*useSystemProxy/,
    /resources\[6\]\.configuration\.clientId names #context/,
    /resources\[7\]\.configuration\.tokenHeaderName.*required/,
    /resources\[7\]\.configuration\.tokenIsSuppliedByFormUrlEncoded.*POST/,
    /resources\[8\]\.configuration\.securityDomain/,
    /plans\[0\]\.security\.configuration\.oauthResource.*nobody.*no resource/,
    /plans\[1\]\.security\.configuration\.oauthCacheResource.*serves no cache/,
    /plans\[2\]\.security\.configuration\.oauthResource.*off.*no resource/,
  ])
    assert.match(told, words);
});
