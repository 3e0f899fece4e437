import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { startHostileBridge, type HostileBridge } from './hostile-bridge.ts';
import type { MemoryRepository } from './memory-repository.ts';
import { startIsthmus, type HouseProcess } from '../processes/processes.ts';
import { tempDir } from '../temp-dir.ts';
import { startTestBridge } from './test-bridge.ts';
import { apiKey, orders, subscription } from '../processes/traffic-scene.ts';
import { startUpstream } from '../servers/upstream.ts';

/** A gateway in a process of its own that follows a bridge which may turn hostile, and serves /orders to callers. */
export interface LiedToGateway {
  readonly repository: MemoryRepository;
  readonly border: HostileBridge;
  readonly process: HouseProcess;
  /** GET /orders/1 with the key: its status and how long it took. */
  call(): Promise<{ readonly status: number; readonly ms: number }>;
  node(path: string): Promise<string>;
}

/** Records of a MiB that a gateway takes in before anything is measured, twice: what it needs for an honest bridge it has by then. */
const warmingRecords = 24;
/** As long it has had callers: the young generation of its heap has the size that it has at work. */
const trafficMs = 3_000;

/** Starts one, serving and warm. */
export async function startLiedToGateway(t: TestContext): Promise<LiedToGateway> {
  const real = await startTestBridge(t, { limits: { pollEveryMs: 50, pingEveryMs: 1_000 } });
  const { repository } = real;
  const border = await startHostileBridge(real.url);
  real.alsoAt(border.url);
  t.after(() => border.close());
  const upstream = await startUpstream(t);
  repository.publish('dev', [orders(upstream.url), subscription, apiKey()]);
  const dir = tempDir(t, 'lied-to');
  const file = join(dir, 'gateway.yaml');
  const listen = { host: '127.0.0.1', port: 0 };
  const bridge = { url: border.url, token: repository.createToken() };
  const config = { dataDir: dir, listen, admin: { port: 0 }, bridge, report: { enabled: false } };
  writeFileSync(file, JSON.stringify(config));
  const child = startIsthmus(t, ['gateway', '--config', file]);
  const said = (): readonly number[] | undefined =>
    /gateway listening on port (\d+), node API on port (\d+)/.exec(child.output())?.map(Number);
  const [, port = 0, adminPort = 0] = await eventually(
    () => {
      if (!child.isRunning()) throw new Error(child.output());
      return said();
    },
    { timeoutMs: 30_000 },
  );
  const gateway: LiedToGateway = {
    repository,
    border,
    process: child,
    async call() {
      const startedMs = performance.now();
      const headers = { 'x-gravitee-api-key': 'secret' };
      const answer = await fetch(`http://127.0.0.1:${port}/orders/1`, { headers });
      await answer.arrayBuffer();
      return { status: answer.status, ms: performance.now() - startedMs };
    },
    node: async (path) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text(),
  };
  await eventually(async () => (await gateway.call()).status === 200, { timeoutMs: 20_000 });
  for (let round = 0; round < 2; round += 1) {
    const seq = repository.publish(
      'dev',
      Array.from({ length: warmingRecords }, (_, n) => ({
        kind: 'dictionary' as const,
        id: `warming-${n}`,
        // One of them as large as a record may be, about.
        payload: randomBytes((n === 0 ? 7 : 1) * 1024 * 1024),
      })),
    );
    await eventually(async () => (await gateway.node('/health/ready')).includes(`"seq":${seq}`), {
      timeoutMs: 30_000,
      everyMs: 50,
    });
  }
  const untilMs = performance.now() + trafficMs;
  const work = async (): Promise<void> => {
    while (performance.now() < untilMs) await gateway.call();
  };
  await Promise.all(Array.from({ length: 32 }, work));
  return gateway;
}
