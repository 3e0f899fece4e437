import { join } from 'node:path';
import { systemClock, type Clock } from '../../../proto/process/clock.ts';
import { createLifecycle, type Lifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { createOutbound } from '../../../proto/process/outbound/outbound.ts';
import type { EnrolledIdentity } from '../../../proto/trust/identity.ts';
import { ticketFile } from '../../../proto/trust/seat-file.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import type { ConfigChange } from '../../../data-plane/gateway/deploy/change.ts';
import { openStore, type Store } from '../../../data-plane/store/store.ts';
import { startSync, type Sync, type SyncOptions, type SyncTimings } from '../../../data-plane/sync/sync.ts';
import type { MemoryGateway, MemoryRepository } from '../bridge/memory-repository.ts';

/** The gateway's end of synchronisation with a table in place of the pipeline: real store, real client, real checks. */
export interface SyncGateway {
  readonly sync: Sync;
  readonly store: Store;
  /** `<environment>/<kind>/<id>` to the payload as text: what callers would be served. */
  readonly served: ReadonlyMap<string, string>;
  /** Every change that was handed over, in order. */
  readonly changes: readonly ConfigChange[];
  readonly metrics: () => Promise<string>;
  readonly lifecycle: Lifecycle;
  /** Closes as a process does that was asked to. */
  close(): Promise<void>;
}

/** What a test may choose. */
export interface SyncGatewayWish extends Partial<
  Pick<SyncOptions, 'tags' | 'counters' | 'saveRoot' | 'apply' | 'judging'>
> {
  readonly dir: string;
  readonly url: string;
  readonly identity: EnrolledIdentity;
  readonly clock?: Clock;
  /** Takes each line of its log, JSON. */
  readonly log?: (line: string) => void;
  readonly timings?: Partial<SyncTimings>;
}

/** Times that make a test quick. */
const quickTimings: Partial<SyncTimings> = { redialMsFirst: 20, redialMsCap: 100, heartbeatMs: 200 };

/** The identity of a gateway that the repository knows, as if it had enrolled. */
export function identityOf(
  repository: MemoryRepository,
  gateway: MemoryGateway,
  bridge: string,
): EnrolledIdentity {
  const { id, grant } = gateway.identity;
  return {
    gateway: id,
    organization: repository.organization,
    fleet: grant.fleet,
    environments: grant.environments,
    bridge,
    rootKey: repository.root.publicKey,
    signing: gateway.signing,
    sealing: gateway.sealing,
    enrolledAtMs: 0,
  };
}

/** Starts one. A payload that begins with `bad` does not compile: it is refused, and what was there before stays. */
export function startSyncGateway({ dir, url, identity, timings, ...rest }: SyncGatewayWish): SyncGateway {
  const clock = rest.clock ?? systemClock;
  const log = createLog({
    name: 'gateway',
    level: rest.log === undefined && process.env['ISTHMUS_TEST_LOG'] === undefined ? 'silent' : 'debug',
    ...(rest.log !== undefined && { destination: { write: rest.log } }),
  });
  const metrics = createMetrics();
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  const outbound = createOutbound({
    profile: 'private',
    allow: ['127.0.0.1'],
    proxy: undefined,
    noProxy: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    connectMsMax: 2_000,
    responseBytesMax: 64 * 1024 * 1024,
  });
  const store = openStore({ path: join(dir, 'store.sqlite'), log, clock });
  lifecycle.onClose('store', () => store.close());
  lifecycle.onClose('outbound', () => outbound.close());
  const served = new Map<string, string>();
  const changes: ConfigChange[] = [];
  const apply = (change: ConfigChange): readonly Nack[] => {
    changes.push(change);
    return rest.apply?.(change) ?? take(served, change);
  };
  const sync = startSync({
    store,
    outbound,
    bridgeUrl: url,
    identity,
    tickets: ticketFile(join(dir, 'seat.json')),
    catalogue: ['mock'],
    version: '0.0.0-test',
    apply,
    log,
    metrics,
    clock,
    lifecycle,
    timings: { ...quickTimings, ...timings },
    judging: rest.judging,
    ...(rest.tags !== undefined && { tags: rest.tags }),
    ...(rest.saveRoot !== undefined && { saveRoot: rest.saveRoot }),
    ...(rest.counters !== undefined && { counters: rest.counters }),
  });
  return {
    sync,
    store,
    served,
    changes,
    metrics: () => metrics.text(),
    lifecycle,
    close: () => lifecycle.close(),
  };
}

function take(served: Map<string, string>, change: ConfigChange): readonly Nack[] {
  const prefix = `${change.environment}/`;
  if (change.isFull) for (const key of served.keys()) if (key.startsWith(prefix)) served.delete(key);
  for (const { kind, id } of change.removed) served.delete(`${prefix}${kind}/${id}`);
  const nacks: Nack[] = [];
  for (const { kind, id, seq, payload } of change.set) {
    const text = Buffer.from(payload).toString();
    if (text.startsWith('bad')) nacks.push({ kind, id, seq, code: 'definition.invalid', reason: text });
    else served.set(`${prefix}${kind}/${id}`, text);
  }
  return nacks;
}
