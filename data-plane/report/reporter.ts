import { getCompileCacheDir } from 'node:module';
import { resolve } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { Fault } from '../../proto/faults/fault.ts';
import { createRedactor } from '../../proto/model/redaction.ts';
import type { HealthRecord } from '../../proto/model/api/health-record.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { StreamName } from '../../proto/spool/folder.ts';
import type { AccessFacts, RecordPrefix } from './facts.ts';
import { createLineWriter } from './line.ts';
import type { LogFacts } from './logs/log-facts.ts';
import { createLogLineWriter } from './logs/log-line.ts';
import { createMasks } from './logs/log-masks.ts';
import { PendingLogs } from './logs/pending-logs.ts';
import { Dropped } from './dropped.ts';
import type { FromThread, Part, Tenant, ThreadOptions, ToThread } from './messages.ts';
import { createTenants } from './tenants.ts';
import { Tally } from './tally/tally.ts';
import { tallyDirOf } from './tally/tally-folder.ts';
import { Losses } from './losses.ts';
import { createMeters } from './meters.ts';
import { createSpoolQueue, type SpoolQueue } from './queue.ts';
import type { ReportSettings } from './settings.ts';

/** What a reporter needs. */
export interface ReporterOptions {
  /** Where spools lie. */
  readonly dir: string;
  /** Where the shipper says what it has shipped. */
  readonly checkpointDir: string;
  /** File that remembers which records there were, and which losses were told; outside `dir`. */
  readonly ledger: string;
  /** Id of this gateway, on every line. */
  readonly gateway: string;
  readonly settings: ReportSettings;
  /** Names of parameters and headers that carry keys, besides those that everybody knows; see proto/model/redaction.ts. */
  readonly secretParameters?: readonly string[] | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** URL of a module that exports `files: SpoolFiles` in the disk's place, for tests of disks that stall. */
  readonly filesModule?: string | undefined;
}

/** Writes the records of one subscription (or of one API, without one). */
export interface Recorder {
  /**
   * Writes one line. The promise is what `beforeEnd` returns: it resolves when the line is written, at most spoolHoldMsMax later, and
   * never rejects. Undefined when nobody should wait.
   *
   * Cost: about 2 us.
   */
  write(facts: AccessFacts): Promise<void> | undefined;
  /** Writes a line of what was said, after the answer, which does not wait for it. */
  log(facts: LogFacts): void;
}

/** How the spool is. */
export interface ReporterHealth {
  /** degraded: records are not where they should be, so that a killed process would lose some, or has lost some already. */
  readonly state: 'ok' | 'degraded';
  /** What is degraded. */
  readonly problem?: string | undefined;
  /** Since the start: from memory and from disk. */
  readonly droppedRecords: number;
  /** On disk and in memory. */
  readonly bytes: number;
}

/** The gateway's end of the record path. */
export interface Reporter {
  /** Builds the static part of the lines; call it once per subscription and keep it. */
  recorder(prefix: RecordPrefix): Recorder;
  /** Writes a line that is of no request: nobody waits for it. */
  note(record: HealthRecord): void;
  /**
   * Makes the spool of an environment before its first request is answered. The promise resolves when it is on disk, or after
   * prepareMsMax with a disk that does not take it (then the spool is degraded), and never rejects; undefined when it is there.
   */
  prepare(tenant: Pick<Tenant, 'organization' | 'environment'>): Promise<void> | undefined;
  health(): ReporterHealth;
  /** Writes what is queued, to the deadline, and stops the thread. */
  close(): Promise<void>;
}

const startMsMax = 10_000;
/** How long an environment waits for its spool before it is served without. */
const prepareMsMax = 5_000;
/** How long health tells that records were deleted under the gateway: somebody should see it. */
const deletedShownMs = 60_000;
const closeMsMax = 3_000;
const troubleLogEveryMs = 10_000;
/** Different troubles that are remembered as said. */
const troublesMax = 100;
const environmentName = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

/** Starts the spool thread. Errors: config.invalid when it does not start. */
export async function startReporter(options: ReporterOptions): Promise<Reporter> {
  const thread = new SpoolThread(options);
  await thread.started;
  const redactor = createRedactor(options.secretParameters);
  const tenantOf = createTenants();
  const masksOf = createMasks({ redactor, settings: options.settings.logs });
  return {
    recorder(prefix) {
      const { environment } = prefix;
      if (!environmentName.test(environment))
        throw new Fault('config.invalid', {
          internal: `environment id "${environment}" cannot name a folder`,
        });
      const line = createLineWriter({ gateway: options.gateway, redactor }, prefix);
      const at = tenantOf('records', prefix);
      // Most APIs log nothing.
      let logLine: ((facts: LogFacts) => string) | undefined;
      const logs = tenantOf('logs', prefix);
      return {
        write: (facts) => thread.queue.add(at, line(facts)),
        log(facts) {
          logLine ??= createLogLineWriter({ gateway: options.gateway, masksOf }, prefix);
          thread.log(logs, facts, logLine);
        },
      };
    },
    note({ endpoint, message, ...record }) {
      const { org_id: organization, env_id: environment } = record;
      const said = {
        ...record,
        endpoint: endpoint === undefined ? undefined : redactor.uri(endpoint),
        message: message === undefined ? undefined : redactor.text(message),
      };
      void thread.queue.add(tenantOf('records', { organization, environment }), `${JSON.stringify(said)}\n`);
    },
    prepare: (tenant) => thread.prepare(tenantOf('records', tenant)),
    health: () => thread.health(),
    close: () => thread.close(),
  };
}

/**
 * What keeps a thread small that moves bytes and makes hardly an object: little room for new ones (V8 would take 8 MiB), and the cache of
 * stripped code, without which a thread in a checkout loads a compiler of its own (12 MiB).
 */
function smallThread(): WorkerOptions {
  const cache = getCompileCacheDir();
  return {
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
    ...(cache !== undefined && { env: { NODE_COMPILE_CACHE: cache } }),
  };
}

class SpoolThread {
  readonly queue: SpoolQueue;
  /** Logs have their own, so that records never wait behind them, and they are lost first. */
  readonly #logs: SpoolQueue;
  readonly #pendingLogs: PendingLogs;
  readonly #tally: Tally;
  readonly #dropped: Dropped;
  readonly started: Promise<void>;
  readonly #options: ReporterOptions;
  readonly #worker: Worker;
  readonly #meters: ReturnType<typeof createMeters>;
  readonly #closed = Promise.withResolvers<void>();
  /** Spools asked for, by environment; undefined once they are there. */
  readonly #preparing = new Map<string, PromiseWithResolvers<void> | undefined>();
  readonly #losses: Losses;
  #isClosing = false;
  #isBroken = false;
  /** Environments that are served although their spool could not be made. */
  readonly #unprepared = new Set<string>();
  #deletedUntilMs = -Infinity;
  #cancelShown = (): void => undefined;
  #diskBytes = 0;
  /** By what was said, when it may be said again. */
  readonly #troubleSaid = new Map<string, number>();

  constructor(options: ReporterOptions) {
    const { dir, checkpointDir, ledger, gateway, settings, clock, filesModule } = options;
    this.#options = options;
    this.#meters = createMeters(options.metrics);
    this.#losses = new Losses(options);
    this.#dropped = new Dropped(options);
    this.#tally = new Tally({
      dir: tallyDirOf(settings, options.log),
      root: resolve(dir),
      onTrouble: (error) => this.#logTrouble({ what: 'tally', message: messageOf(error) }),
    });
    const workerData: ThreadOptions = { dir, checkpointDir, ledger, gateway, settings, filesModule };
    // The packed program is JavaScript; a checkout runs the source.
    const file = import.meta.url.endsWith('.ts') ? './spool-thread.ts' : './spool-thread.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData,
      name: 'spool',
      ...smallThread(),
    });
    const queue = (stream: StreamName, holdMs: number | undefined, bytesMax: number): SpoolQueue =>
      createSpoolQueue({
        clock,
        holdMs,
        bytesMax,
        send: (parts) => this.#send(stream, parts),
        onState: (isDegraded) => this.#setState(isDegraded),
        // Nobody waits for logs.
        unheld: stream === 'records' ? this.#tally : undefined,
        onDropped: (count, part) => this.#dropFromMemory(count, part),
        onThrown: (error) => this.#tellThrown(error),
      });
    const holdMs = settings.durability === 'memory' ? undefined : settings.spoolHoldMsMax;
    this.queue = queue('records', holdMs, settings.memoryBytesMax);
    this.#logs = queue('logs', undefined, settings.logs.memoryBytesMax);
    this.#pendingLogs = new PendingLogs({ clock, onThrown: (error) => this.#tellThrown(error) });
    const ready = Promise.withResolvers<void>();
    const cancel = clock.after(startMsMax, () =>
      ready.reject(new Fault('config.invalid', { internal: 'the spool thread does not start' })),
    );
    this.started = ready.promise.finally(cancel);
    this.#worker.on('message', (message: FromThread) => this.#receive(message, ready.resolve));
    this.#worker.on('error', (error) => {
      ready.reject(error);
      this.#break(error);
    });
    this.#worker.on('exit', () => this.#closed.resolve());
  }

  prepare(at: Tenant): Promise<void> | undefined {
    const { environment } = at;
    if (!environmentName.test(environment)) return undefined;
    if (!this.#preparing.has(environment)) {
      const asked = Promise.withResolvers<void>();
      this.#preparing.set(environment, asked);
      this.#post({ kind: 'prepare', at });
      const cancel = this.#options.clock.after(prepareMsMax, () => {
        this.#unprepared.add(environment);
        this.#options.log.error({ environment }, 'the spool cannot be made; it is served without');
        this.#showState();
        asked.resolve();
      });
      void asked.promise.then(cancel);
    }
    return this.#preparing.get(environment)?.promise;
  }

  /** Makes a line when there is time, and writes it. */
  log(at: Tenant, facts: LogFacts, line: (facts: LogFacts) => string): void {
    this.#pendingLogs.add({
      facts,
      write: () => void this.#logs.add(at, line(facts)),
      drop: () => this.#dropFromMemory(1, at),
    });
  }

  health(): ReporterHealth {
    const problem = this.#problem();
    return {
      state: problem === undefined ? 'ok' : 'degraded',
      problem,
      droppedRecords: this.#losses.dropped,
      bytes: this.#diskBytes + this.queue.bytes + this.#logs.bytes,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosing) return this.#closed.promise;
    this.#isClosing = true;
    this.#worker.ref();
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(closeMsMax, late.resolve);
    this.#pendingLogs.flush();
    await Promise.race([Promise.all([this.queue.drained(), this.#logs.drained()]), late.promise]);
    this.#post({ kind: 'close' });
    await Promise.race([this.#closed.promise, late.promise]);
    this.#tally.close();
    cancel();
    await this.#worker.terminate();
  }

  #receive(message: FromThread, onReady: () => void): void {
    switch (message.kind) {
      case 'ready':
        // A gateway that is asked to end ends; close() waits for the thread while it should.
        this.#worker.unref();
        return onReady();
      case 'written':
        if (message.stream === 'logs') return this.#logs.written();
        this.#tally.written();
        return this.queue.written();
      case 'trouble':
        return this.#logTrouble(message);
      case 'prepared':
        this.#preparing.get(message.at.environment)?.resolve();
        this.#preparing.set(message.at.environment, undefined);
        this.#unprepared.delete(message.at.environment);
        return this.#showState();
      case 'upkeep':
        this.#diskBytes = message.bytes.records + message.bytes.logs;
        this.#meters.bytes.set(this.#diskBytes);
        return undefined;
      case 'lost':
        if (message.reason === 'deleted') this.#showDeleted();
        return this.#losses.count(message.count, message.reason);
      case 'astray':
        this.#showDeleted();
        return this.#logTrouble({ what: 'deleted segment', message: message.message });
      case 'rescued':
        this.#showDeleted();
        return this.#losses.rescued(message);
      case 'damaged':
        return this.#losses.damaged(message.segment);
      case 'closed':
        return this.#closed.resolve();
    }
  }

  #send(stream: StreamName, parts: readonly Part[]): void {
    const gaps = this.#dropped.take(stream);
    let records = 0;
    for (const part of parts) records += part.count;
    this.#meters[stream].inc(records);
    if (stream === 'records') this.#tally.sent(gaps, parts);
    try {
      this.#post({ kind: 'write', stream, parts: gaps.length === 0 ? parts : [...gaps, ...parts] });
    } catch (error) {
      if (stream === 'records') this.#tally.unsent();
      throw error;
    }
  }

  #post(message: ToThread): void {
    if (!this.#isBroken) this.#worker.postMessage(message);
  }

  #dropFromMemory(count: number, at: Tenant): void {
    this.#dropped.add(count, at);
    if (at.stream === 'records') this.#tally.dropped(count, at);
    this.#losses.count(count, 'memoryFull');
  }

  #problem(): string | undefined {
    if (this.#isBroken) return 'the spool thread has died';
    if (this.queue.isDegraded) return 'the disk does not take records in time';
    if (this.#unprepared.size > 0) return `no spool could be made for ${[...this.#unprepared].join(', ')}`;
    if (this.#options.clock.monotonicMs() < this.#deletedUntilMs)
      return 'segments of the spool were deleted or moved while they were in use';
    return undefined;
  }

  #showDeleted(): void {
    const { clock } = this.#options;
    this.#deletedUntilMs = clock.monotonicMs() + deletedShownMs;
    this.#showState();
    this.#cancelShown();
    this.#cancelShown = clock.after(deletedShownMs, () => this.#showState());
  }

  #showState(): void {
    this.#meters.degraded.set(this.#problem() === undefined ? 0 : 1);
  }

  #setState(isDegraded: boolean): void {
    this.#showState();
    if (isDegraded)
      this.#options.log.warn(
        'the spool is degraded: its disk does not take records in time; answers wait no longer',
      );
    else this.#options.log.info('the spool takes records again');
  }

  #logTrouble({ what, message }: { readonly what: string; readonly message: string }): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < (this.#troubleSaid.get(message) ?? -Infinity)) return;
    if (this.#troubleSaid.size >= troublesMax) this.#troubleSaid.clear();
    this.#troubleSaid.set(message, nowMs + troubleLogEveryMs);
    this.#options.log.warn(
      { what, reason: message },
      'the spool has trouble with its disk; it goes on trying',
    );
  }

  #tellThrown(error: unknown): void {
    try {
      this.#options.log.error({ err: error }, 'the way of access records threw; records may be missing');
    } catch {
      // A log that throws cannot be told.
    }
  }

  #break(error: unknown): void {
    this.#isBroken = true;
    this.#showState();
    for (const asked of this.#preparing.values()) asked?.resolve();
    this.#options.log.error(
      { err: error },
      'the spool thread has died; records gather in memory until the gateway restarts',
    );
    this.#closed.resolve();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
