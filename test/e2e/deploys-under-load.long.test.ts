import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startLoad } from '../kit/servers/load.ts';
import { startPlatform } from '../kit/processes/up.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

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
