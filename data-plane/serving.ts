import { foldersOf } from '../proto/process/data-folder.ts';
import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import { createRedactor } from '../proto/model/redaction.ts';
import type { SecretReferences } from '../proto/expression/scope.ts';
import type { AddressProfile } from '../proto/process/outbound/guard.ts';
import type { OwnDoors } from '../proto/process/outbound/own-doors.ts';
import type { Log } from '../proto/process/log.ts';
import { policyPartsOf } from './policy-ground.ts';
import { createPeers } from '../proto/process/peers.ts';
import { nameOfProgram } from './program.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { createCaches } from './caches.ts';
import { createCallouts } from './callouts.ts';
import { createDirectories } from './directories.ts';
import { secretParametersOf, type GatewayConfig } from './config.ts';
import { guardOf } from './endpoints/guard.ts';
import {
  type DescribedEndpoints,
  outlierHostOf,
  type WatchedEndpoints,
  watchEndpoints,
} from './endpoint-checks.ts';
import { systemProxyVariables } from './endpoints/system-proxy.ts';
import { createUpstreams } from './endpoints/upstreams.ts';
import type { RecordTarget } from './gateway/call/records.ts';
import type { Ways } from './gateway/call/ways.ts';
import { createDeployments, type Deployments } from './gateway/deploy/deployments.ts';
import { Durations } from './gateway/deploy/durations.ts';
import type { ExpressionHost } from './gateway/compile/surroundings.ts';
import { Backends, type BackendTeller } from './gateway/errors/backends.ts';
import { createThrownTeller } from './gateway/errors/thrown.ts';
import { createWarningTeller } from './gateway/errors/warned.ts';
import type { Engine } from './http/exchange.ts';
import { createEngine } from './http/engine.ts';
import type { CounterStore } from './limits/limiter.ts';
import { openCounters } from './limits/open.ts';
import { type Reporter, startReporter } from './report/reporter.ts';
import { Sandbox } from './script/sandbox.ts';
import type { Scripts } from './script/script.ts';
import { PresentedCertificates } from './security/presented-certificate.ts';
import type { GatewaySecurity } from './security/security.ts';
import { type ListenAt, listen, type RunningServers } from './servers/listen.ts';
import { certificateHeadersOf, serversOf } from './servers/settings.ts';
import { createSecretReferences } from './secret-references.ts';
import { GatewayKeys } from './security/tokens/gateway-keys.ts';
import { KeySets } from './security/tokens/key-sets.ts';
import { TokenMemory } from './security/tokens/seen-tokens.ts';
import { CircuitBoard } from './gateway/steps/circuits.ts';
import { createTraffic, type OpenConnections, type Traffic } from './traffic.ts';
import { growWithLoad } from './young-generation.ts';

/** The settings that serving reads; a worker is sent these and no more. */
export type ServingConfig = Pick<
  GatewayConfig,
  | 'dataDir'
  | 'listen'
  | 'servers'
  | 'request'
  | 'upstream'
  | 'healthCheck'
  | 'discovery'
  | 'outbound'
  | 'apiKey'
  | 'jwt'
  | 'secretReferences'
  | 'limits'
  | 'cache'
  | 'policy'
  | 'metrics'
  | 'report'
  | 'closeMsMax'
>;

/** What serving needs of its process. */
export interface ServingOptions {
  readonly config: ServingConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Where no definition may lead. */
  readonly doors: OwnDoors;
  /** Id of this gateway, on every access record. */
  readonly gateway: string;
  /** This program's version. */
  readonly version: string;
  /** What names in `Via` are made from; the same in all workers. Default: an own one. */
  readonly hopSecret?: string | undefined;
  /** Default: the engine of this version. */
  readonly engine?: Engine | undefined;
  /** Counters that somebody else keeps. Default: own ones, in memory. */
  readonly counters?: CounterStore | undefined;
  /** Endpoints that somebody else checks and finds. Default: this process does. */
  readonly endpoints?: Pick<WatchedEndpoints, 'health' | 'discovery'> | undefined;
  /** Default: what a gateway has. */
  readonly instead?: WatchedParts | undefined;
}

/** What a process has in place of a gateway's own parts that serves somebody who looks on. */
export interface WatchedParts {
  /** Where definitions may lead, beside `upstream.allow`. */
  readonly profile: AddressProfile;
  readonly ways: Ways;
  /** Hears what is recorded. */
  readonly records: RecordTarget;
  readonly secrets: SecretReferences;
}

/** Everything that requests pass through in one process: the whole gateway's, or one of several workers'. */
export interface Serving {
  readonly engine: Engine;
  readonly deployments: Deployments;
  readonly traffic: Traffic;
  /** Undefined when no access records are written. */
  readonly reporter: Reporter | undefined;
  /** Of rate limits. */
  readonly counters: CounterStore;
  /** Endpoints that this process checks and finds, for the node API. */
  describeEndpoints(): DescribedEndpoints;
  /** Carries plain counts over into the metrics, for somebody who reads them. */
  publish(open: OpenConnections): void;
  /**
   * Begins to take requests, on each server. Errors: process.port_taken; config.invalid when the TLS texts of a server do not fit
   * together.
   */
  listen(at: ListenAt): Promise<RunningServers>;
}

/** The engine of this version, chosen here and nowhere else. */
export { createEngine };

/** Opens spool and pools and an empty set of deployments; closes them with the life-cycle, the listener first. */
export async function openServing(options: ServingOptions): Promise<Serving> {
  const { config, log, clock, lifecycle, metrics } = options;
  const traffic = createTraffic(metrics, { isLabelled: config.servers.length > 0 });
  const tellThrown = createThrownTeller({ log, clock, count: traffic.onThrown });
  const tellWarning = createWarningTeller({ log, clock, metrics, apisMax: config.metrics.plansMax });
  const backends = backendsOf(options);
  const engine = options.engine ?? createEngine(tellThrown);
  const reporter = config.report.enabled ? await openReporter(options) : undefined;
  const { instead } = options;
  const guard = guardOf(config, options.doors, instead?.profile);
  const upstreams = createUpstreams(engine, config, guard);
  lifecycle.onClose('upstreams', () => upstreams.close(config.closeMsMax));
  const counters = options.counters ?? (await openCounters(options));
  const callouts = createCallouts(config, lifecycle, { doors: options.doors, profile: instead?.profile });
  lifecycle.onClose('callouts', () => callouts.close());
  const caches = createCaches({ ...options, guard });
  const scripts = openScripts(options);
  const host = { clock, counters, outbound: callouts, caches, scripts };
  const circuits = new CircuitBoard(metrics, { apisMax: config.metrics.plansMax });
  const own = { engine, upstreams, guard, reporter, onThrown: tellThrown };
  const watched = options.endpoints === undefined ? watchEndpoints(options, own) : undefined;
  const deployments = createDeployments({
    upstreams,
    guard,
    health: (options.endpoints ?? watched)?.health,
    discovery: (options.endpoints ?? watched)?.discovery,
    outliers: outlierHostOf(options),
    host: { ...host, ...policyPartsOf(config, clock), directories: createDirectories({ ...options, guard }) },
    records: instead?.records ?? reporter,
    durations: new Durations(metrics, config.metrics),
    circuits,
    servers: serversOf(config).map(({ id }) => id),
    log,
    security: securityHostOf(config, { clock, log, outbound: callouts }),
    expressions: expressionHostOf(options),
    keysSeenMax: config.apiKey.seenMax,
    streamMsMax: config.request.streamMsMax,
    onThrown: tellThrown,
  });
  lifecycle.onClose('deployments', () => deployments.close());
  return {
    engine,
    deployments,
    traffic,
    reporter,
    counters,
    publish(open) {
      traffic.publish(open);
      circuits.publish();
      watched?.publish();
      caches.publish();
    },
    describeEndpoints: () => watched?.describe() ?? { endpoints: [], discovered: [] },
    async listen(at) {
      // The first answer of a process must find a place for its record.
      await deployments.settled();
      const servers = await listen(
        { ...options, engine, deployments, traffic, reporter, tellThrown, tellWarning, backends },
        at,
      );
      lifecycle.onClose('room for new objects', growWithLoad());
      lifecycle.onClose('listener', () => {
        deployments.streams.stop();
        return servers.close(config.closeMsMax, Math.min(at.quietMs?.() ?? 0, config.closeMsMax / 2));
      });
      return servers;
    },
  };
}

/** The threads of scripts, of which there are none before an API has a script. */
function openScripts({ config, clock, log, lifecycle }: ServingOptions): (api: string) => Scripts {
  const sandbox = new Sandbox({ settings: config.policy.js, clock, log });
  lifecycle.onClose('scripts', () => sandbox.close());
  return (api) => sandbox.of(api);
}

function backendsOf({ config, log, clock, metrics }: ServingOptions): BackendTeller {
  const redactor = createRedactor(secretParametersOf(config));
  return new Backends({ log, clock, metrics, apisMax: config.metrics.plansMax, redactor });
}

/** What expressions may read of this gateway. */
export function expressionHostOf({
  config,
  gateway,
  version,
  clock,
  instead,
}: Pick<ServingOptions, 'gateway' | 'version' | 'clock' | 'instead'> & {
  readonly config: Pick<ServingConfig, 'secretReferences'>;
}): ExpressionHost {
  return {
    node: { id: gateway, version: version.split('.')[0] ?? '', zone: undefined },
    secrets:
      instead?.secrets ??
      createSecretReferences({
        // Read here, so that no other part of the gateway reads it by a definition's word.
        environment: process.env,
        folder: config.secretReferences.folder,
        nowMs: () => clock.monotonicMs(),
      }),
  };
}

/** Names what decides, beside a record, whether and to what its API compiles in this process and its workers. */
export function compileGroundOf({
  config,
  version,
  doors,
}: {
  readonly config: GatewayConfig;
  readonly version: string;
  readonly doors: OwnDoors | undefined;
}): string {
  const program = nameOfProgram(version);
  return JSON.stringify([program, config, doors?.ports, systemProxyVariables(process.env)]);
}

/** Opens the spool of this process, and closes it with the life-cycle. */
export async function openReporter(options: ServingOptions): Promise<Reporter> {
  const { config, log, metrics, clock, lifecycle, gateway } = options;
  const reporter = await startReporter({
    dir: foldersOf(config.dataDir).spools,
    checkpointDir: foldersOf(config.dataDir).checkpoints,
    ledger: foldersOf(config.dataDir).spoolLedger,
    gateway,
    settings: config.report,
    secretParameters: secretParametersOf(config),
    log,
    metrics,
    clock,
  });
  lifecycle.onClose('spool', () => reporter.close());
  return reporter;
}

/**
 * What plan securities may use of this gateway.
 *
 * Errors: config.invalid for a key of tokens that cannot be used.
 */
export function securityHostOf(
  config: SecuritySettings,
  parts: Pick<GatewaySecurity, 'clock' | 'log' | 'outbound'>,
): GatewaySecurity {
  const { apiKey, jwt, listen } = config;
  const peers = createPeers(listen.trustedProxies);
  const isTrusted = (address: string): boolean => peers.isTrusted(address);
  const headers = certificateHeadersOf(config);
  const headerOf = (server: string | undefined): string | undefined =>
    server === undefined ? undefined : headers.get(server);
  return {
    ...parts,
    keyPlaces: { header: apiKey.header.toLowerCase(), parameter: apiKey.parameter },
    gatewayKeys: new GatewayKeys(jwt.keys),
    keySets: new KeySets(),
    tokensSeenMax: jwt.seenMax,
    tokenMemory: new TokenMemory(jwt.seenBytesMax),
    certificates: new PresentedCertificates({ headerOf, isTrusted }),
    isTrusted,
  };
}

/** The settings that decide whom plans let in. */
export type SecuritySettings = Pick<GatewayConfig, 'apiKey' | 'jwt' | 'listen' | 'servers'>;

/** Figures of one process for the heartbeat, since its start. */
export function countersOf({
  traffic,
  reporter,
  counters,
}: Pick<Serving, 'traffic' | 'reporter' | 'counters'>): Readonly<Record<string, number>> {
  const spool = reporter?.health();
  const ways = counters.ways?.();
  return {
    ...traffic.counters(),
    ...(spool !== undefined && { spoolBytes: spool.bytes, droppedRecords: spool.droppedRecords }),
    ...(ways !== undefined && { redisWays: ways.all, redisWaysAway: ways.away }),
  };
}
