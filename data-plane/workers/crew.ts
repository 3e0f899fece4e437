import type { Clock } from '../../proto/process/clock.ts';
import type { Log, LogLevel } from '../../proto/process/log.ts';
import type { Nack } from '../../proto/wire/published.ts';
import type { WorkersState } from '../admin/state.ts';
import type { ConfigChange, HearRefusedLate } from '../gateway/deploy/change.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import { type Backoff, createBackoff } from '../sync/backoff.ts';
import type { MemoryCounterStore } from '../limits/memory.ts';
import type { Figures } from './figures.ts';
import type { SharedListeners } from './listener.ts';
import type { KnownEndpoints, WorkerStart, WorkerStats } from './messages.ts';
import type { ServedSet } from './served-set.ts';
import { type WorkerBounds, WorkerProcess } from './worker-process.ts';

/** What a crew needs. */
export interface CrewOptions {
  readonly wanted: number;
  /** What the next worker is started with; certificates may have changed since the last. */
  readonly start: () => WorkerStart;
  readonly listeners: SharedListeners;
  readonly served: ServedSet;
  readonly figures: Figures;
  readonly bounds: WorkerBounds;
  /** What a worker that starts is told: which endpoints were found, and how those are that are not simply up. */
  readonly known: () => KnownEndpoints;
  /** Rate limits of all workers count here. */
  readonly counters: MemoryCounterStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Waits before a worker that ended by itself is started again; from the first on after it ran for `steadyMs`. */
const restart = { firstMs: 200, capMs: 30_000 };
const steadyMs = 60_000;

interface Slot {
  worker: WorkerProcess | undefined;
  readonly backoff: Backoff;
}

/** Keeps the wanted number of workers at work. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #slots: readonly Slot[];
  /** All that live: starting, serving and draining. */
  readonly #alive = new Set<WorkerProcess>();
  /** By environment: answers to what was sent and not yet confirmed. */
  readonly #applying = new Map<string, Promise<readonly Nack[]>[]>();
  #hearRefusedLate: HearRefusedLate | undefined;
  #lost = 0;
  #isReplacing = false;
  #isClosing = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.wanted }, () => ({
      worker: undefined,
      backoff: createBackoff(restart),
    }));
  }

  /** Starts all. Errors: those of the first worker that does not start; the others are ended then. */
  async open(): Promise<void> {
    try {
      await Promise.all(this.#slots.map(async (slot) => this.#settle(slot, await this.#launch())));
    } catch (error) {
      this.#isClosing = true;
      this.kill();
      throw error;
    }
  }

  /** One hears what a worker compiles for a first request and has to refuse. */
  onRefusedLate(hear: HearRefusedLate): void {
    this.#hearRefusedLate = hear;
  }

  /** Hands a change to every worker. `refused` are the nacks of the primary, which compiled it before. */
  apply(change: ConfigChange, refused: readonly Nack[]): void {
    const known = new Set(refused.map(keyOf));
    const answers = this.#applying.get(change.environment) ?? [];
    for (const worker of this.#alive) {
      // Who has no set yet finds the change in it; who does not serve yet waits for it before it does.
      if (!worker.hasSet) continue;
      const applied = worker.apply(change).then((nacks) => this.#onlyOwn(worker, nacks, known));
      if (worker.mayServe) answers.push(applied);
    }
    this.#applying.set(change.environment, answers);
  }

  /** See ConfirmChange. */
  async confirm(environment: string): Promise<readonly Nack[]> {
    const answers = this.#applying.get(environment) ?? [];
    this.#applying.delete(environment);
    const nacks = (await Promise.all(answers)).flat();
    return [...new Map(nacks.map((nack) => [keyOf(nack), nack])).values()];
  }

  /** Tells every worker that has the configuration of endpoints that were found, or of an endpoint's new state. */
  tell(known: KnownEndpoints): void {
    for (const worker of this.#alive) if (worker.hasSet) worker.tell(known);
  }

  /** Every worker logs from this level on. */
  setLogLevel(level: LogLevel): void {
    for (const worker of this.#alive) worker.setLogLevel(level);
  }

  /** No definition leads any worker to this port of ours. */
  addDoor(port: number): void {
    for (const worker of this.#alive) worker.addDoor(port);
  }

  /** Every worker reads again what it can; says whether one has taken something over. */
  async reload(): Promise<boolean> {
    const taken = await Promise.all([...this.#alive].map((worker) => worker.reload()));
    return taken.includes(true);
  }

  /** Every worker uses the certificates of a server from now on. Errors: what the first that refuses them says. */
  async reloadTls(server: string, tls: TlsOptions): Promise<void> {
    const problems = await Promise.all([...this.#alive].map((worker) => worker.reloadTls(server, tls)));
    const problem = problems.find((each) => each !== undefined);
    if (problem !== undefined) throw new Error(problem);
  }

  /**
   * Puts a new process in the place of each worker, one after another: the new one serves what the old one serves before the
   * old one drains. When a new one does not start, the old one stays and so do the rest. Never rejects.
   */
  async replace(): Promise<void> {
    const { log, clock } = this.#options;
    if (this.#isReplacing || this.#isClosing) return;
    this.#isReplacing = true;
    const startedMs = clock.monotonicMs();
    try {
      for (const slot of this.#slots) {
        if (this.#isClosing) return;
        const fresh = await this.#launch();
        const old = slot.worker;
        this.#settle(slot, fresh);
        await old?.drain();
        log.info({ worker: fresh.pid, replaces: old?.pid }, 'a worker was replaced');
      }
      log.info({ ms: Math.round(clock.monotonicMs() - startedMs) }, 'all workers were replaced');
    } catch (error) {
      log.error({ err: error }, 'a new worker did not start; the old ones stay');
    } finally {
      this.#isReplacing = false;
    }
  }

  /** True while there are workers to hand changes to. */
  get isOpen(): boolean {
    return this.#alive.size > 0;
  }

  get isReplacing(): boolean {
    return this.#isReplacing;
  }

  state(): WorkersState {
    return {
      wanted: this.#slots.length,
      serving: [...this.#alive].filter(({ state }) => state === 'serving').length,
      isReplacing: this.#isReplacing,
      lost: this.#lost,
      processes: [...this.#alive].flatMap(({ pid, startedAtMs, state, seqs, stats }) =>
        state === 'ended'
          ? []
          : [
              {
                pid,
                startedAt: new Date(startedAtMs).toISOString(),
                state,
                seqs: Object.fromEntries(seqs),
                connections: stats?.connections ?? 0,
              },
            ],
      ),
    };
  }

  /** The last figures of those that live. */
  stats(): readonly WorkerStats[] {
    return [...this.#alive].flatMap(({ stats }) => (stats === undefined ? [] : [stats]));
  }

  /** Has all say how they are now. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#alive].map((worker) => worker.refresh()));
  }

  /** Drains all at once; resolves when all are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#alive].map((worker) => worker.drain()));
  }

  /** Ends all at once. */
  kill(): void {
    for (const worker of this.#alive) worker.kill('the gateway ends at once');
  }

  async #launch(): Promise<WorkerProcess> {
    const { start, bounds, counters, clock, log, served, listeners, figures, known } = this.#options;
    const onRefusedLate: HearRefusedLate = (at, nack) => this.#hearRefusedLate?.(at, nack);
    const worker = new WorkerProcess({ start: start(), bounds, counters, onRefusedLate, clock, log });
    this.#alive.add(worker);
    void worker.ended.then(() => {
      this.#alive.delete(worker);
      if (worker.stats !== undefined) figures.retire(worker.stats);
    });
    try {
      await worker.start({ changes: () => served.changes(), known, listeners });
    } catch (error) {
      worker.kill('did not start');
      throw error;
    }
    return worker;
  }

  /** Gives a worker its place and sees to it that the place is filled again. */
  #settle(slot: Slot, worker: WorkerProcess): void {
    slot.worker = worker;
    void worker.ended.then(({ how }) => {
      if (slot.worker !== worker || this.#isClosing) return;
      slot.worker = undefined;
      this.#lost += 1;
      const { clock, log } = this.#options;
      if (clock.now() - worker.startedAtMs > steadyMs) slot.backoff.reset();
      log.error({ worker: worker.pid, how }, 'a worker ended by itself; another takes its place');
      this.#refill(slot);
    });
  }

  #refill(slot: Slot): void {
    const { clock, log } = this.#options;
    const isWanted = (): boolean => !this.#isClosing && slot.worker === undefined;
    clock.after(slot.backoff.nextMs(), () => {
      if (!isWanted()) return;
      void this.#launch().then(
        // A replacement may have been quicker.
        (worker) => (isWanted() ? this.#settle(slot, worker) : void worker.drain()),
        (error: unknown) => {
          log.error({ err: error }, 'a worker did not start; it is tried again');
          if (isWanted()) this.#refill(slot);
        },
      );
    });
  }

  /** What this worker refused although the primary took it: the same code may still differ in memory or files. */
  #onlyOwn(worker: WorkerProcess, nacks: readonly Nack[], known: ReadonlySet<string>): readonly Nack[] {
    const own = nacks.filter((nack) => !known.has(keyOf(nack)));
    for (const nack of own)
      this.#options.log.error({ worker: worker.pid, ...nack }, 'a worker refused a record that others serve');
    return own;
  }
}

const keyOf = ({ kind, id }: { readonly kind: string; readonly id: string }): string => `${kind}\0${id}`;
