import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../../proto/process/clock.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Outbound } from '../../proto/process/outbound/outbound.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import type { TicketStore } from '../../proto/trust/seat-file.ts';
import type { GatewayReport } from '../../proto/wire/published.ts';
import type {
  ApplyChange,
  ConfirmChange,
  HearRefusedLate,
  HearTakenLate,
  ReadAhead,
} from '../gateway/deploy/change.ts';
import type { Store } from '../store/store.ts';
import { createTroubleKeeper } from '../../proto/trust/border.ts';
import { createBridgeClient } from './bridge-client.ts';
import { createConnection, followBridge, type Connection } from './connection.ts';
import { openEnvironments, type Environments } from './environments.ts';
import { Judgements, type JudgementsOptions } from './judgements.ts';
import { createSyncMetrics } from './sync-metrics.ts';
import type { RefusalReason, SyncState } from './state.ts';

export type { RefusalReason, SyncState } from './state.ts';

/** Timings of the connection; the defaults are for production, tests shorten them. */
export interface SyncTimings {
  /** First bound of the random wait before dialling again, and the bound it grows to. */
  readonly redialMsFirst: number;
  readonly redialMsCap: number;
  /** The bound while nobody is there to refuse us. */
  readonly redialAwayMsCap: number;
  readonly heartbeatMs: number;
  /** Streams that fail in a row before the long poll is used. */
  readonly streamFailuresMax: number;
  /** How long the long poll is used before a stream is tried again. */
  readonly pollEveryMs: number;
  /** How long one poll waits at the bridge for a change. */
  readonly pollWaitSeconds: number;
  /** From when everything is stored under a new root until the identity has it. */
  readonly rootSavedAfterMs: number;
}

/** The timings of production. */
export const defaultTimings: SyncTimings = {
  redialMsFirst: 500,
  redialMsCap: 30_000,
  redialAwayMsCap: 5_000,
  heartbeatMs: 30_000,
  streamFailuresMax: 3,
  pollEveryMs: 60_000,
  pollWaitSeconds: 20,
  rootSavedAfterMs: 60_000,
};

/** How often the gauges are set. */
const metricsMs = 5_000;

/** What synchronisation needs. */
export interface SyncOptions {
  readonly store: Store;
  readonly outbound: Outbound;
  /** Default: the bridge that the identity was enrolled at. */
  readonly bridgeUrl?: string;
  readonly identity: EnrolledIdentity;
  /** Keeps another root key than the identity's: everything that is stored verifies under it now. */
  readonly saveRoot?: ((rootKey: Uint8Array) => void) | undefined;
  /** Keeps this gateway's seat across restarts. */
  readonly tickets: TicketStore;
  /** Ids of the policies that this gateway can run. */
  readonly catalogue: readonly string[];
  /** This program's version. */
  readonly version: string;
  /** Takes a proven change into service, whole; returns what it refuses. */
  readonly apply: ApplyChange;
  readonly readAhead?: ReadAhead | undefined;
  /** See {@link ConfirmChange}; without it what `apply` took is in service. */
  readonly confirm?: ConfirmChange | undefined;
  /** What is kept of APIs that compiled, and who says that one of them does not; undefined compiles all at every start. */
  readonly judging?: Judging | undefined;
  /** Sharding tags that this gateway wishes for; what it gets comes from its fleet. */
  readonly tags?: readonly string[];
  /** Tells of what is in service although it was refused; see {@link HearTakenLate}. */
  readonly onTakenLate?: ((hear: HearTakenLate) => void) | undefined;
  /** Figures of the last minute for the heartbeat: requests, spool bytes, dropped records ... */
  readonly counters?: () => Readonly<Record<string, number>>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly timings?: Partial<SyncTimings>;
}

/** See {@link Judgements}. */
export interface Judging extends Pick<JudgementsOptions, 'ground' | 'judged'> {
  readonly onRefusedLate: (hear: HearRefusedLate) => void;
}

/** Synchronisation at work. */
export interface Sync {
  state(): SyncState;
  /** Random for this start of the process; assertions and reports carry it. */
  readonly instance: string;
}

/**
 * Serves what the store holds at once, then follows the bridge until the life-cycle closes.
 *
 * When it returns, the last good configuration is in service, proven anew, whether or not there is a bridge. After that
 * nothing that a bridge sends or fails to send takes a served API away, but a signed head that says so.
 */
export function startSync(options: SyncOptions): Sync {
  const { identity, store, clock, lifecycle, log } = options;
  const bridgeUrl = options.bridgeUrl ?? identity.bridge;
  const instance = randomUUID();
  const startedAtMs = clock.now();
  const refused: Partial<Record<RefusalReason, number>> = {};
  const metrics = createSyncMetrics(options.metrics);
  const connection = createConnection(createTroubleKeeper(() => clock.now(), metrics.trouble));
  const client = createBridgeClient({ ...options, bridgeUrl, instance, signal: lifecycle.signal });
  const root = { kept: identity.rootKey };
  const { judging } = options;
  const judgements = judging && new Judgements({ ...judging, store, secret: identity.signing.privateKey });
  const environments = openEnvironments({
    ...options,
    judgements,
    root,
    onRefused: (_environment, reason) => metrics.refused.inc({ reason }),
    onSaved: () => keepRoot(),
  });
  judging?.onRefusedLate((environment, nack) => environments.byName.get(environment)?.refuseLate(nack));
  options.onTakenLate?.((environment, record) => environments.byName.get(environment)?.takenLate(record));
  const keepRoot = keeperOfRoot(root, environments, options);
  keepRoot();

  const state = (): SyncState =>
    stateOf({ identity, instance, bridgeUrl, connection, refused, environments });
  const report = (): GatewayReport => ({
    instance,
    version: options.version,
    hostname: hostname().slice(0, 256),
    startedAtMs,
    policies: options.catalogue,
    environments: state().environments.map(({ environment, epoch, seq, nacks }) => ({
      environment,
      epoch,
      seq,
      nacks,
    })),
    counters: { ...refusalCounters(state()), ...options.counters?.() },
  });

  lifecycle.task(
    'sync metrics',
    keepMetrics(() => metrics.update(state()), options),
  );
  const following = followBridge({
    client,
    connection,
    timings: { ...defaultTimings, ...options.timings },
    clock,
    log,
    signal: lifecycle.signal,
    environments: environments.byName,
    enrolled: identity.environments ?? [],
    report,
    wishedTags: options.tags ?? [],
    retryStore: () => store.retry(),
    welcomed: (welcome) => environments.granted(welcome.environments, welcome.tags),
    refused(reason, detail) {
      refused[reason] = (refused[reason] ?? 0) + 1;
      metrics.refused.inc({ reason });
      log.warn({ reason, detail }, 'refused what the bridge sent');
    },
  });
  lifecycle.task('sync', following);
  // Whoever opened the store closes it after this, so nothing is written to a closed file.
  lifecycle.onClose('sync', () => following.catch(() => undefined));
  return { state, instance };
}

function stateOf({
  identity,
  instance,
  bridgeUrl,
  connection,
  refused,
  environments,
}: {
  readonly identity: EnrolledIdentity;
  readonly instance: string;
  readonly bridgeUrl: string;
  readonly connection: Connection;
  readonly refused: SyncState['refused'];
  readonly environments: Environments;
}): SyncState {
  const states = Array.from(environments.byName.values(), (each) => each.state());
  const trouble = connection.trouble.present();
  return {
    gateway: identity.gateway,
    instance,
    organization: identity.organization,
    bridge: bridgeUrl,
    mode: connection.mode,
    isConnected: connection.isConnected,
    lastError: connection.lastError,
    trouble,
    hasIdentityConflict: trouble?.code === 'bridge.identity_in_use',
    refused: { ...refused },
    isComplete: states.length > 0 && states.every(({ isComplete }) => isComplete),
    environments: states,
  };
}

/**
 * Hands over the root that everything stored verifies under, once it is another than the identity's: from then on a bridge that
 * withholds how it came about leads nobody back. Later than the store, which a power cut may take back by a moment: an identity that is
 * ahead of it would prove nothing of what is here.
 */
function keeperOfRoot(
  root: { kept: Uint8Array },
  { settledRoot }: Environments,
  { saveRoot, clock, lifecycle, log, timings }: SyncOptions,
): () => void {
  let cancel: (() => void) | undefined;
  const newRoot = (): Uint8Array | undefined => {
    const settled = settledRoot();
    return settled === undefined || Buffer.compare(settled, root.kept) === 0 ? undefined : settled;
  };
  const keep = (): void => {
    cancel = undefined;
    const next = newRoot();
    if (next === undefined) return;
    try {
      saveRoot?.(next);
      root.kept = next;
    } catch (error) {
      log.error(
        { err: error },
        "the organization's new root could not be written; it is followed anew at the next start",
      );
    }
  };
  lifecycle.onClose('root of the organization', () => cancel?.());
  return () => {
    if (saveRoot === undefined || cancel !== undefined || newRoot() === undefined) return;
    cancel = clock.after(timings?.rootSavedAfterMs ?? defaultTimings.rootSavedAfterMs, keep);
  };
}

async function keepMetrics(update: () => void, { clock, lifecycle }: SyncOptions): Promise<void> {
  while (!lifecycle.signal.aborted) {
    update();
    await clock.delay(metricsMs, lifecycle.signal);
  }
}

/** E.g. { sync_refused_rollback: 2 }: for the operator, who may trust the bridge too much. */
function refusalCounters({ refused, environments }: SyncState): Readonly<Record<string, number>> {
  const counters = new Map<string, number>();
  for (const each of [refused, ...environments.map((environment) => environment.refused)]) {
    for (const [reason, count] of Object.entries(each)) {
      const name = `sync_refused_${reason}`;
      counters.set(name, (counters.get(name) ?? 0) + count);
    }
  }
  return Object.fromEntries(counters);
}
