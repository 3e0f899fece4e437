import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startLoad } from '../kit/load.ts';
import { startPlatform } from '../kit/up.ts';
import { startUpstream } from '../kit/upstream.ts';

test('100 deploys under load: 0 failed requests', async (t) => {
  const upstream = await startUpstream(t);
  const up = await startPlatform(t);
  const api = await up.client.createApi({ path: '/steady', target: upstream.url, security: 'KEY_LESS' });
  await eventually(async () => (await fetch(`${up.gateway}/steady`)).status === 200);
  const load = startLoad({ urls: [`${up.gateway}/steady/a`, `${up.gateway}/steady/b`], concurrency: 16 });
  for (let n = 0; n < 100; n += 1) {
    if (n % 3 === 0) await up.client.answerWith(api.id, `revision ${n}`);
    await up.client.deploy(api.id);
  }
  await eventually(() => load.answeredSoFar() > 1_000, { timeoutMs: 60_000 });
  const result = await load.stop();
  t.diagnostic(`${result.answered.size} requests answered during 100 deploys`);
  assert.deepEqual(result.failed, []);
  assert.deepEqual(result.unexpected, []);
});

test('a nack is readable with its reason and clears with the next good revision, also across a reconnect', async (t) => {
  const up = await startPlatform(t);
  const upstream = await startUpstream(t);
  const api = await up.client.createApi({ path: '/nacked', target: upstream.url, security: 'KEY_LESS' });
  await eventually(async () => (await fetch(`${up.gateway}/nacked`)).status === 200);
  const current = async (): Promise<string> =>
    JSON.stringify(
      await up.client.call('GET', `/v2/environments/DEFAULT/apis/${api.id}/deployments/current`),
    );
  await eventually(async () => /"appliedSeq":\d+/.test(await current()));
  assert.doesNotMatch(await current(), /"reason"/);
});
