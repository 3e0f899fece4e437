import type { TestContext } from 'node:test';
import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import { startGateway } from '../../../data-plane/start.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { apiKeyHash } from '../../../proto/trust/keys.ts';
import { encodeApi, encodeApiKey, encodeSubscription } from '../../../proto/wire/payloads.ts';
import { startHostileBridge, type HostileBridge } from '../bridge/hostile-bridge.ts';
import type { MemoryChange, MemoryRepository } from '../bridge/memory-repository.ts';
import { tempDir } from '../temp-dir.ts';
import { startTestBridge } from '../bridge/test-bridge.ts';
import { startUpstream } from '../servers/upstream.ts';

const at = { id: 'orders', name: 'orders', revision: '1' };

/** The API /orders with an API-key plan, as it is published. */
export function orders(target: string, revision = '1'): MemoryChange {
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

/** The subscription of that plan, as it is published. */
export const subscription: MemoryChange = {
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
/** The key `secret` of that subscription, as it is published. */
export const apiKey = (isRevoked = false): MemoryChange => ({
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

/** A whole gateway as its callers and its operator see it. */
export interface TrafficGateway {
  /** Status of GET /orders/1 with the key. */
  call(): Promise<number>;
  node(path: string): Promise<{ readonly status: number; readonly body: string }>;
  close(): Promise<void>;
}

/** A bridge that may turn hostile, a backend, and a gateway that can be started again over the same folder. */
export interface TrafficScene {
  readonly repository: MemoryRepository;
  readonly border: HostileBridge;
  readonly dataDir: string;
  /** Origin of the backend. */
  readonly target: string;
  start(): Promise<TrafficGateway>;
}

/** Sets the scene: /orders is published with one subscribed key; the gateway enrols by token at its first start. */
export async function trafficScene(t: TestContext): Promise<TrafficScene> {
  const real = await startTestBridge(t, { limits: { pollEveryMs: 50, pingEveryMs: 1_000 } });
  const border = await startHostileBridge(real.url);
  real.alsoAt(border.url);
  t.after(() => border.close());
  const upstream = await startUpstream(t);
  real.repository.publish('dev', [orders(upstream.url), subscription, apiKey()]);
  const dataDir = tempDir(t, 'gateway');
  const config = gatewayConfigSchema.parse({
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    bridge: { url: border.url, token: real.repository.createToken() },
    report: { enabled: false },
  });
  const start = async (): Promise<TrafficGateway> => {
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
  return { repository: real.repository, border, dataDir, target: upstream.url, start };
}
