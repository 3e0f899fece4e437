import { readAhead } from '../gateway/deploy/read-ahead.ts';
import type { Server } from 'node:net';

import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle, type Lifecycle } from '../../proto/process/lifecycle.ts';
import { secretParametersOf } from '../config.ts';
import { collectStart } from '../../proto/process/heap/old-generation.ts';
import { listenFault } from '../../proto/process/listen.ts';
import { createLog, type Log } from '../../proto/process/log.ts';
import { createMetrics, type Metrics } from '../../proto/process/metrics.ts';
import { quietMsMax } from '../../proto/process/listening/ending.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import type { RunningServers } from '../servers/listen.ts';
import { type ServerSettings } from '../servers/settings.ts';
import { countersOf, openServing, type Serving } from '../serving.ts';
import { DiscoveryBoard } from '../endpoints/discovery/board.ts';
import { HealthBoard } from '../endpoints/health/board.ts';
import { createPrimaryCounters, type PrimaryCounters } from './counting.ts';
import { acceptOn } from './listener.ts';
import type { ChangePart, FromWorker, TakenMessage, ToWorker, WorkerStart, WorkerStats } from './messages.ts';
import { createAssembly } from './parts.ts';

/** The worker's end of the channel to its primary. */
export interface Channel {
  onMessage(receive: (message: ToWorker, handle: unknown) => void): void;
  /** The primary is gone. */
  onGone(callback: () => void): void;
  /** Resolves when the message has left. */
  send(message: FromWorker): Promise<void>;
  /** Ends this process. */
  exit(code: number): void;
}

const statsMs = 1_000;
/** Before it listens. */
const nothingOpen = {
  connections: 0,
  http2: { connections: 0, streams: 0 },
  connectionsOf: (): ReadonlyMap<string, number> => new Map(),
};
/** For what is closed after the last request: pools, and the spool's last lines. */
const closeMsAfterDrain = 5_000;

/**
 * Runs a worker: takes requests on a listener that the primary opened, with the configuration that the primary proved.
 *
 * It reads no settings, opens no database and dials no bridge. It ends when it is told to drain, and in the same way when
 * the primary is gone; signals are the primary's business.
 */
export function runWorker(channel: Channel): void {
  let worker: Worker | undefined;
  channel.onMessage((message, handle) => {
    if (message.kind === 'start') worker ??= new Worker(channel, message);
    else if (message.kind === 'taken') worker?.taken(message);
    else worker?.receive(message, handle);
  });
  channel.onGone(() => {
    if (worker === undefined) channel.exit(1);
    else worker.primaryGone();
  });
}

type Order = Exclude<ToWorker, { readonly kind: 'start' | 'taken' }>;

class Worker {
  readonly #channel: Channel;
  readonly #log: Log;
  readonly #metrics: Metrics = createMetrics({ withProcess: true });
  readonly #lifecycle: Lifecycle;
  readonly #counting: PrimaryCounters;
  /** What the primary has found. */
  readonly #health = new HealthBoard();
  readonly #discovery = new DiscoveryBoard();
  readonly #doors: OwnDoors;
  readonly #assemble = createAssembly();
  readonly #opening: Promise<Serving>;
  /** By server. */
  readonly #tls: Map<string, TlsOptions>;
  /** Listening handles that have come, by server. */
  readonly #handles = new Map<string, unknown>();
  /** Once connections are taken. */
  #servers: RunningServers | undefined;
  /** Orders are worked off one after another, as they were sent. */
  #queue: Promise<void>;
  #isEnding = false;

  constructor(channel: Channel, start: WorkerStart) {
    this.#channel = channel;
    this.#tls = new Map(start.tls);
    const secretParameters = secretParametersOf(start.config);
    this.#log = createLog({ name: 'gateway', level: start.logLevel, secretParameters });
    const closeMsMax = start.config.closeMsMax + closeMsAfterDrain;
    this.#lifecycle = createLifecycle({ log: this.#log, clock: systemClock, closeMsMax });
    const { config, gateway, version, hopSecret } = start;
    this.#counting = createPrimaryCounters({
      limits: config.limits,
      workers: start.workers,
      clock: systemClock,
      log: this.#log,
      metrics: this.#metrics,
      send: (message) => channel.send(message),
    });
    this.#doors = new OwnDoors(start.doors);
    this.#opening = openServing({
      doors: this.#doors,
      config,
      gateway,
      version,
      hopSecret,
      log: this.#log,
      clock: systemClock,
      lifecycle: this.#lifecycle,
      metrics: this.#metrics,
      // Redis counts for all workers as for all gateways.
      counters: config.limits.redis === undefined ? this.#counting.counters : undefined,
      endpoints: { health: this.#health, discovery: this.#discovery },
    });
    this.#queue = this.#opening.then(
      ({ deployments }) => {
        deployments.onRefusedLate(
          (environment, nack) => void this.#say({ kind: 'refusedLate', environment, nack }),
        );
        collectStart();
        return this.#say({ kind: 'ready' });
      },
      (error: unknown) => this.#fail(error),
    );
  }

  receive(order: Order, handle: unknown): void {
    this.#queue = this.#queue
      .then(async () => this.#obey(order, await this.#opening, handle))
      .catch((error: unknown) => this.#fail(error));
  }

  /** Not an order: requests wait for it, whatever is applied meanwhile. */
  taken(message: TakenMessage): void {
    this.#counting.taken(message);
  }

  /** Answers what runs and ends, as if it had been asked to. */
  primaryGone(): void {
    if (this.#isEnding) return;
    this.#log.error('the primary process is gone; this worker answers what runs and ends');
    void this.#end(1);
  }

  async #obey(order: Order, serving: Serving, handle: unknown): Promise<void> {
    switch (order.kind) {
      case 'change':
        return this.#apply(order, serving);
      case 'listen': {
        this.#handles.set(order.server, handle);
        if (!order.isLast) return undefined;
        this.#servers = await serving.listen({
          tls: this.#tls,
          listen: (server) => listening(this.#handles.get(server.id), server),
          // Somebody else takes the next connection: another worker, or whoever noticed that readiness is off.
          quietMs: () => quietMsMax,
        });
        this.#lifecycle.task('stats', this.#sayStats());
        return this.#say({ kind: 'listening' });
      }
      case 'tls':
        return this.#say({ kind: 'tls', server: order.server, problem: this.#reloadTls(order) });
      case 'reload':
        return this.#say({ kind: 'reload', isTaken: (await this.#lifecycle.reload('process')).length > 0 });
      case 'endpoints':
        // Whoever was found before somebody says how he is.
        for (const told of order.found) this.#discovery.told(told);
        for (const told of order.health) this.#health.told(told, systemClock.now());
        return undefined;
      case 'logLevel':
        this.#log.level = order.level;
        return undefined;
      case 'door':
        this.#doors.add(order.port);
        return undefined;
      case 'stats':
        return this.#say({ kind: 'stats', stats: await this.#stats() });
      case 'drain':
        // Not awaited: until the last request is answered, changes go on being applied.
        return void this.#end(0);
    }
  }

  async #apply(part: ChangePart, { deployments }: Serving): Promise<void> {
    const change = this.#assemble(part);
    if (change === undefined) return;
    const isDrained = this.#isEnding && (this.#servers?.connections ?? 0) === 0;
    if (!isDrained) await readAhead(change.set);
    const nacks = isDrained ? [] : deployments.apply(change);
    await deployments.confirm(change.environment);
    return this.#say({ kind: 'applied', change: part.change, nacks });
  }

  #reloadTls({ server, tls }: Extract<Order, { readonly kind: 'tls' }>): string | undefined {
    try {
      this.#servers?.reloadTls(server, tls);
      this.#tls.set(server, tls);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #sayStats(): Promise<void> {
    while (!this.#lifecycle.signal.aborted) {
      await systemClock.delay(statsMs, this.#lifecycle.signal);
      await this.#say({ kind: 'stats', stats: await this.#stats() });
    }
  }

  async #stats(): Promise<WorkerStats> {
    const serving = await this.#opening;
    const servers = this.#servers ?? nothingOpen;
    const { connections } = servers;
    serving.publish(servers);
    return {
      connections,
      counters: countersOf(serving),
      spool: serving.reporter?.health(),
      metrics: await this.#metrics.snapshot(),
    };
  }

  /** The listener closes first, with the answers that run; the spool last. */
  async #end(code: number): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#lifecycle.close();
    await this.#say({ kind: 'drained', stats: await this.#stats() });
    this.#channel.exit(code);
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#log.fatal({ err: error }, 'this worker cannot go on');
    const message = error instanceof Error ? error.message : String(error);
    await this.#say({ kind: 'failed', code: error instanceof Fault ? error.code : undefined, message });
    await this.#lifecycle.close();
    this.#channel.exit(1);
  }

  /** A primary that is gone hears nothing; that it is gone is told by `onGone`. */
  #say(message: FromWorker): Promise<void> {
    return this.#channel.send(message).catch(() => undefined);
  }
}

/** Resolves in the turn in which connections may begin to come: whoever awaits it has to listen to them at once. */
function listening(handle: unknown, server: ServerSettings): Promise<Server> {
  const listener = acceptOn(handle);
  return new Promise((resolve, reject) => {
    listener.once('error', (error) => reject(listenFault(error, server)));
    listener.once('listening', () => resolve(listener));
  });
}
