import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startRedis, withoutRedis } from '../../test/kit/servers/redis.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const limit = 500;
const clients = 64;
const periodMs = 36_000_000;
const tenHours = { limit, periodTime: 600, periodTimeUnit: 'MINUTES' };

const limiters = {
  rate: ['rate-limit', { addHeaders: true, rate: tenHours }],
  quota: ['quota', { quota: { limit, periodTime: 10, periodTimeUnit: 'HOURS' } }],
  months: ['quota', { quota: { limit } }],
  sliding: ['rate-limit', { strategy: 'sliding', rate: tenHours }],
  gcra: ['quota', { strategy: 'gcra', quota: { limit, periodTime: 10, periodTimeUnit: 'HOURS' } }],
  // 100 in slices of 100 ms.
  spike: ['spike-arrest', { addHeaders: true, spike: { limit: 1_000 } }],
} as const;

test(
  'of 64 clients at each of two gateways exactly the limit passes, of each policy; sliding and gcra within their bounds',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { url } = await startUpstream(t);
    const apis = Object.fromEntries(
      Object.entries(limiters).map(([name, [policy, configuration]]) => [
        name,
        apiDefinition(name, url, {
          flows: [
            flow('/', {
              request: [[policy, { errorStrategy: 'BLOCK_ON_INTERNAL_ERROR', ...configuration }]],
            }),
          ],
        }),
      ]),
    );
    const config = { limits: { redis: { url: redis.url, waitMsMax: 60_000 } } };
    const gateways = await Promise.all([
      startLocalGateway(t, { apis, config }),
      startLocalGateway(t, { apis, config }),
    ]);
    const load = async (name: keyof typeof limiters, requests: number) => {
      const passedBy = new Map<string, number>();
      let [passed, refused, left] = [0, 0, requests];
      const startedMs = performance.now();
      await Promise.all(
        gateways.flatMap((gateway) =>
          Array.from({ length: clients }, async () => {
            while (left > 0) {
              left -= 1;
              const { status, headers } = await gateway.call(`/${name}`);
              if (status === 429) refused += 1;
              if (status !== 200) continue;
              passed += 1;
              const slice = String(headers['x-spike-arrest-reset']);
              passedBy.set(slice, (passedBy.get(slice) ?? 0) + 1);
            }
          }),
        ),
      );
      assert.equal(passed + refused, requests);
      t.diagnostic(
        `${name}: ${passed} of ${requests} passed in ${(performance.now() - startedMs).toFixed(0)} ms`,
      );
      return { passed, passedBy, tookMs: performance.now() - startedMs };
    };
    for (const name of ['rate', 'quota', 'months'] as const)
      assert.equal((await load(name, 2 * limit)).passed, limit, name);
    // At most one window ends meanwhile.
    const sliding = await load('sliding', 2 * limit);
    assert.ok(sliding.passed >= limit && sliding.passed <= 2 * limit, `${sliding.passed}`);
    const gcra = await load('gcra', 2 * limit);
    const filled = Math.ceil((gcra.tookMs * limit) / periodMs);
    assert.ok(gcra.passed >= limit && gcra.passed <= limit + filled, `${gcra.passed}`);
    const { passedBy } = await load('spike', 3_000);
    const slices = [...passedBy.values()];
    t.diagnostic(`spike-arrest: ${slices.join(', ')} in its slices`);
    assert.ok(slices.length > 1 && Math.max(...slices) <= 100);
  },
);
