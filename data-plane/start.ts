import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { createAdminApp } from './admin/app.ts';
import { listenAdmin, portFault } from './admin/server.ts';
import type { GatewayConfig } from './config.ts';
import { createUpstreams } from './endpoints/upstreams.ts';
import { Deadlines } from './gateway/deadlines.ts';
import { createDeployments, type Deployments } from './gateway/deployments.ts';
import { createRequestIds } from './gateway/request-ids.ts';
import { createServe } from './gateway/serve.ts';
import type { Engine, RunningServer, ServerLimits } from './http/exchange.ts';
import { createPlainEngine } from './http/plain/engine.ts';
import { createMemoryCounters } from './limits/memory.ts';
import { type Reporter, startReporter } from './report/reporter.ts';
import { openSource, startSource } from './source.ts';
import type { Sync } from './sync/sync.ts';
import { createTraffic, type Traffic } from './traffic.ts';

/** What a gateway needs of its process. */
export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** This program's version. */
  readonly version: string;
  /** Default: the engine of this version. */
  readonly engine?: Engine | undefined;
}

/** A gateway at work. */
export interface RunningGateway {
  /** The one that requests come to. */
  readonly port: number;
  readonly adminPort: number;
  readonly deployments: Deployments;
  /** Undefined in local mode. */
  readonly sync: Sync | undefined;
  /** Undefined when no access records are written. */
  readonly reporter: Reporter | undefined;
}

/** The engine of this version, chosen here and nowhere else. */
const createEngine = createPlainEngine;

/**
 * Starts a gateway: spool, last good configuration or folder, then the port; so that it never listens without knowing
 * what it served before.
 *
 * It closes with the life-cycle: not ready, no new connections, requests in flight to their end, pools, store, spool.
 * Errors: process.port_taken; config.invalid without identity, token and folder; enrolment.* and outbound.* when it has
 *         to enrol and cannot.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { config, log, clock, lifecycle, metrics } = options;
  const engine = options.engine ?? createEngine();
  const source = await openSource(options);
  const reporter = config.report.enabled ? await openReporter(options, source.gateway) : undefined;
  const upstreams = createUpstreams(engine, config.closeMsMax);
  lifecycle.onClose('upstreams', () => upstreams.close(config.closeMsMax));
  const traffic = createTraffic(metrics);
  const deployments = createDeployments({
    upstreams,
    host: { clock, counters: createMemoryCounters({ windowsMax: config.limits.windowsMax }) },
    records: reporter,
    log,
    keysSeenMax: config.apiKey.seenMax,
  });
  lifecycle.onClose('deployments', () => deployments.close());
  const running = await startSource(source, {
    options,
    deployments,
    counters: () => countersOf(traffic, reporter),
  });
  const server = await listen(options, { engine, deployments, traffic });
  lifecycle.onClose('listener', () => server.close(config.closeMsMax));
  let isOpen = true;
  const admin = await listenAdmin(
    createAdminApp({
      metrics,
      onScrape: () => traffic.publish(server.connections),
      state: () => ({
        version: options.version,
        isOpen,
        source: running.state(),
        deployed: deployments.state(),
        spool: reporter?.health(),
      }),
    }),
    config.admin,
  );
  lifecycle.onClose('node API', () => admin.close());
  // Registered last, runs first: whoever balances load sees it before the port closes.
  lifecycle.onClose('readiness', () => void (isOpen = false));
  log.info(
    { port: server.port, adminPort: admin.port, engine: engine.name, source: source.kind },
    'listening',
  );
  return { port: server.port, adminPort: admin.port, deployments, sync: running.sync, reporter };
}

async function openReporter(
  { config, log, metrics, clock, lifecycle }: GatewayOptions,
  gateway: string,
): Promise<Reporter> {
  const reporter = await startReporter({
    dir: join(config.dataDir, 'spool'),
    checkpointDir: join(config.dataDir, 'checkpoints'),
    gateway,
    settings: config.report,
    log,
    metrics,
    clock,
  });
  lifecycle.onClose('spool', () => reporter.close());
  return reporter;
}

async function listen(
  { config, log, clock }: GatewayOptions,
  parts: { readonly engine: Engine; readonly deployments: Deployments; readonly traffic: Traffic },
): Promise<RunningServer> {
  const { engine, deployments, traffic } = parts;
  const { listen: at, request, apiKey } = config;
  const serve = createServe({
    match: deployments.match,
    hasConfiguration: deployments.hasConfiguration,
    nextRequestId: createRequestIds(),
    places: { header: apiKey.header.toLowerCase(), parameter: apiKey.parameter },
    deadlines: new Deadlines({ clock, afterMs: request.timeoutMs, graceMs: Math.min(50, request.timeoutMs) }),
    bodyBytesMax: request.bufferedBytesMax,
    log,
    onAnswer: traffic.onAnswer,
    onUnrouted: traffic.onUnrouted,
  });
  try {
    return await engine.listen({
      host: at.host,
      port: at.port,
      tls:
        at.tls === undefined
          ? undefined
          : {
              certificates: [
                { cert: readFileSync(at.tls.certFile, 'utf8'), key: readFileSync(at.tls.keyFile, 'utf8') },
              ],
              ca: undefined,
              clientAuth: 'none',
              minVersion: 'TLSv1.2',
            },
      limits: limitsOf(config),
      target: { mergeSlashes: at.mergeSlashes, encodedSlash: at.encodedSlash },
      onExchange: serve,
      onRefusal: traffic.onRefusal,
    });
  } catch (error) {
    throw portFault(error, at.port);
  }
}

function limitsOf({ listen }: GatewayConfig): ServerLimits {
  return {
    requestLineBytesMax: listen.requestLineBytesMax,
    headerBytesMax: listen.headerBytesMax,
    headersMax: listen.headersMax,
    headerTimeoutMs: listen.headerMsMax,
    bodyBytesMax: listen.bodyBytesMax,
    bodyBytesPerSecondMin: listen.bodyBytesPerSecondMin,
    idleTimeoutMs: listen.idleMsMax,
    requestMsMax: listen.requestMsMax,
    connectionsMax: listen.connectionsMax,
    connectionsPerSourceMax: listen.connectionsPerSourceMax,
    requestsPerConnectionMax: listen.requestsPerConnectionMax,
    tunnelIdleMsMax: listen.tunnelIdleMsMax,
    eventLoopLagMsMax: listen.eventLoopLagMsMax,
  };
}

function countersOf(traffic: Traffic, reporter: Reporter | undefined): Readonly<Record<string, number>> {
  const spool = reporter?.health();
  return {
    ...traffic.counters(),
    ...(spool !== undefined && { spoolBytes: spool.bytes, droppedRecords: spool.droppedRecords }),
  };
}
