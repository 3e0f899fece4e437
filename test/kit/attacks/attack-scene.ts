import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { startHostileBridge, type HostileBridge } from '../bridge/hostile-bridge.ts';
import type { MemoryChange, MemoryGateway, MemoryRepository } from '../bridge/memory-repository.ts';
import {
  identityOf,
  startSyncGateway,
  type SyncGateway,
  type SyncGatewayWish,
} from '../gateway/sync-gateway.ts';
import { tempDir } from '../temp-dir.ts';
import { startTestBridge } from '../bridge/test-bridge.ts';

/** Publishes an API whose payload is a text. */
export const api = (id: string, text: string, tags: readonly string[] = []): MemoryChange => ({
  kind: 'api',
  id,
  payload: Buffer.from(text),
  tags,
});
/** Publishes an API key whose payload is a text. */
export const key = (id: string, text: string): MemoryChange => ({
  kind: 'api-key',
  id,
  payload: Buffer.from(text),
});

/** A gateway that serves `a1` and `alive` of environment dev through a bridge that may turn hostile. */
export interface Scene {
  readonly repository: MemoryRepository;
  readonly bridge: HostileBridge;
  readonly gateway: SyncGateway;
  readonly id: string;
  readonly enrolled: MemoryGateway;
  readonly dir: string;
  /** Of the real bridge. */
  readonly url: string;
  /** Starts the gateway again, over the same folder unless told otherwise. */
  readonly start: (extra?: Partial<SyncGatewayWish>) => SyncGateway;
}

/** Sets the scene; the fleet has the tags given. */
export async function attackScene(t: TestContext, tags: readonly string[] = []): Promise<Scene> {
  const real = await startTestBridge(
    t,
    { limits: { pollEveryMs: 50, pingEveryMs: 1_000, aliveMsMax: 500 } },
    ['dev', 'prod'],
  );
  const bridge = await startHostileBridge(real.url);
  real.alsoAt(bridge.url);
  t.after(() => bridge.close());
  const { repository } = real;
  const enrolled = repository.addGateway({ environments: ['dev'], tags });
  repository.publish('dev', [api('a', 'a1', ['lan']), key('k', 'alive')]);
  repository.publish('prod', [api('p', 'p1'), api('p2', 'p2'), api('p3', 'p3')]);
  const dir = tempDir(t, 'attacks');
  const start = (extra: Partial<SyncGatewayWish> = {}): SyncGateway => {
    const identity = identityOf(repository, enrolled, bridge.url);
    const gateway = startSyncGateway({ dir, url: bridge.url, identity, ...extra });
    t.after(() => gateway.close());
    return gateway;
  };
  const gateway = start();
  await eventually(() => gateway.sync.state().environments[0]?.seq === 2 && gateway.sync.state().isConnected);
  return { repository, bridge, gateway, id: enrolled.identity.id, enrolled, dir, url: real.url, start };
}
