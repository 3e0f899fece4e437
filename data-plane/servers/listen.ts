import { randomUUID } from 'node:crypto';
import type { Server } from 'node:net';

import { listenFault } from '../../proto/process/listen.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import { Deadlines } from '../gateway/call/deadlines.ts';
import { createForwarding } from '../gateway/call/forwarded.ts';
import { createHops } from '../gateway/call/hops.ts';
import { createRequestIds } from '../gateway/call/request-ids.ts';
import { createServe } from '../gateway/call/serve.ts';
import { createStrays } from '../gateway/call/strays.ts';
import type { Deployments } from '../gateway/deploy/deployments.ts';
import type { BackendTeller } from '../gateway/errors/backends.ts';
import type { TellThrown } from '../gateway/errors/thrown.ts';
import type { TellWarning } from '../gateway/errors/warned.ts';
import { Trails } from '../gateway/explain/trails.ts';
import { createLogHost } from '../gateway/logs/call-log.ts';
import type { Engine, RunningServer, ServerOptions } from '../http/exchange.ts';
import type { Reporter } from '../report/reporter.ts';
import type { ServingOptions } from '../serving.ts';
import type { OpenConnections, Traffic } from '../traffic.ts';
import { createDistrustTeller } from './distrusted.ts';
import { certificateHeadersOf, http2Of, type ServerSettings, serversOf } from './settings.ts';

/** Where a process takes connections from. */
export interface ListenAt {
  /** By the id of a server; one that is not there speaks plain HTTP. */
  readonly tls: ReadonlyMap<string, TlsOptions>;
  /**
   * Begins to accept on what somebody else opened, and is awaited right before the engine listens to it. Default: own ones at the configured
   * addresses.
   */
  readonly listen?: ((server: ServerSettings) => Promise<Server>) | undefined;
  /** Asked at the end: how long an idle connection stays open, and its next request is answered with `Connection: close`. Default: 0. */
  readonly quietMs?: (() => number) | undefined;
}

/** The servers of one process, which take requests. */
export interface RunningServers extends OpenConnections {
  /** By id, in the order of the settings. */
  readonly ports: ReadonlyMap<string, number>;
  /** Open connections by id. */
  connectionsOf(): ReadonlyMap<string, number>;
  /** See {@link RunningServer.reloadTls}; of one server. */
  reloadTls(server: string, tls: TlsOptions): void;
  /** See {@link RunningServer.close}; all at once. */
  close(deadlineMs: number, quietMs?: number): Promise<void>;
}

/** What listening needs of the process that serves. */
export interface ListenParts extends Pick<
  ServingOptions,
  'config' | 'clock' | 'log' | 'hopSecret' | 'instead'
> {
  readonly engine: Engine;
  readonly deployments: Deployments;
  readonly traffic: Traffic;
  readonly reporter: Reporter | undefined;
  readonly tellThrown: TellThrown;
  readonly tellWarning: TellWarning;
  readonly backends: BackendTeller;
}

/**
 * Listens on every server of the gateway; each has its own table of APIs, so that finding one costs what it does with one server.
 *
 * Errors: process.port_taken, process.port_refused, with the server's setting; config.invalid when certificates do not fit together. Those
 * that listened by then listen no more.
 */
export async function listen(parts: ListenParts, at: ListenAt): Promise<RunningServers> {
  const start = createStarter(parts, at);
  const running = new Map<string, RunningServer>();
  try {
    for (const server of serversOf(parts.config)) running.set(server.id, await start(server));
  } catch (error) {
    await closeAll(running, 0);
    throw error;
  }
  return new Servers(running);
}

/** Makes what starts a server. */
function createStarter(parts: ListenParts, at: ListenAt): (server: ServerSettings) => Promise<RunningServer> {
  const { config, clock, engine, deployments } = parts;
  const { listen: wish } = config;
  const serveOn = createServing(parts);
  const tellDistrusted = createDistrustTeller(parts);
  return async (server) => {
    const { id, host, port, setting } = server;
    try {
      return await engine.listen({
        id,
        setting,
        host,
        port,
        listener: await at.listen?.(server),
        tls: at.tls.get(id),
        distrustOf({ fingerprintSha256, isVerified, validFromMs, validToMs }) {
          const nowMs = clock.now();
          if (nowMs < validFromMs) return 'not-yet-valid';
          if (nowMs > validToMs) return 'expired';
          return isVerified || deployments.trustsCertificate(fingerprintSha256) ? undefined : 'unknown';
        },
        onDistrusted: (client) => tellDistrusted(id, client),
        http2: http2Of(server, config),
        limits: wish,
        target: { mergeSlashes: wish.mergeSlashes, encodedSlash: wish.encodedSlash },
        ...serveOn(id),
      });
    } catch (error) {
      throw listenFault(error, server);
    }
  };
}

/** Makes what requests of a server pass through: what all servers share is made once. */
function createServing(parts: ListenParts): (id: string) => Pick<ServerOptions, 'onExchange' | 'onRefusal'> {
  const { config, clock, log, deployments, reporter, tellThrown, tellWarning, backends } = parts;
  const { listen: wish, request, report } = config;
  const certificateHeaders = certificateHeadersOf(config);
  const nextRequestId = createRequestIds();
  const ways = parts.instead?.ways;
  const shared = {
    hasConfiguration: deployments.hasConfiguration,
    nextRequestId,
    hops: createHops(parts.hopSecret ?? randomUUID()),
    deadlines: new Deadlines({
      clock,
      afterMs: request.answerMsMax,
      graceMs: Math.min(50, request.answerMsMax),
      onThrown: tellThrown,
    }),
    streams: deployments.streams,
    bodyBytesMax: request.bufferedBytesMax,
    logs: createLogHost(report.logs, tellWarning),
    trails: report.steps.enabled ? new Trails(report.steps) : undefined,
    onThrown: tellThrown,
    onWarning: tellWarning,
    backends,
  };
  const onDisbelieved = (peer: string): void =>
    log.warn(
      { peer },
      'a peer in a private network sends X-Forwarded-* and is not believed; if it is a proxy of yours, name it in listen.trustedProxies (said once)',
    );
  return (id) => {
    const certificateHeader = certificateHeaders.get(id);
    const foreignCertificateHeaders = [...certificateHeaders.values()].filter(
      (name) => name !== certificateHeader,
    );
    const forwarding = createForwarding(wish.trustedProxies, {
      certificateHeader,
      foreignCertificateHeaders,
      onDisbelieved,
    });
    const traffic = parts.traffic.on(id);
    const match = deployments.matchOn(id);
    const strays = createStrays({
      target: reporter,
      environments: deployments.environments,
      nextRequestId,
      clientOf: (asked) => forwarding.clientOf(asked),
      match,
    });
    const { onAnswer, onUnrouted } = traffic;
    return {
      onExchange: createServe({ ...shared, match, strays, forwarding, onAnswer, onUnrouted, ways }),
      onRefusal: (refusal) => {
        traffic.onRefusal(refusal);
        return strays.onRefusal(refusal);
      },
    };
  };
}

class Servers implements RunningServers {
  readonly ports: ReadonlyMap<string, number>;
  readonly #running: ReadonlyMap<string, RunningServer>;

  constructor(running: ReadonlyMap<string, RunningServer>) {
    this.#running = running;
    this.ports = new Map([...running].map(([id, { port }]) => [id, port]));
  }

  get connections(): number {
    return this.#sum(({ connections }) => connections);
  }

  get http2(): RunningServer['http2'] {
    return {
      connections: this.#sum(({ http2 }) => http2.connections),
      streams: this.#sum(({ http2 }) => http2.streams),
    };
  }

  connectionsOf(): ReadonlyMap<string, number> {
    return new Map([...this.#running].map(([id, { connections }]) => [id, connections]));
  }

  reloadTls(server: string, tls: TlsOptions): void {
    this.#running.get(server)?.reloadTls(tls);
  }

  close(deadlineMs: number, quietMs?: number): Promise<void> {
    return closeAll(this.#running, deadlineMs, quietMs);
  }

  #sum(count: (server: RunningServer) => number): number {
    return [...this.#running.values()].reduce((sum, server) => sum + count(server), 0);
  }
}

async function closeAll(
  running: ReadonlyMap<string, RunningServer>,
  deadlineMs: number,
  quietMs?: number,
): Promise<void> {
  await Promise.all([...running.values()].map((server) => server.close(deadlineMs, quietMs)));
}
