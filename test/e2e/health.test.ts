import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPlatform } from '../kit/processes/up.ts';

test('every process shows health, readiness and metrics in one shape, and refuses the rest alike, on every port that is no traffic', async (t) => {
  const up = await startPlatform(t);
  const nodes = { ...up.nodes, gateway: up.nodeApi };
  assert.deepEqual(Object.keys(nodes).toSorted(), ['bridge', 'control-plane', 'gateway', 'shipper']);
  const strangers = { bridge: up.bridge, 'control-plane': up.management };
  const missing: unknown[] = [];
  for (const [doors, audience] of [
    [nodes, 'operators'],
    [strangers, 'strangers'],
  ] as const)
    for (const [process, url] of Object.entries(doors)) {
      const ask = async (path: string) => {
        const answer = await fetch(`${url}${path}`);
        return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
      };
      const { status, body } = await ask('/health');
      const { version, ...rest } = body;
      assert.deepEqual([status, rest['process'], rest['status'], rest['degraded']], [200, process, 'UP', []]);
      assert.equal(typeof version, audience === 'operators' ? 'string' : 'undefined', url);
      assert.deepEqual(await ask('/health/live'), { status: 200, body: { status: 'UP' } });
      const ready = await ask('/health/ready');
      assert.deepEqual([ready.status, ready.body['ready']], [200, true]);
      const { open, ...parts } = ready.body['parts'] as Record<string, string>;
      assert.deepEqual(new Set([open, ...Object.values(parts)]), new Set(['UP']), process);
      if (audience === 'strangers') {
        assert.deepEqual(Object.keys(rest), ['process', 'status', 'degraded'], url);
        assert.deepEqual(Object.keys(ready.body), ['ready', 'parts'], url);
      }
      missing.push(await ask('/nothing'));
    }
  const nothing = {
    httpStatus: 404,
    message: 'There is nothing here.',
    technicalCode: 'request.not_found',
    parameters: {},
    details: [],
  };
  assert.deepEqual(
    missing,
    Array.from({ length: 6 }, () => ({ status: 404, body: nothing })),
  );
  for (const url of Object.values(nodes)) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^isthmus_build_info\{process="(up|gateway)",version="[^"]+",node="[^"]+"\} 1$/m);
    assert.match(metrics, /^process_cpu_seconds_total /m);
  }
  for (const url of [up.gateway, up.management, up.bridge])
    assert.notEqual((await fetch(`${url}/metrics`)).status, 200, 'no metrics on a port that others reach');
});
