import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';

import { eventually } from '../kit/eventually.ts';
import { apiDefinition, type CallOptions, flow, startLocalGateway } from '../kit/gateway/gateway.ts';
import { createIssuer } from '../kit/gateway/issuer.ts';
import { bearer, given } from '../kit/gateway/token-plans.ts';

/** A server on this machine that nobody may call where the settings of a gateway say so, and one that sends everybody there. */
async function startServer(t: TestContext, says: { readonly location?: string }) {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    incoming.resume();
    const { location } = says;
    if (location === undefined) outgoing.setHeader('Content-Type', 'application/json').end('{}');
    // Keeps method and body.
    else outgoing.writeHead(307, { location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { asked, port: (server.address() as AddressInfo).port };
}

interface Way {
  readonly flows?: readonly object[];
  readonly security?: object;
  readonly resources?: readonly object[];
  readonly endpointGroups?: readonly object[];
  readonly call?: CallOptions;
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
const server = (url: string) => [
  {
    name: 'server',
    type: 'oauth2',
    configuration: {
      authorizationServerUrl: url,
      userInfoEndpoint: '/info',
      clientId: 'a',
      clientSecret: 'b',
    },
  },
];
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
const ways: Readonly<Record<string, (url: string) => Way>> = {
  'a callout': (url) => step('policy-http-callout', { method: 'GET', url }),
  'a shadow': (url) => step('traffic-shadowing', { target: url }),
  'a report': (url) => step('metrics-reporter', { method: 'POST', url, body: 'b' }, 'response'),
  'a classifier': (url) => ({ ...step('ai-prompt-guard-rails', { classifier: { url } }), call: asked }),
  embeddings: (url) => ({ ...step('ai-semantic-caching', { embeddings: { url } }), call: asked }),
  introspection: (url) => ({
    security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } },
    resources: server(url),
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
};

/** How else an address may be written. */
const spellings = [
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '127.1',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  'localhost',
];

suite('whom a gateway must not call nobody makes it call', () => {
  type Server = Awaited<ReturnType<typeof startServer>>;
  const urlOf = ({ port }: Server, name: string): string =>
    `http://127.0.0.1:${port}/${Object.keys(ways).indexOf(name)}-way`;
  /** Ways by which a server was not asked. */
  const unasked = (of: Server): readonly string[] =>
    Object.keys(ways).filter((_name, at) => !of.asked.some((path) => path.startsWith(`/${at}-way`)));
  /** Calls each API once, at a gateway with these settings. */
  const play = async (
    t: TestContext,
    urls: Readonly<Record<string, (name: string) => string>>,
    upstream: object,
  ) => {
    const backend = await startServer(t, {});
    const apis = Object.entries(urls).flatMap(([spelling, urlOf], at) =>
      Object.entries(ways).map(([name, way], index) => ({
        id: `api-${at}-${index}`,
        what: `${name} by ${spelling}`,
        way: way(urlOf(name)),
      })),
    );
    const gateway = await startLocalGateway(t, {
      apis: Object.fromEntries(
        apis.map(({ id, way: { security = { type: 'KEY_LESS' }, call: _call, ...more } }) => [
          id,
          apiDefinition(id, `http://127.0.0.1:${backend.port}`, { plans: { p: { security } }, ...more }),
        ]),
      ),
      subscriptions: apis.map(({ id }) => ({ id, api: id, plan: 'p', application: 'a', clientId: 'client' })),
      config: { upstream },
    });
    for (const { id, way } of apis) await gateway.call(`/${id}`, way.call).catch(() => undefined);
  };

  test('not by an address, however it is written; without the setting each of these calls it', async (t) => {
    const closed = await startServer(t, {});
    const urls = Object.fromEntries(
      spellings.map((spelling) => [spelling, () => `http://${spelling}:${closed.port}`]),
    );
    await play(t, urls, { deny: [`127.0.0.1:${closed.port}`, `[::1]:${closed.port}`] });
    assert.deepEqual(closed.asked, []);
    const open = await startServer(t, {});
    await play(t, { itself: (name) => urlOf(open, name) }, {});
    await eventually(() => (assert.deepEqual(unasked(open), []), true));
  });

  test('not by a redirect, which is asked for by each of them', async (t) => {
    const closed = await startServer(t, {});
    const sending = await startServer(t, { location: `http://127.0.0.1:${closed.port}/secret` });
    await play(t, { itself: (name) => urlOf(sending, name) }, { deny: [`127.0.0.1:${closed.port}`] });
    await eventually(() => (assert.deepEqual(unasked(sending), []), true));
    assert.deepEqual(closed.asked, []);
  });
});
