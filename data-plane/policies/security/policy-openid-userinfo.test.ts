import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startResources } from '../../../test/kit/gateway/resources.ts';

/** A server that knows one token; what it was asked stands in the list. */
async function startServer(t: TestContext) {
  const asked: string[] = [];
  const answers = new Map<string, readonly [status: number, body: string]>([
    ['Bearer good', [200, '{"sub":"ada"}']],
    ['Bearer list', [200, '["ada"]']],
    ['Bearer text', [200, 'ada']],
    ['Bearer down', [500, '{}']],
    ['Bearer forbidden', [403, '<p>no</p>']],
    ['Bearer deep', [401, `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`]],
  ]);
  const server = createServer(({ method, url, headers }: IncomingMessage, outgoing) => {
    asked.push(`${method} ${url}`);
    const [status, body] = answers.get(headers.authorization ?? '') ?? [401, '{"error":"invalid_token"}'];
    outgoing.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('a token passes whose user the server knows; one that it refuses is challenged, and an outage is one', async (t) => {
  const { url, asked } = await startServer(t);
  const generic = {
    name: 'generic',
    type: 'oauth2',
    configuration: { authorizationServerUrl: url, userInfoEndpoint: '/me', userInfoEndpointMethod: 'POST' },
  };
  const domain = {
    name: 'domain',
    type: 'oauth2-am-resource',
    configuration: { serverURL: url, securityDomain: 'shop', clientId: 'a', clientSecret: 'b' },
  };
  const away = {
    name: 'away',
    type: 'oauth2',
    configuration: { authorizationServerUrl: 'http://127.0.0.1:1' },
  };
  const { resource } = startResources(t, [generic, domain, away]);
  const judge = async (authorization: string | undefined, config: object = {}) => {
    const step = startPolicy(
      'policy-openid-userinfo',
      { oauthResource: 'generic', extractPayload: true, ...config },
      { host: { resource } },
    );
    const call = step.call({ headers: authorization === undefined ? {} : { Authorization: authorization } });
    const verdict = await call.pass();
    if (verdict === undefined)
      return [call.attributes.get('oauth.access_token'), call.attributes.get('openid.userinfo.payload')];
    assert.ok('kind' in verdict && verdict.kind === 'reject');
    const { status, key, headers, content } = verdict;
    const said = content === undefined ? [] : [content.type, content.body];
    return [status, key, ...headers.map(([, value]) => value), ...said].join(' ');
  };
  const challenge = '401 OPENID_USERINFO_UNAUTHORIZED Bearer realm="gravitee.io"';
  const unavailable = '503 OPENID_USERINFO_UNAVAILABLE';
  assert.deepEqual(await judge('bEARER good'), ['good', '{"sub":"ada"}']);
  assert.deepEqual(await judge('Bearer good', { extractPayload: false }), ['good', undefined]);
  assert.deepEqual(await judge('Bearer good', { oauthResource: 'domain' }), ['good', '{"sub":"ada"}']);
  assert.deepEqual(asked, ['POST /me', 'POST /me', 'GET /shop/oidc/userinfo']);
  for (const none of [undefined, '', 'Bearer', 'Basic good', 'Bearer a b'])
    assert.equal(await judge(none), challenge, none);
  const invalid = `${challenge}, error="invalid_token"`;
  assert.equal(asked.length, 3);
  assert.equal(await judge('Bearer bad'), `${invalid} application/json {"error":"invalid_token"}`);
  assert.equal(await judge('Bearer deep'), invalid, 'what is no object that may be passed on is not');
  assert.equal(await judge('Bearer forbidden'), invalid);
  assert.equal(await judge(`Bearer ${'x'.repeat(16_385)}`), invalid);
  for (const odd of ['list', 'text', 'down']) assert.equal(await judge(`Bearer ${odd}`), unavailable, odd);
  assert.equal(await judge('Bearer good', { oauthResource: 'away' }), unavailable);
});

test('a resource that knows no users is refused with the field that names it', (t) => {
  const { resource } = startResources(t, [{ name: 'cache', type: 'cache', configuration: {} }]);
  for (const oauthResource of ['cache', 'nobody'])
    assert.throws(
      () => startPolicy('policy-openid-userinfo', { oauthResource }, { host: { resource } }),
      (error: { details: readonly { path: string }[] }) =>
        error.details[0]?.path === 'flows[0].request[0].configuration.oauthResource',
    );
});

test('a server that hangs holds the first who ask for its timeouts; who comes later is told at once, until it is heard', async (t) => {
  let asked = 0;
  let isHanging = true;
  const server = createServer((_incoming, outgoing) => {
    asked += 1;
    if (!isHanging) outgoing.end('{"sub":"ada"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { resource, clock } = startResources(t, [
    {
      name: 'slow',
      type: 'oauth2',
      configuration: {
        authorizationServerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        http: { connectTimeout: 300, readTimeout: 600 },
      },
    },
  ]);
  const step = startPolicy('policy-openid-userinfo', { oauthResource: 'slow' }, { host: { resource } });
  const judge = async (count: number) => {
    const verdicts = await Promise.all(
      Array.from({ length: count }, async (_, n) =>
        step.call({ headers: { Authorization: `Bearer token${n}` } }).pass(),
      ),
    );
    return verdicts.map((verdict) =>
      verdict !== undefined && 'kind' in verdict && verdict.kind === 'reject' ? verdict.key : 'passes',
    );
  };
  assert.deepEqual(await judge(1), ['OPENID_USERINFO_UNAVAILABLE']);
  const meanwhile = await judge(100);
  assert.ok(meanwhile.every((key) => key === 'OPENID_USERINFO_UNAVAILABLE'));
  // What a loaded machine connects too late for it never reaches the server.
  assert.ok(asked > 1 && asked <= 11, `no more than ten more are asked in this second, not ${asked - 1}`);
  isHanging = false;
  await clock.advance(1_000);
  assert.deepEqual(await judge(1), ['passes']);
  assert.ok((await judge(100)).every((key) => key === 'passes'));
});
