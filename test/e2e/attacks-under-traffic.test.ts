import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { startGateway } from '../../data-plane/start.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { encodeApi, encodeApiKey, encodeSubscription } from '../../proto/wire/payloads.ts';
import { eventually } from '../kit/eventually.ts';
import { startHostileBridge } from '../kit/hostile-bridge.ts';
import type { MemoryChange } from '../kit/memory-repository.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { startTestBridge } from '../kit/test-bridge.ts';
import { startUpstream } from '../kit/upstream.ts';

/* The attack table once more, seen by callers of a whole gateway: enrolled by token, real engine, real backend. */

const at = { id: 'orders', name: 'orders', revision: '1' };

function orders(target: string, revision = '1'): MemoryChange {
  const definition = JSON.stringify({
    id: 'orders',
    name: 'orders',
    definitionVersion: 'V4',
    type: 'proxy',
    apiVersion: '1',
    listeners: [{ type: 'http', paths: [{ path: '/orders/' }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'g',
        type: 'http-proxy',
        endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target } }],
      },
    ],
    plans: [
      { id: 'gold', name: 'gold', security: { type: 'api-key' }, mode: 'standard', status: 'published' },
    ],
    flows: [],
  });
  return { kind: 'api', id: 'orders', revision, payload: encodeApi({ ...at, revision, definition }) };
}

const subscription: MemoryChange = {
  kind: 'subscription',
  id: 's1',
  payload: encodeSubscription({
    id: 's1',
    api: 'orders',
    plan: 'gold',
    application: 'app',
    status: 'ACCEPTED',
  }),
};
const apiKey = (isRevoked = false): MemoryChange => ({
  kind: 'api-key',
  id: 'k1',
  payload: encodeApiKey({
    id: 'k1',
    hash: apiKeyHash('dev', 'secret'),
    api: 'orders',
    subscriptions: ['s1'],
    isRevoked,
  }),
});

async function world(t: TestContext) {
  const real = await startTestBridge(t, { limits: { pollMs: 50, pingMs: 1_000 } });
  const border = await startHostileBridge(real.url);
  t.after(() => border.close());
  const upstream = await startUpstream(t);
  real.repository.publish('dev', [orders(upstream.url), subscription, apiKey()]);
  const config = gatewayConfigSchema.parse({
    dataDir: tempDir(t, 'gateway'),
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    bridge: { url: border.url, token: real.repository.createToken() },
    report: { enabled: false },
  });
  const start = async () => {
    const log = createLog({
      name: 'gateway',
      level: process.env['ISTHMUS_TEST_LOG'] === undefined ? 'silent' : 'debug',
    });
    const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
    t.after(() => lifecycle.close());
    const metrics = createMetrics();
    const { port, adminPort } = await startGateway({
      config,
      log,
      clock: systemClock,
      lifecycle,
      metrics,
      version: '0.0.0-test',
    });
    const call = async (): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/orders/1`, {
        headers: { 'x-gravitee-api-key': 'secret' },
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    const node = async (path: string): Promise<{ readonly status: number; readonly body: string }> => {
      const answer = await fetch(`http://127.0.0.1:${adminPort}${path}`);
      return { status: answer.status, body: await answer.text() };
    };
    return { call, node, close: () => lifecycle.close() };
  };
  return { repository: real.repository, border, start };
}

test('a revocation withheld under a fresh head is noticed, callers are served as before, and it lands when the bridge is honest', async (t) => {
  const { repository, border, start } = await world(t);
  const gateway = await start();
  await eventually(async () => (await gateway.call()) === 200);
  border.tamper((frame) => [
    frame.kind === 'headers' || frame.kind === 'bucketHeaders'
      ? { ...frame, headers: frame.headers.filter(({ id }) => id !== 'k1') }
      : frame,
  ]);
  repository.publish('dev', [apiKey(true)]);
  await eventually(async () =>
    /refused_total\{reason="digest_mismatch"\} [1-9]/.test((await gateway.node('/metrics')).body),
  );
  for (let n = 0; n < 20; n += 1) assert.equal(await gateway.call(), 200);
  assert.equal((await gateway.node('/health/ready')).status, 200);
  border.tamper(undefined);
  await eventually(async () => (await gateway.call()) === 401);
});

test('a revoked key is refused within 1 s', async (t) => {
  const { repository, start } = await world(t);
  const gateway = await start();
  await eventually(async () => (await gateway.call()) === 200);
  repository.publish('dev', [apiKey(true)]);
  await eventually(async () => (await gateway.call()) === 401, { timeoutMs: 1_000 });
});

test('started cold with no bridge it answers with key and plan, says seq and age, and follows when the bridge is back', async (t) => {
  const { repository, border, start } = await world(t);
  const before = await start();
  await eventually(async () => (await before.call()) === 200);
  await before.close();
  border.setDown(true);
  repository.publish('dev', [apiKey(true)]);
  const gateway = await start();
  assert.equal(await gateway.call(), 200);
  const ready = await gateway.node('/health/ready');
  assert.equal(ready.status, 200);
  assert.match(ready.body, /"seq":3,"ageMs":\d/);
  border.setDown(false);
  await eventually(async () => (await gateway.call()) === 401);
});

test('a gateway that has nothing yet is not ready, and becomes ready with keys and subscriptions, not before', async (t) => {
  const { border, start } = await world(t);
  // The token is used through an honest bridge; what follows is withheld.
  border.tamper((frame) => (frame.kind === 'payloads' ? [] : [frame]));
  const gateway = await start();
  await eventually(async () => /reason="withheld"/.test((await gateway.node('/metrics')).body));
  assert.equal((await gateway.node('/health/ready')).status, 503);
  assert.notEqual(await gateway.call(), 401, 'unknown is not no');
  border.tamper(undefined);
  await eventually(async () => (await gateway.node('/health/ready')).status === 200);
  assert.equal(await gateway.call(), 200);
});
