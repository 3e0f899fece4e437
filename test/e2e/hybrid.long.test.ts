import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type Hybrid } from '../kit/processes/hybrid.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import type { CreatedApi } from '../kit/control-plane/management-client.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { isWithin } from '../kit/pace.ts';

const skip = testDatabases.find((database) => database.name === 'postgres')?.skip ?? false;

test(
  'hybrid: create, publish, subscribe, call, revoke and count across a strict border',
  { skip },
  async (t) => {
    const upstream = await startUpstream(t);
    const hybrid = await startHybrid(t, {
      database: 'postgres',
      bucket: 's3',
      isBorderStrict: true,
      gateways: 2,
    });
    const api = await hybrid.client.createApi({ path: '/hybrid', target: upstream.url, security: 'API_KEY' });
    const subscription = await hybrid.client.subscribe(api);
    let asked = 0;
    const ask = async (gateway: string): Promise<number> => {
      asked += 1;
      const answer = await fetch(`${gateway}/hybrid/x`, {
        headers: { 'X-Gravitee-Api-Key': subscription.key },
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    const [first = '', second = ''] = hybrid.gateways;

    await t.test('both gateways answer with the key and count it', async () => {
      for (const gateway of hybrid.gateways) await eventually(async () => (await ask(gateway)) === 200);
      for (let n = 0; n < 20; n += 1) assert.deepEqual([await ask(first), await ask(second)], [200, 200]);
      await eventually(async () => (await requestsCount(hybrid, api)) >= asked, {
        timeoutMs: 30_000,
        everyMs: 200,
      });
      assert.equal(await requestsCount(hybrid, api), asked);
    });

    await t.test('everything crossed the border through the proxy', () => {
      assert.ok(
        (hybrid.proxy?.connections() ?? 0) >= 4,
        `${hybrid.proxy?.connections()} connections through the proxy`,
      );
    });

    await t.test('a revoked key is refused within 1 s on both', async () => {
      await hybrid.client.call(
        'POST',
        `/v2/environments/DEFAULT/apis/${api.id}/subscriptions/${subscription.id}/api-keys/${subscription.keyId}/_revoke`,
      );
      const startedMs = performance.now();
      for (const gateway of hybrid.gateways)
        await eventually(async () => (await ask(gateway)) === 401, { timeoutMs: 3_000, everyMs: 5 });
      const tookMs = performance.now() - startedMs;
      isWithin(tookMs, { msMax: 1_000, what: 'refused' });
    });

    await t.test('publish to answered: p99 <= 250 ms over 200 deploys', async (sub) => {
      const mock = await hybrid.client.createApi({
        path: '/live',
        target: upstream.url,
        security: 'KEY_LESS',
      });
      const times: number[] = [];
      for (let n = 0; n < 200; n += 1)
        times.push(
          await timeDeploy({ hybrid, api: mock, word: `word-${n}`, gateway: n % 2 === 0 ? first : second }),
        );
      times.sort((a, b) => a - b);
      const p99 = times[197] ?? Number.NaN;
      sub.diagnostic(`publish to answered: p50 ${times[100]?.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
      isWithin(p99, { msMax: 250, what: 'p99' });
    });

    await t.test('a bucket that refuses for a while loses nothing and doubles nothing', async () => {
      hybrid.bucket?.setWeather('unavailable');
      for (let n = 0; n < 30; n += 1) await ask(first);
      hybrid.bucket?.setWeather('answerLost');
      for (let n = 0; n < 30; n += 1) await ask(second);
      await eventually(() => (hybrid.bucket?.requests() ?? 0) > 4);
      hybrid.bucket?.setWeather('clear');
      await eventually(async () => (await requestsCount(hybrid, api)) >= asked, {
        timeoutMs: 60_000,
        everyMs: 500,
      });
      assert.equal(await requestsCount(hybrid, api), asked);
    });
  },
);

async function requestsCount(hybrid: Hybrid, api: CreatedApi): Promise<number> {
  const path = `/v2/environments/DEFAULT/apis/${api.id}/analytics/requests-count?from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`;
  return (await hybrid.client.call<{ total: number }>('GET', path)).total;
}

async function timeDeploy(wish: {
  hybrid: Hybrid;
  api: CreatedApi;
  word: string;
  gateway: string;
}): Promise<number> {
  await wish.hybrid.client.answerWith(wish.api.id, wish.word);
  const startedMs = performance.now();
  await wish.hybrid.client.deploy(wish.api.id);
  await eventually(async () => (await (await fetch(`${wish.gateway}/live`)).text()).includes(wish.word), {
    timeoutMs: 10_000,
    everyMs: 2,
  });
  return performance.now() - startedMs;
}
