import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import { startRedis, type TestRedis, withoutRedis } from '../../../test/kit/servers/redis.ts';

const resource = (redis: Pick<TestRedis, 'port'>, more: object = {}) => ({
  name: 'kept',
  type: 'cache-redis',
  configuration: {
    host: '127.0.0.1',
    port: redis.port,
    password: 'of-redis',
    useSsl: false,
    timeout: 300,
    ...more,
  },
});
const cachedApi = (target: string, of: object, id = 'shop') =>
  apiDefinition(id, target, {
    resources: [of],
    flows: [flow('/', { request: [['cache', { cacheName: 'kept' }]] })],
  });

/** Two gateways have two ports, and what was asked for is part of a key. */
const atHost = { headers: { host: 'shop.test' } };

async function start(t: TestContext, apis: Record<string, object>, config: object = {}) {
  const gateway = await startLocalGateway(t, { apis, config: { ...config } });
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  };
  return { ...gateway, metric };
}

test('what one gateway has kept another one gives, and no other API', { skip: withoutRedis }, async (t) => {
  const [redis, backend] = [await startRedis(t), await startUpstream(t)];
  const of = resource(redis);
  const apis = { shop: cachedApi(backend.url, of), other: cachedApi(backend.url, of, 'other') };
  const [first, second] = [await start(t, apis), await start(t, apis)];
  const { text } = await first.call('/shop/a?bytes=5000', atHost);
  await eventually(async () => (await redis.keys()).length === 1);
  const again = await second.call('/shop/a?bytes=5000', atHost);
  assert.deepEqual([again.text, typeof again.headers['age']], [text, 'string']);
  assert.equal(backend.requests.length, 1);
  await second.call('/other/a?bytes=5000', atHost);
  assert.equal(backend.requests.length, 2);
  await eventually(async () => (await redis.keys()).length === 2);
  for (const key of await redis.keys()) {
    assert.match(key, /^isthmus:cache:DEFAULT%2FDEFAULT:(?:shop|other):kept::[\w-]{43}$/);
    assert.match(await redis.say(`PTTL ${key}`), /:[56]\d{5}\r/);
  }
  // One connection for both APIs.
  assert.equal((await redis.say('CLIENT LIST')).match(/cmd=(?:getrange|set)/g)?.length, 2);
});

test(
  'without Redis requests go to the backend, one at most waits, it is counted and said once without the password',
  { skip: withoutRedis },
  async (t) => {
    const [redis, backend] = [await startRedis(t), await startUpstream(t)];
    const gateway = await start(t, { shop: cachedApi(backend.url, resource(redis)) });
    const isKept = async () => (await gateway.call('/shop/a')).headers['age'] !== undefined;
    await eventually(isKept);
    redis.pause();
    const startedMs = performance.now();
    for (let asked = 0; asked < 20; asked += 1) assert.equal((await gateway.call('/shop/a')).status, 200);
    isWithin(performance.now() - startedMs, { msMax: 2_000 });
    assert.equal(await gateway.metric('isthmus_gateway_cache_lookups_total{found="unavailable"}'), 20);
    assert.ok(gateway.logged.some((line) => line.includes('CACHE_UNAVAILABLE')));
    redis.resume();
    await eventually(isKept, { timeoutMs: 10_000 });
    await redis.stop();
    for (let asked = 0; asked < 5; asked += 1) assert.equal((await gateway.call('/shop/a')).status, 200);
    await redis.start();
    await eventually(isKept, { timeoutMs: 10_000 });
    const away = gateway.logged.filter((line) => line.includes('a Redis of caches does not answer'));
    assert.equal(away.length, 2);
    assert.doesNotMatch(gateway.logged.join(), /of-redis/);
  },
);

test('a wrong password costs the cache and no request', { skip: withoutRedis }, async (t) => {
  const [redis, backend] = [await startRedis(t), await startUpstream(t)];
  const gateway = await start(t, {
    shop: cachedApi(backend.url, resource(redis, { password: 'wrong-one' })),
  });
  for (let asked = 0; asked < 3; asked += 1) assert.equal((await gateway.call('/shop/a')).status, 200);
  assert.equal(backend.requests.length, 3);
  assert.match(gateway.logged.join(), /does not answer/);
  assert.doesNotMatch(gateway.logged.join(), /wrong-one/);
});

test(
  'whatever somebody else writes under a key is an answer or nothing',
  { skip: withoutRedis },
  async (t) => {
    const [redis, backend] = [await startRedis(t), await startUpstream(t)];
    const gateway = await start(t, { shop: cachedApi(backend.url, resource(redis)) });
    await gateway.call('/shop/a');
    const [key = ''] = await eventually(async () => {
      const keys = await redis.keys();
      return keys.length === 1 && keys;
    });
    const hostile = [
      'text',
      '\\x01\\xff\\xff\\xff\\xff',
      `\\x01\\x00\\x00\\x00\\x02{}`,
      `\\x02${'x'.repeat(100)}`,
    ];
    for (const value of hostile) {
      await redis.say(`SET ${key} "${value}"`);
      const before = backend.requests.length;
      assert.equal((await gateway.call('/shop/a')).status, 200, value);
      assert.equal(backend.requests.length, before + 1, value);
      await eventually(async () => (await gateway.call('/shop/a')).headers['age'] !== undefined);
    }
    await redis.say(`DEL ${key}`);
    await redis.say(`LPUSH ${key} x`);
    assert.equal((await gateway.call('/shop/a')).status, 200);
  },
);

test(
  'with releaseCache a new form of the definition begins with nothing, else it goes on',
  { skip: withoutRedis },
  async (t) => {
    const [redis, backend] = [await startRedis(t), await startUpstream(t)];
    for (const releaseCache of [false, true]) {
      const of = resource(redis, { releaseCache });
      const gateway = await start(t, { shop: cachedApi(backend.url, of) });
      await eventually(async () => (await gateway.call('/shop/a')).headers['age'] !== undefined);
      const before = backend.requests.length;
      gateway.write('shop', { ...cachedApi(backend.url, of), name: 'renamed' });
      await eventually(async () => {
        const text = await (await fetch(`${gateway.nodeApi}/sync`)).text().catch(() => '');
        return (
          text.includes('renamed') ||
          gateway.deployments.state().some(({ apis }) => apis.some(({ name }) => name === 'renamed'))
        );
      });
      await gateway.call('/shop/a');
      assert.equal(backend.requests.length - before, releaseCache ? 1 : 0, String(releaseCache));
      await gateway.close();
    }
  },
);

test(
  'older spellings lead to the same Redis; what no definition may lead to is refused',
  { skip: withoutRedis },
  async (t) => {
    const [redis, backend] = [await startRedis(t), await startUpstream(t)];
    const older = resource(redis, {
      host: 'localhost',
      port: 1,
      standalone: { enabled: true, host: '127.0.0.1', port: redis.port },
      sentinelMode: false,
      maxTotal: 8,
    });
    const gateway = await start(t, { shop: cachedApi(backend.url, older) });
    await eventually(async () => (await gateway.call('/shop/a')).headers['age'] !== undefined);
    const denied = await start(
      t,
      { shop: cachedApi(backend.url, resource(redis)) },
      { upstream: { deny: [`127.0.0.1:${redis.port}`] } },
    );
    assert.equal((await denied.call('/shop/a')).status, 503);
    assert.match(denied.logged.join(), /may not be called/);
  },
);

test('what is deployed no more holds no connection', { skip: withoutRedis }, async (t) => {
  const [redis, backend] = [await startRedis(t), await startUpstream(t)];
  const clients = async () => (await redis.say('CLIENT LIST')).match(/^\$?.*cmd=(?!client)/gm)?.length ?? 0;
  const gateway = await start(t, { shop: cachedApi(backend.url, resource(redis)) });
  await eventually(async () => (await gateway.call('/shop/a')).headers['age'] !== undefined);
  assert.equal(await clients(), 1);
  gateway.write('shop', apiDefinition('shop', backend.url));
  await eventually(async () => (await clients()) === 0);
});
