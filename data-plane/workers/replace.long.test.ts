import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { startLoad } from '../../test/kit/servers/load.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

test('20 rolling replaces under load: no request fails, every answer is counted and has its record', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { a: apiDefinition('a', url) } });
  const urls = [`${gateway.url}/a`, `${gateway.url}/a?bytes=100000`];
  const busy = startLoad({ urls, concurrency: 12 });
  // Clients that rest between requests longer than an answer takes: their connections are idle when a worker goes.
  const resting = startLoad({ urls, concurrency: 12, pauseMs: 70 });
  for (let round = 0; round < 20; round += 1) {
    const seen = [busy.answeredSoFar(), resting.answeredSoFar()] as const;
    await eventually(() => busy.answeredSoFar() > seen[0] + 100 && resting.answeredSoFar() > seen[1] + 24, {
      timeoutMs: 20_000,
    });
    await gateway.replace();
  }
  const results = [await busy.stop(), await resting.stop()];
  for (const { failed, unexpected } of results) assert.deepEqual([failed, unexpected], [[], []]);
  const answered = results.flatMap((result) => [...result.answered.keys()]);
  await eventually(
    async () => (await gateway.metric('isthmus_gateway_requests_total{class="2xx"}')) === answered.length,
  );
  gateway.process.kill('SIGTERM');
  assert.equal(await gateway.process.ended, 0, gateway.process.output());
  const recorded = await gateway.recorded();
  assert.equal(recorded.length, answered.length);
  assert.deepEqual(new Set(recorded), new Set(answered));
});

test('three rolling replaces under load: no request fails, and metrics never fall', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { a: apiDefinition('a', url) } });
  const load = startLoad({ urls: [`${gateway.url}/a`], concurrency: 16 });
  const counted: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const seen = load.answeredSoFar();
    await eventually(() => load.answeredSoFar() > seen + 100);
    if (round === 2) gateway.process.kill('SIGUSR2');
    const before = await gateway.serving();
    if (round < 2) await gateway.replace();
    else
      await eventually(async () => (await gateway.serving()).every((pid) => !before.includes(pid)), {
        timeoutMs: 30_000,
        everyMs: 50,
      });
    counted.push(await gateway.metric('isthmus_gateway_requests_total{class="2xx"}'));
  }
  const { answered, failed, unexpected } = await load.stop();
  assert.deepEqual([failed, unexpected], [[], []]);
  assert.deepEqual(
    counted,
    counted.toSorted((a, b) => a - b),
  );
  await eventually(
    async () => (await gateway.metric('isthmus_gateway_requests_total{class="2xx"}')) === answered.size,
  );
});
