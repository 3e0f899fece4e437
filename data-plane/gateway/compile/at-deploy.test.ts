import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';

import { eventually } from '../../../test/kit/eventually.ts';
import { startCheckedBackend } from '../../../test/kit/gateway/endpoints/checked.ts';
import { instanceOf } from '../../../test/kit/gateway/endpoints/found.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { secretToken, startSaidServer } from '../../../test/kit/gateway/issuer.ts';
import { bearer } from '../../../test/kit/gateway/token-plans.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startConsul } from '../../../test/kit/servers/consul.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** A folder of secrets, by name. */
function secretsFolder(t: TestContext, secrets: Readonly<Record<string, string>>): string {
  const folder = join(tempDir(t), 'secrets');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(folder, name), text);
  return folder;
}

const refusals = (gateway: { readonly logged: readonly string[] }, id: string): string =>
  gateway.logged
    .filter((line) => line.includes('a record was refused') && line.includes(`"id":"${id}"`))
    .join();

test('how endpoints are reached is worked out when the API is deployed: stores by secrets, properties and dictionaries', async (t) => {
  const authority = createAuthority(join(tempDir(t), 'ca'));
  const read = (file: string): string => readFileSync(file, 'utf8');
  const [server, client] = [authority.issue('backend'), authority.issue('caller')];
  const seen: unknown[] = [];
  const backend = createServer(
    {
      cert: read(server.certFile),
      key: read(server.keyFile),
      ca: read(authority.caFile),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
      response.end('secured');
    },
  );
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  t.after(() => backend.close().closeAllConnections());
  const folder = secretsFolder(t, { key: read(client.keyFile), user: 'me' });
  const api = apiDefinition('api', '', {
    properties: [{ key: 'cert', value: read(client.certFile) }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        sharedConfiguration: {
          ssl: {
            trustStore: { type: 'PEM', content: "{#dictionaries['tls']['ca']}" },
            keyStore: {
              type: 'PEM',
              certContent: "{#properties['cert']}",
              keyContent: '{#secrets.get(/file/key)}',
            },
          },
          // Off: it may hold whatever it holds.
          proxy: { enabled: false, username: "{#secrets.get('/file/nope')}" },
        },
        endpoints: [
          {
            name: 'one',
            type: 'http-proxy',
            configuration: { target: `https://127.0.0.1:${(backend.address() as AddressInfo).port}` },
          },
        ],
      },
    ],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      api,
      'isthmus.json': JSON.stringify({ dictionaries: { tls: { ca: read(authority.caFile) } } }),
    },
    config: { secretReferences: { folder } },
  });
  assert.equal(refusals(gateway, 'api'), '');
  assert.equal((await gateway.call('/api')).text, 'secured');
  assert.deepEqual(seen, ['caller']);
});

test('resources, keys of tokens and tokens of Consul may be secrets; none of them stands in a log or the node API', async (t) => {
  const upstream = await startUpstream(t);
  const shown: (string | undefined)[] = [];
  const introspection = await startSaidServer(t, (_path, { headers }) => {
    shown.push(headers.authorization);
    return JSON.stringify({ active: true, client_id: 'client' });
  });
  const consul = await startConsul(t, { token: 'token-of-consul' });
  consul.register('web', [instanceOf(await startCheckedBackend(t, 'b'))]);
  const hmac = 'a-secret-of-more-than-thirty-two-bytes';
  const folder = secretsFolder(t, {
    client: JSON.stringify({ id: 'gateway', secret: 'p4ssword' }),
    hmac,
    consul: 'token-of-consul\n',
  });
  const tokens = apiDefinition('tokens', upstream.url, {
    properties: [{ key: 'server', value: introspection.url }],
    plans: [
      { id: 'o', name: 'O', security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } } },
      {
        id: 'j',
        name: 'J',
        security: {
          type: 'JWT',
          configuration: {
            signature: 'HMAC_HS256',
            publicKeyResolver: 'GIVEN_KEY',
            resolverParameter: "{#secrets.get('/file/hmac')}",
          },
        },
      },
    ],
    resources: [
      {
        name: 'server',
        type: 'oauth2',
        configuration: {
          authorizationServerUrl: "{#properties['server']}",
          clientId: "{#secrets.get('/file/client', 'id')}",
          clientSecret: "{#secrets.get('/file/client:secret')}",
        },
      },
    ],
  });
  const found = apiDefinition('found', '', {
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        services: {
          discovery: {
            type: 'consul-service-discovery',
            configuration: { url: consul.url, service: 'web', acl: "{#secrets.get('/file/consul')}" },
          },
        },
      },
    ],
  });
  const gateway = await startLocalGateway(t, {
    apis: { tokens, found },
    subscriptions: ['o', 'j'].map((plan) => ({
      id: plan,
      api: 'tokens',
      plan,
      application: 'app',
      clientId: plan === 'o' ? 'client' : 'signed',
    })),
    config: { secretReferences: { folder } },
  });
  const status = async (token: string): Promise<number> =>
    (await gateway.call('/tokens', bearer(token))).status;
  assert.equal(await status('opaque'), 200);
  assert.deepEqual(shown, [`Basic ${Buffer.from('gateway:p4ssword').toString('base64')}`]);
  assert.equal(await status(secretToken(hmac, { client_id: 'signed' }, { alg: 'HS256' })), 200);
  await eventually(async () => (await gateway.call('/found')).text === 'b');
  const told = await Promise.all(
    ['apis', 'endpoints', 'discovery', 'health'].map(async (path) =>
      (await fetch(`${gateway.nodeApi}/${path}`)).text(),
    ),
  );
  for (const secret of ['p4ssword', hmac, 'token-of-consul'])
    assert.ok(![...gateway.logged, ...told].some((text) => text.includes(secret)), secret);
});

test('an API whose dictionary changes is built again, and no other; one that waits for a dictionary is served when it comes', async (t) => {
  const upstream = await startUpstream(t);
  const shown: (string | undefined)[] = [];
  const introspection = await startSaidServer(t, (_path, { headers }) => {
    shown.push(headers.authorization);
    return JSON.stringify({ active: true, client_id: 'client' });
  });
  const api = apiDefinition('api', upstream.url, {
    plans: [{ id: 'o', name: 'O', security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } } }],
    resources: [
      {
        name: 'server',
        type: 'oauth2',
        configuration: {
          authorizationServerUrl: introspection.url,
          clientId: "{#dictionaries['clients']['api']}",
        },
      },
    ],
  });
  const subscription = { id: 's', api: 'api', plan: 'o', application: 'app', clientId: 'client' };
  const tables = (dictionaries: object): string =>
    JSON.stringify({ subscriptions: [subscription], dictionaries });
  const gateway = await startLocalGateway(t, { apis: { api, 'isthmus.json': tables({}) } });
  assert.match(refusals(gateway, 'api'), /resources\[0\]\.configuration\.clientId cannot be worked out/);
  assert.equal((await gateway.call('/api', bearer('a'))).status, 503);
  const asks = (client: string) =>
    eventually(async () => {
      const { status } = await gateway.call('/api', bearer(`${client}-${shown.length}`));
      const wanted = `Basic ${Buffer.from(`${client}:`).toString('base64')}`;
      return status === 200 && shown.at(-1) === wanted;
    });
  gateway.write('isthmus.json', tables({ other: { a: 'b' } }));
  gateway.write('isthmus.json', tables({ other: { a: 'b' }, clients: { api: 'one' } }));
  await asks('one');
  gateway.write('isthmus.json', tables({ other: { a: 'c' }, clients: { api: 'two' } }));
  await asks('two');
  const before = gateway.logged.length;
  gateway.write('isthmus.json', tables({ other: { a: 'c' } }));
  await eventually(() =>
    gateway.logged.slice(before).some((line) => line.includes('can no longer be built')),
  );
  assert.equal((await gateway.call('/api', bearer('still'))).status, 200, 'what served serves');
});

test('what cannot be worked out is refused by name and place when the API is deployed, and shows no secret', async (t) => {
  const upstream = await startUpstream(t);
  const folder = secretsFolder(t, { odd: 's3cret-{#request.id}', word: 's3cret-of-nobody' });
  const shared = (more: object, target = upstream.url) => ({
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        sharedConfiguration: more,
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target } }],
      },
    ],
  });
  const proxied = (password: string) =>
    shared({ proxy: { enabled: true, host: 'p', port: 1, username: 'u', password } });
  const headers = (value: string) => shared({ headers: [{ name: 'X-A', value }] });
  const guarded = (selectionRule: string) => ({
    plans: [{ id: 'p', name: 'P', security: { type: 'KEY_LESS' }, selectionRule }],
  });
  const step = (value: string, more: object = {}) => ({
    flows: [
      {
        ...flow('/', { request: [['transform-headers', { addHeaders: [{ name: 'X-A', value }] }]] }),
        ...more,
      },
    ],
  });
  const missing = "{#secrets.get('/file/nope')}";
  const rows: readonly (readonly [id: string, changes: object, words: RegExp])[] = [
    ['gone', proxied(missing), /sharedConfiguration\.proxy\.password there is no secret \\"\/file\/nope\\"/],
    ['header', headers(missing), /sharedConfiguration\.headers\[0\]\.value there is no secret/],
    [
      'step',
      step(missing),
      /flows\[0\]\.request\[0\]\.configuration\.addHeaders\[0\]\.value there is no secret/,
    ],
    ['rule', guarded("#secrets.get('/file/nope') == 'a'"), /plans\[0\]\.selectionRule there is no secret/],
    ['key', headers("{#secrets.get('/file/word', 'key')}"), /there is no secret .* with that key/],
    [
      'vault',
      proxied("{#secrets.get('/vault/secret/x:key')}"),
      /proxy\.password .*provider \\"vault\\" are not supported/,
    ],
    ['hc', headers("{#secrets.get('/hc-vault/x')}"), /provider \\"hc-vault\\" are not supported/],
    ['aws', proxied("{#secrets.get('/aws/x')}"), /provider \\"aws\\" are not supported/],
    ['kube', proxied("{#secrets.get('/kubernetes/x')}"), /provider \\"kubernetes\\" are not supported/],
    ['request', proxied('{#request.id}'), /proxy\.password names #request, but is worked out once.*#secrets/],
    ['nothing', proxied("{#api.properties?.['nope']}"), /proxy\.password comes to nothing/],
    [
      'twice',
      proxied("{#secrets.get('/file/odd')}"),
      /proxy\.password comes to a text that holds an expression/,
    ],
    [
      'store',
      shared(
        { ssl: { trustStore: { type: 'PEM', content: "{#secrets.get('/file/word')}" } } },
        'https://a.test',
      ),
      /trustStore cannot be used/,
    ],
    [
      'sum',
      shared({
        proxy: {
          enabled: true,
          host: 'p',
          port: 1,
          username: "{T(Integer).parseInt(#secrets.get('/file/word'))}",
        },
      }),
      /proxy\.username cannot be worked out"/,
    ],
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      ...Object.fromEntries(
        rows.map(([id, changes]) => [id, apiDefinition(id, upstream.url, { ...changes })]),
      ),
      off: apiDefinition('off', upstream.url, { ...step(missing, { enabled: false }) }),
    },
    config: { secretReferences: { folder } },
  });
  for (const [id, , words] of rows) {
    assert.match(refusals(gateway, id), words, id);
    assert.equal((await gateway.call(`/${id}`)).status, 503, id);
  }
  assert.equal((await gateway.call('/off')).status, 200);
  assert.ok(!gateway.logged.join('\n').includes('s3cret'));
});
