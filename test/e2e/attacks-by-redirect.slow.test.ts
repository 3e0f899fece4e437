import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { fieldRows } from '../../proto/policies/reference/fields.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { eventually } from '../kit/eventually.ts';
import { apiDefinition, type CallOptions, flow, startLocalGateway } from '../kit/gateway/gateway.ts';
import { createIssuer } from '../kit/gateway/issuer.ts';
import { bearer, given } from '../kit/gateway/token-plans.ts';

/** A server on this machine that nobody may call where the settings of a gateway say so, and one that sends everybody there. */
async function startServer(t: TestContext, says: { readonly location?: string }) {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    incoming.resume();
    const { location } = says;
    if (location === undefined) outgoing.setHeader('Content-Type', 'application/json').end('{}');
    // Keeps method and body.
    else outgoing.writeHead(307, { location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.on('connection', () => (connections += 1));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { asked, connections: () => connections, port: (server.address() as AddressInfo).port };
}

interface Way {
  readonly flows?: readonly object[];
  readonly security?: object;
  readonly resources?: readonly object[];
  readonly endpointGroups?: readonly object[];
  readonly call?: CallOptions;
  /** How often it is called. Default: once. */
  readonly times?: number;
}

const issuer = createIssuer();
const step = (policy: string, configuration: object, phase: 'request' | 'response' = 'request'): Way => ({
  flows: [flow('/', { [phase]: [[policy, configuration]] })],
});
const asked: CallOptions = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: '{"messages":[{"role":"user","content":"who?"}]}',
};
const resource = (name: string, type: string, configuration: object) => [{ name, type, configuration }];
const client = { clientId: 'a', clientSecret: 'b' };
const server = (url: string) =>
  resource('server', 'oauth2', { authorizationServerUrl: url, userInfoEndpoint: '/info', ...client });
const management = (url: string) =>
  resource('server', 'oauth2-am-resource', { serverURL: url, securityDomain: 'shop', ...client });
/** Asks the resource of the name `server`. */
const introspecting = { security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } } };
const hostOf = (url: string) => {
  const { hostname, port } = new URL(url);
  return { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port) };
};
const keeping = (configuration: object): Way => ({
  ...step('cache', { cacheName: 'answers' }),
  resources: resource('answers', 'cache-redis', { useSsl: false, ...configuration }),
});
const token = issuer.token({ azp: 'client' });
const tokens = (configuration: object): Way => ({
  security: { type: 'JWT', configuration: given(issuer, configuration) },
  call: bearer(token),
});
const endpoint = (target: string, http: object): Way => ({
  endpointGroups: [
    {
      name: 'g',
      type: 'http-proxy',
      sharedConfiguration: { http },
      endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target } }],
    },
  ],
});

/** Every field of a definition by which a gateway calls somebody over HTTP while it serves. */
const ways = {
  'a callout': (url) => step('policy-http-callout', { method: 'GET', url }),
  'a shadow': (url) => step('traffic-shadowing', { target: url }),
  'a report': (url) => step('metrics-reporter', { method: 'POST', url, body: 'b' }, 'response'),
  'a classifier': (url) => ({ ...step('ai-prompt-guard-rails', { classifier: { url } }), call: asked }),
  embeddings: (url) => ({ ...step('ai-semantic-caching', { embeddings: { url } }), call: asked }),
  introspection: (url) => ({ ...introspecting, resources: server(url), call: bearer('token') }),
  'introspection by the endpoint alone': (url) => ({
    ...introspecting,
    resources: resource('server', 'oauth2', {
      authorizationServerUrl: '',
      introspectionEndpoint: `${url}/introspect`,
      ...client,
    }),
    call: bearer('token'),
  }),
  'introspection by access management': (url) => ({
    ...introspecting,
    resources: management(url),
    call: bearer('token'),
  }),
  'user information of access management': (url) => ({
    ...step('policy-openid-userinfo', { oauthResource: 'server' }),
    resources: management(url),
    call: bearer('token'),
  }),
  'user information': (url) => ({
    ...step('policy-openid-userinfo', { oauthResource: 'server' }),
    resources: server(url),
    call: bearer('token'),
  }),
  'a provider of users': (url) => ({
    ...step('policy-basic-authentication', { authenticationProviders: ['users'] }),
    resources: [{ name: 'users', type: 'auth-provider-http-resource', configuration: { url } }],
    call: { headers: { Authorization: 'Basic YTpi' } },
  }),
  'a key set': (url) =>
    tokens({ publicKeyResolver: 'JWKS_URL', resolverParameter: `${url}/keys`, followRedirects: true }),
  'revoked tokens': (url) => tokens({ revocationCheck: { enabled: true, revocationListUrl: `${url}/list` } }),
  'an endpoint': (url) => endpoint(url, {}),
  'an endpoint that follows redirects': (url) => endpoint(url, { followRedirects: true }),
  'a route': (url) => step('dynamic-routing', { rules: [{ pattern: '.*', url }] }),
  'a way round an open circuit': (url) => ({
    ...step('policy-circuit-breaker', { redirectToURL: url }),
    ...endpoint('http://127.0.0.1:1', {}),
    times: 2,
  }),
} satisfies Readonly<Record<string, (url: string) => Way>>;

/** ... and by another protocol. */
const otherWays = {
  'a directory': (url) => ({
    ...step('policy-basic-authentication', { authenticationProviders: ['users'] }),
    resources: resource('users', 'auth-provider-ldap-resource', {
      contextSourceUrl: url.replace(/^http(.*?:\d+).*$/, 'ldap$1'),
      contextSourceBase: 'dc=acme',
      contextSourceUsername: 'cn=root',
      contextSourcePassword: 'of-root',
    }),
    call: { headers: { Authorization: 'Basic YTpi' } },
  }),
  'a cache': (url) => keeping(hostOf(url)),
  'a cache alone': (url) => keeping({ standalone: { enabled: true, ...hostOf(url) } }),
  sentinels: (url) =>
    keeping({ sentinelMode: true, sentinel: { masterId: 'm', nodes: [hostOf(url)] }, standalone: undefined }),
} satisfies Readonly<Record<string, (url: string) => Way>>;

/** Fields of policies and resources that may name somebody who is called, with the way that takes it, or what else it is. */
const fields: Readonly<Record<string, keyof typeof ways | keyof typeof otherWays | { readonly is: string }>> =
  {
    'jwt.protectedResourceMetadata.authorizationServers': { is: 'told to clients' },
    'jwt.resolverParameter': 'a key set',
    'jwt.revocationCheck.revocationListUrl': 'revoked tokens',
    'dynamic-routing.rules[].url': 'a route',
    'http-redirect.rules[].location': { is: 'told to clients' },
    'traffic-shadowing.target': 'a shadow',
    'metrics-reporter.url': 'a report',
    'metrics-reporter.proxy.host': { is: 'refused at deploy' },
    'policy-http-callout.url': 'a callout',
    'policy-circuit-breaker.redirectToURL': 'a way round an open circuit',
    'oas-validation.sourceUrl': { is: 'refused at deploy' },
    'ai-prompt-guard-rails.classifier.url': 'a classifier',
    'ai-semantic-caching.embeddings.url': 'embeddings',
    'auth-provider-http-resource.url': 'a provider of users',
    'auth-provider-ldap-resource.contextSourceUrl': 'a directory',
    'cache-redis.host': 'a cache',
    'cache-redis.sentinel.nodes[].host': 'sentinels',
    'cache-redis.standalone.host': 'a cache alone',
    'oauth2.authorizationServerUrl': 'introspection',
    'oauth2.introspectionEndpoint': 'introspection by the endpoint alone',
    'oauth2.authorizationServerMetadataEndpoint': { is: 'asked by nobody' },
    'oauth2.userInfoEndpoint': 'user information',
    'oauth2.proxy.host': { is: 'refused at deploy' },
    'oauth2-am-resource.serverURL': 'introspection by access management',
    'oauth2-am-resource.proxy.host': { is: 'refused at deploy' },
  };

/** How else an address may be written. */
const spellings = [
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '127.1',
  '0177.0.0.1',
  '127.0.0.1.',
  '[::1]',
  '[0:0::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  'localhost',
  'LOCALHOST.',
];

suite('whom a gateway must not call nobody makes it call', () => {
  type Server = Awaited<ReturnType<typeof startServer>>;
  const urlOf = ({ port }: Server, name: string): string =>
    `http://127.0.0.1:${port}/${Object.keys(ways).indexOf(name)}-way`;
  /** Ways by which a server was not asked. */
  const unasked = (of: Server): readonly string[] =>
    Object.keys(ways).filter((_name, at) => !of.asked.some((path) => path.startsWith(`/${at}-way`)));
  /** Calls each API, at a gateway with these settings. */
  const play = async (
    t: TestContext,
    urls: Readonly<Record<string, (name: string) => string>>,
    {
      upstream,
      through = ways,
    }: { readonly upstream: object; readonly through?: typeof ways | typeof otherWays },
  ) => {
    const backend = await startServer(t, {});
    const apis = Object.values(urls).flatMap((urlOf, at) =>
      Object.entries<(url: string) => Way>(through).map(([name, way], index) => ({
        id: `api-${at}-${index}`,
        way: way(urlOf(name)),
      })),
    );
    const gateway = await startLocalGateway(t, {
      apis: Object.fromEntries(
        apis.map(({ id, way: { security = { type: 'KEY_LESS' }, call: _call, times: _times, ...more } }) => [
          id,
          apiDefinition(id, `http://127.0.0.1:${backend.port}`, { plans: { p: { security } }, ...more }),
        ]),
      ),
      subscriptions: apis.map(({ id }) => ({ id, api: id, plan: 'p', application: 'a', clientId: 'client' })),
      config: { upstream },
    });
    for (const { id, way } of apis)
      for (let turn = 0; turn < (way.times ?? 1); turn += 1)
        await gateway.call(`/${id}`, way.call).catch(() => undefined);
    return gateway;
  };
  const bySpelling = ({ port }: Server) =>
    Object.fromEntries(spellings.map((spelling) => [spelling, () => `http://${spelling}:${port}`]));
  const denying = ({ port }: Server) => ({ deny: [`127.0.0.1:${port}`, `[::1]:${port}`] });

  test('each field of a policy or a resource that may name somebody is one of the ways that are tried, or says what else it is', () => {
    const named = [...Object.values<PolicySchema>(catalog), ...Object.values(resourceCatalog)].flatMap(
      ({ id, config }) =>
        fieldRows(config, {})
          .filter(
            ({ path, takes }) =>
              takes?.includes('string') === true &&
              /(?:ur[il]|host|target|endpoint|server|servers|resolverParameter|\.location)$/i.test(path),
          )
          .map(({ path }) => `${id}.${path}`),
    );
    assert.deepEqual(Object.keys(fields).toSorted(), named.toSorted());
  });

  test('not by an address, however it is written; without the setting each of these calls it', async (t) => {
    const closed = await startServer(t, {});
    await play(t, bySpelling(closed), { upstream: denying(closed) });
    assert.deepEqual([closed.asked, closed.connections()], [[], 0]);
    const open = await startServer(t, {});
    await play(t, { itself: (name) => urlOf(open, name) }, { upstream: {} });
    await eventually(() => (assert.deepEqual(unasked(open), []), true));
  });

  for (const name of Object.keys(otherWays) as (keyof typeof otherWays)[])
    test(`not by ${name} either, which speaks another protocol`, async (t) => {
      const through = { [name]: otherWays[name] } as typeof otherWays;
      const closed = await startServer(t, {});
      await play(t, bySpelling(closed), { upstream: denying(closed), through });
      assert.equal(closed.connections(), 0);
      const open = await startServer(t, {});
      await play(t, { itself: (way) => urlOf(open, way) }, { upstream: {}, through });
      await eventually(() => open.connections() > 0);
    });

  test('not by a redirect, which is asked for by each of them', async (t) => {
    const closed = await startServer(t, {});
    const sending = await startServer(t, { location: `http://127.0.0.1:${closed.port}/secret` });
    await play(t, { itself: (name) => urlOf(sending, name) }, { upstream: denying(closed) });
    await eventually(() => (assert.deepEqual(unasked(sending), []), true));
    assert.deepEqual([closed.asked, closed.connections()], [[], 0]);
  });
});
