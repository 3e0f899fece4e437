import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../test/kit/gateway/gateway.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { startSentinelGroup } from '../test/kit/servers/redis-groups.ts';
import { startRedis, withoutRedis } from '../test/kit/servers/redis.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const cachedApi = (id: string, target: string, configuration: object) =>
  apiDefinition(id, target, {
    resources: [{ name: 'kept', type: 'cache-redis', configuration: { timeout: 5_000, ...configuration } }],
    flows: [flow('/', { request: [['cache', { cacheName: 'kept' }]] })],
  });

async function start(t: TestContext, apis: Readonly<Record<string, object>>, config: object = {}) {
  const backend = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(apis).map(([id, configuration]) => [id, cachedApi(id, backend.url, configuration)]),
    ),
    config: { ...config },
  });
  const isKept = async (id: string): Promise<boolean> =>
    (await gateway.call(`/${id}/a`)).headers['age'] !== undefined;
  return { gateway, isKept };
}

test(
  'a user that may do what a cache needs, and a life that the resource bounds',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    await redis.say('ACL SETUSER caches on >of-caches ~isthmus:* +getrange +set +info +client');
    const at = { host: '127.0.0.1', port: redis.port, useSsl: false };
    const { isKept } = await start(t, {
      named: { ...at, username: 'caches', password: 'of-caches', timeToLiveSeconds: 60 },
    });
    await eventually(() => isKept('named'));
    const [key = ''] = await redis.keys();
    assert.match(await redis.say(`PTTL ${key}`), /:[56]\d{4}\r/);
  },
);

test('behind sentinels, in either spelling', { skip: withoutRedis }, async (t) => {
  const { sentinel } = await startSentinelGroup(t);
  const [host = '', port = ''] = sentinel.split(':');
  const nodes = [{ host, port: Number(port) }];
  const known = { useSsl: false, password: 'of-redis' };
  const { isKept } = await start(t, {
    now: { ...known, sentinel: { enabled: true, masterId: 'mymaster', nodes } },
    before: {
      ...known,
      sentinelMode: true,
      sentinel: { masterId: 'mymaster', nodes, username: '', password: '' },
    },
  });
  await eventually(() => isKept('now'), { timeoutMs: 10_000 });
  await eventually(() => isKept('before'), { timeoutMs: 10_000 });
});

test('useSsl is TLS, verified by outbound.caFile', { skip: withoutRedis }, async (t) => {
  const authority = createAuthority(tempDir(t));
  const pair = authority.issue('localhost');
  const redis = await startRedis(t, 'of-redis', { tls: { ...pair, caFile: authority.caFile } });
  const port = Number(new URL(redis.url).port);
  const api = {
    host: 'localhost',
    port,
    password: 'of-redis',
    ssl: { trustAll: false, hostnameVerifier: true, trustStore: { type: '' }, keyStore: { type: '' } },
  };
  const trusting = await start(t, { shop: api }, { outbound: { caFile: authority.caFile } });
  await eventually(() => trusting.isKept('shop'));
  const others = await start(t, { shop: api });
  assert.equal(await others.isKept('shop'), false);
  assert.equal(await others.isKept('shop'), false);
  assert.match(others.gateway.logged.join(), /does not answer/);
});
