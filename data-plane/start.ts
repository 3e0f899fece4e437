import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { startGatewayNode } from './admin/node.ts';
import { type GatewayConfig, workerCount } from './config.ts';
import { tryAddress } from '../proto/process/listen.ts';
import { OwnDoors } from '../proto/process/outbound/own-doors.ts';
import { warnBeforeEnd } from '../proto/process/listening/ending.ts';
import { createFreedTaker } from './gateway/deploy/freed.ts';
import type { Deployments } from './gateway/deploy/deployments.ts';
import type { Engine } from './http/exchange.ts';
import type { Reporter } from './report/reporter.ts';
import { openServerCertificates } from './servers/certificates.ts';
import { describeServers, firstPort, portFacts, serversOf } from './servers/settings.ts';
import { ownFigures } from './own-figures.ts';
import { countersOf, openServing } from './serving.ts';
import { openSource } from './source.ts';
import type { Sync } from './sync/sync.ts';

/** What a gateway needs of its process. */
export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** This program's version. */
  readonly version: string;
  /** Default: the engine of this version; workers always run that. */
  readonly engine?: Engine | undefined;
  /** Ports of this process besides `admin.port` where no definition may lead. Default: none. */
  readonly doors?: OwnDoors | undefined;
}

/** The same, with its own node API among the doors as soon as its port is known. */
export type GuardedOptions = GatewayOptions & { readonly doors: OwnDoors };

/** A gateway at work. */
export interface RunningGateway {
  /** The one that requests come to; of several servers that of the first. */
  readonly port: number;
  /** The same of every server, by id. */
  readonly ports: ReadonlyMap<string, number>;
  readonly adminPort: number;
  /** With workers: what the primary compiled to judge it; they serve the same. */
  readonly deployments: Deployments;
  /** Undefined in local mode. */
  readonly sync: Sync | undefined;
  /** Undefined when no access records are written. */
  readonly reporter: Reporter | undefined;
  /** Puts a new process in the place of each worker, one after another; without workers it says so in the log. Never rejects. */
  replaceWorkers(): Promise<void>;
}

/**
 * Starts a gateway: spool, last good configuration or folder, then the port; so that it never listens without knowing
 * what it served before.
 *
 * It closes with the life-cycle: not ready, for `lameDuckMs` as before, no new connections, requests in flight to their end, pools, store,
 * spool.
 * Errors: process.port_taken; config.invalid without identity, token and folder, or with TLS files that cannot be used;
 *         enrolment.* and outbound.* when it has to enrol and cannot.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const doors = options.doors ?? new OwnDoors();
  doors.add(options.config.admin.port);
  const guarded = { ...options, doors };
  if (workerCount(options.config) === 1) return startAlone(guarded);
  const { startPrimary } = await import('./workers/primary.ts');
  return startPrimary(guarded);
}

/** The whole gateway in this process. */
async function startAlone(options: GuardedOptions): Promise<RunningGateway> {
  const { config, log, metrics } = options;
  const certificates = await openServerCertificates(config, options);
  const source = await openSource(options);
  // It listens when it serves; that it cannot is told before it says that anything is in service.
  for (const server of serversOf(config)) await tryAddress(server);
  await tryAddress({ ...config.admin, setting: 'admin' });
  const serving = await openServing({ ...options, gateway: source.gateway });
  const { deployments, reporter, engine } = serving;
  const running = await source.follow({
    deployments: { ...deployments, ...createFreedTaker(deployments) },
    counters: () => ({
      ...countersOf(serving),
      ...ownFigures({ spool: reporter?.health(), certificates }),
    }),
  });
  const ending = warnBeforeEnd(options);
  const servers = await serving.listen({ tls: certificates.current(), quietMs: () => ending.quietMs });
  const adminPort = await startGatewayNode({
    ...options,
    metrics: {
      contentType: metrics.contentType,
      text() {
        serving.publish(servers);
        return metrics.text();
      },
    },
    state: () => ({
      isOpen: ending.isOpen,
      certificates: certificates.problem(),
      source: running.state(),
      deployed: deployments.state(),
      ...serving.describeEndpoints(),
      spool: reporter?.health(),
      servers: describeServers(config, servers.ports),
      workers: undefined,
    }),
    replaceWorkers: undefined,
  });
  options.doors.add(adminPort);
  certificates.follow({ ...options, take: (server, tls) => servers.reloadTls(server, tls) });
  const { ports } = servers;
  const facts = { ...portFacts(config, ports), adminPort, engine: engine.name, source: source.kind };
  log.info(facts, 'listening');
  return {
    port: firstPort(ports),
    ports,
    adminPort,
    deployments,
    sync: running.sync,
    reporter,
    replaceWorkers: async () => log.warn('there are no workers to replace: `workers` is 1'),
  };
}
