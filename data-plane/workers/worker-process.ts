import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';

import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log, LogLevel } from '../../proto/process/log.ts';
import type { Nack } from '../../proto/wire/published.ts';
import type { ConfigChange, HearRefusedLate } from '../gateway/deploy/change.ts';
import { secretVariablePrefix } from '../secret-references.ts';
import type { MemoryCounterStore } from '../limits/memory.ts';
import { countFor } from './counting.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import type { SharedListeners } from './listener.ts';
import type { FromWorker, KnownEndpoints, ToWorker, WorkerStart, WorkerStats } from './messages.ts';
import { partsOf } from './parts.ts';

/** Bounds of what a worker may take; past each it is killed, and another takes its place. */
export interface WorkerBounds {
  /** From the fork until it takes requests, the whole configuration included. */
  readonly startMsMax: number;
  /** From a change until it is in service. */
  readonly applyMsMax: number;
  /** Changes that wait to be sent. */
  readonly changesMax: number;
  /** Answers to everything else. */
  readonly answerMsMax: number;
  /** From the order to drain to its end. */
  readonly drainMsMax: number;
}

/** What a worker's process is made with. */
export interface WorkerProcessOptions {
  readonly start: WorkerStart;
  readonly bounds: WorkerBounds;
  /** Of all workers. */
  readonly counters: MemoryCounterStore;
  readonly onRefusedLate: HearRefusedLate;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whatever is waited for, when it does not come. */
type Waiting = { readonly resolve: (message: FromWorker) => void; readonly cancel: () => void };

/**
 * A worker as its primary sees it. Nothing here rejects because the worker has died: `ended` tells, and what was waited
 * for resolves as if it had agreed, since a dead worker serves nothing old.
 */
export class WorkerProcess {
  readonly startedAtMs: number;
  /** What the last message said. */
  stats: WorkerStats | undefined;
  /** Seq by environment that it serves. */
  readonly seqs = new Map<string, number>();
  state: 'starting' | 'serving' | 'draining' | 'ended' = 'starting';
  /** Resolves when the process is gone, with what became of it. */
  readonly ended: Promise<{ readonly wasAsked: boolean; readonly how: string }>;
  readonly #options: WorkerProcessOptions;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, Waiting>();
  /** True from when it was given what is in service: later changes have to follow. */
  hasSet = false;
  /** True from when it was given the listener: what it serves counts. */
  mayServe = false;
  readonly #applying = new Set<Promise<unknown>>();
  /** Messages on their way out, one after another. */
  #outbox: Promise<void> = Promise.resolve();
  #changeNumber = 0;
  #failure: Fault | undefined;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    this.startedAtMs = options.clock.now();
    this.#child = forkWorker();
    this.#child.on('message', (message) => this.#receive(message as FromWorker));
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        const wasAsked = this.state === 'draining';
        this.state = 'ended';
        for (const key of this.#waiting.keys()) this.#settle(key, { kind: 'ready' });
        resolve({ wasAsked, how });
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(signal ?? `exit code ${code ?? 0}`));
    });
    this.#child.on('error', () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Brings it from nothing to taking requests: settings, what is in service, listener.
   *
   * Errors: process.port_taken, config.invalid, or process.not_ready when it ends or is too slow on the way.
   */
  async start(given: {
    readonly changes: () => readonly ConfigChange[];
    readonly known: () => KnownEndpoints;
    readonly listeners: SharedListeners;
  }): Promise<void> {
    const { start, bounds, clock } = this.#options;
    const late = clock.after(bounds.startMsMax, () =>
      this.kill(`did not start within ${bounds.startMsMax} ms`),
    );
    try {
      await this.#ask('ready', () => this.#send({ kind: 'start', ...start }), bounds.startMsMax);
      this.#checkAlive();
      // Taken and queued in one turn: every later change comes behind them.
      this.hasSet = true;
      for (const change of given.changes()) void this.apply(change);
      this.tell(given.known());
      await this.settled();
      this.#checkAlive();
      this.mayServe = true;
      await this.#ask('listening', () => given.listeners.give(this.#child), bounds.startMsMax);
      this.#checkAlive();
      this.state = 'serving';
    } finally {
      late();
    }
  }

  /** Sends a change; resolves with what it refused once it serves the rest. */
  apply(change: ConfigChange): Promise<readonly Nack[]> {
    const applying = this.#apply(change, this.#orderMsMax(this.#options.bounds.applyMsMax));
    this.#applying.add(applying);
    return applying.finally(() => this.#applying.delete(applying));
  }

  /** Resolves when everything sent so far is in service, also what is sent meanwhile. */
  async settled(): Promise<void> {
    while (this.#applying.size > 0) await Promise.all(this.#applying);
  }

  async #apply(change: ConfigChange, withinMs: number): Promise<readonly Nack[]> {
    if (this.state === 'ended') return [];
    if (this.#applying.size >= this.#options.bounds.changesMax) {
      this.kill('takes changes more slowly than they come');
      return [];
    }
    const number = (this.#changeNumber += 1);
    const answer = await this.#ask(`applied ${number}`, () => this.#sendChange(change, number), withinMs);
    if (answer.kind !== 'applied') return [];
    this.seqs.set(change.environment, change.seq);
    return answer.nacks;
  }

  /** Tells it which endpoints were found, and how endpoints are; behind the changes that were sent before. */
  tell({ found, health }: KnownEndpoints): void {
    if (this.state === 'ended') return;
    if (found.length > 0 || health.length > 0) this.#send({ kind: 'endpoints', found, health });
  }

  setLogLevel(level: LogLevel): void {
    if (this.state !== 'ended') this.#send({ kind: 'logLevel', level });
  }

  addDoor(port: number): void {
    if (this.state !== 'ended') this.#send({ kind: 'door', port });
  }

  /** Resolves with what is wrong, undefined when handshakes use the new certificates. */
  async reloadTls(server: string, tls: TlsOptions): Promise<string | undefined> {
    if (this.state === 'ended') return undefined;
    const ask = (): void => this.#send({ kind: 'tls', server, tls });
    const answer = await this.#ask(`tls ${server}`, ask, this.#orderMsMax(this.#options.bounds.answerMsMax));
    return answer.kind === 'tls' ? answer.problem : undefined;
  }

  /** Has it read again what it can; says whether something was taken over. */
  async reload(): Promise<boolean> {
    if (this.state === 'ended') return false;
    const ask = (): void => this.#send({ kind: 'reload' });
    const answer = await this.#ask('reload', ask, this.#orderMsMax(this.#options.bounds.answerMsMax));
    return answer.kind === 'reload' && answer.isTaken;
  }

  /** One that starts works orders off when it has its configuration, which may take as long as the start. */
  #orderMsMax(otherwiseMs: number): number {
    return this.state === 'starting' ? this.#options.bounds.startMsMax : otherwiseMs;
  }

  /** Has it say how it is now. */
  async refresh(): Promise<void> {
    if (this.state === 'ended' || this.state === 'starting') return;
    await this.#ask('stats', () => this.#send({ kind: 'stats' }), this.#options.bounds.answerMsMax);
  }

  /** Lets it answer what runs and end; resolves when it is gone, at the latest after drainMsMax. */
  async drain(): Promise<void> {
    if (this.state !== 'ended') {
      const { drainMsMax } = this.#options.bounds;
      this.state = 'draining';
      this.#send({ kind: 'drain' });
      const late = this.#options.clock.after(drainMsMax, () =>
        this.kill(`did not end within ${drainMsMax} ms`),
      );
      await this.ended;
      late();
    }
  }

  /** Ends it at once. */
  kill(why: string): void {
    if (this.state === 'ended') return;
    this.#options.log.error({ worker: this.pid, why }, 'a worker is killed');
    this.#child.kill('SIGKILL');
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'stats':
      case 'drained':
        this.stats = message.stats;
        return this.#settle('stats', message);
      case 'take':
        // Past the outbox: a request waits, and a large change may stand in there.
        return void this.#post(countFor(message, this.#options.counters));
      case 'refusedLate':
        return this.#options.onRefusedLate(message.environment, message.nack);
      case 'applied':
        return this.#settle(`applied ${message.change}`, message);
      case 'ready':
      case 'listening':
      case 'reload':
        return this.#settle(message.kind, message);
      case 'tls':
        return this.#settle(`tls ${message.server}`, message);
      case 'failed': {
        const code = message.code === 'process.port_taken' ? message.code : 'process.not_ready';
        this.#failure = new Fault(code, { detail: message.message });
        return undefined;
      }
    }
  }

  /** Resolves with the answer, or with anything once the worker has ended; kills it when it is too slow. */
  #ask(key: string, send: () => void, withinMs: number): Promise<FromWorker> {
    return new Promise((resolve) => {
      // Asked already: both get the answer, or the first is told by the second's.
      this.#settle(key, { kind: 'ready' });
      const late = (): void => this.kill(`did not answer (${key}) within ${withinMs} ms`);
      this.#waiting.set(key, { resolve, cancel: this.#options.clock.after(withinMs, late) });
      send();
    });
  }

  #settle(key: string, message: FromWorker): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    waiting.cancel();
    waiting.resolve(message);
  }

  #send(message: ToWorker): void {
    this.#outbox = this.#outbox.then(() => this.#post(message));
  }

  /** One piece after another, each when the one before has left, so that a large set does not gather in the channel. */
  #sendChange(change: ConfigChange, number: number): void {
    this.#outbox = this.#outbox.then(async () => {
      for (const part of partsOf(change, number)) await this.#post({ kind: 'change', ...part });
    });
  }

  #post(message: ToWorker): Promise<void> {
    return new Promise((resolve) => {
      // That it could not be sent means that the worker is gone or going, which `ended` tells.
      if (!this.#child.connected) return resolve();
      this.#child.send(message, () => resolve());
    });
  }

  #checkAlive(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.state === 'ended')
      throw new Fault('process.not_ready', { internal: 'it ended while it started' });
  }
}

function forkWorker(): ChildProcess {
  // The packed program is JavaScript; a checkout runs the source.
  const file = import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js';
  const cache = getCompileCacheDir();
  // Settings come by message; a worker has no use for an enrolment token in its environment, but for what definitions may name.
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ISTHMUS_') || name.startsWith(secretVariablePrefix),
  );
  return fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    // Bytes stay bytes.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...Object.fromEntries(kept), ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) },
  });
}
