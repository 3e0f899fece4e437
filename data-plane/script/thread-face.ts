import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';

import type { Clock } from '../../proto/process/clock.ts';
import type { RunLimits, RunReply } from './machine.ts';
import type { ScriptRun } from './script.ts';
import type { FromThread, ToThread } from './thread.ts';

/** Longest time that a thread takes to be ready; past it there is something wrong with the machine. */
const startMsMax = 10_000;
/** How long after its budget a run is looked at, and its thread ended: what asks nobody asks no interrupt either. */
const graceMs = 100;
/** So much time on a core past its budget shows that a run asks nobody. */
const overMs = 10;
/** Room of a thread for its own objects, beside what scripts have in WebAssembly. */
const ownHeapMb = 64;

/** What a thread tells its owner. */
export interface ThreadEvents {
  /** It may be given its first run. */
  onReady(): void;
  /** It is gone, and another may take its place. why: it never was ready. */
  onGone(why: string | undefined): void;
}

/** A thread as its owner sees it: ready, running one script, or on its way out. */
export class ThreadFace {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #limits: RunLimits;
  readonly #events: ThreadEvents;
  #state: 'starting' | 'free' | 'running' | 'ending' = 'starting';
  #onReply: ((reply: RunReply) => void) | undefined;
  /** What its runs before have had of a core. */
  #cpuBefore: NodeJS.CpuUsage = { user: 0, system: 0 };
  #cancel: () => void;
  /** Why it ended, unless it was told to. */
  #why: string | undefined;
  /** It was not ready in time. */
  #isLate = false;

  constructor(
    limits: RunLimits,
    { clock, events }: { readonly clock: Clock; readonly events: ThreadEvents },
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#events = events;
    // The packed program is JavaScript; a checkout runs the source, whose stripped form the cache keeps.
    const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js';
    const cache = getCompileCacheDir();
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: limits,
      name: 'script',
      resourceLimits: {
        maxYoungGenerationSizeMb: 2,
        maxOldGenerationSizeMb: ownHeapMb + Math.ceil((2 * limits.memoryBytesMax) / 1_048_576),
      },
      // Nothing of the process's environment, which may hold secrets.
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    });
    this.#worker.unref();
    this.#cancel = clock.after(startMsMax, () => {
      this.#isLate = true;
      this.#end('timeout');
    });
    this.#worker.on('message', (message: FromThread) => this.#hear(message));
    this.#worker.on('error', (error) => (this.#why = error instanceof Error ? error.message : String(error)));
    this.#worker.once('exit', () => this.#leave());
  }

  get isFree(): boolean {
    return this.#state === 'free';
  }

  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  /** Runs a script, which may be without a core for so long; to be asked of a free thread only. Never rejects. */
  run(job: ScriptRun, waitMs: number): Promise<RunReply> {
    this.#state = 'running';
    this.#worker.postMessage({ job, waitMs } satisfies ToThread);
    const firstMs = this.#limits.timeoutMs + graceMs;
    const endMs = this.#clock.monotonicMs() + firstMs + waitMs;
    return new Promise((resolve) => {
      this.#onReply = resolve;
      this.#cancel = this.#clock.after(firstMs, () => this.#look(resolve, endMs));
    });
  }

  /** Ends a run that has had its time on a core and goes on all the same; one that had none may go on, until it is over in any case. */
  #look(run: (reply: RunReply) => void, endMs: number): void {
    const leftMs = (): number => endMs - this.#clock.monotonicMs();
    if (leftMs() <= 0) return this.#end('starved');
    // A thread that has no core does not say that either.
    this.#cancel = this.#clock.after(leftMs(), () => this.#end('starved'));
    const hear = ({ user, system }: NodeJS.CpuUsage): void => {
      if (this.#onReply !== run) return;
      const toGoMs = this.#limits.timeoutMs + overMs - (user + system) / 1_000;
      if (toGoMs <= 0) return this.#end('timeout');
      this.#cancel();
      const nextMs = Math.max(0, Math.min(Math.ceil(toGoMs), leftMs()));
      this.#cancel = this.#clock.after(nextMs, () => this.#look(run, endMs));
    };
    // It cannot be asked when it has ended, and that is heard elsewhere.
    void this.#worker.cpuUsage(this.#cpuBefore).then(hear, () => undefined);
  }

  /** Ends it; resolves when it is gone. What it runs is over. */
  async close(): Promise<void> {
    this.#end('timeout');
    await this.#worker.terminate();
  }

  #hear({ told, cpu }: FromThread): void {
    if (this.#state === 'ending') return;
    this.#cancel();
    this.#state = 'free';
    this.#cpuBefore = cpu;
    if (told.kind === 'ready') this.#events.onReady();
    else this.#answer(told);
  }

  #end(kind: 'timeout' | 'starved'): void {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    this.#cancel();
    // Whoever waits is told at once: an engine in the midst of a long call takes its time to end.
    this.#answer({ kind });
    void this.#worker.terminate();
  }

  #leave(): void {
    const hasStarted = this.#state !== 'starting' && !this.#isLate;
    this.#state = 'ending';
    this.#cancel();
    this.#answer({ kind: 'failed', why: this.#why ?? 'its thread has ended' });
    this.#events.onGone(hasStarted ? undefined : (this.#why ?? 'it does not start'));
  }

  #answer(reply: RunReply): void {
    const tell = this.#onReply;
    this.#onReply = undefined;
    tell?.(reply);
  }
}
