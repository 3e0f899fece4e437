import { Worker } from 'node:worker_threads';

import { TransformFailure } from '../failure.ts';

/** How long a job may take of a core, and how long it may be without one; how long it may wait for others, and how many may. */
const runMsMax = 1_000;
const starvedMsMax = 4_000;
const waitMsMax = 5_000;
const waitingMax = 100;
/** How long the thread may take to come up, and stays without work. */
const startMsMax = 20_000;
const idleMsMax = 60_000;

/** What a thread says: that it is there, a result, or why there is none; and whether that was its last job, since it can be trusted with no other. */
export type JobSaid =
  | { readonly kind: 'ready' }
  | { readonly kind: 'made'; readonly text: string; readonly isSpent: boolean }
  | { readonly kind: 'failed'; readonly why: string; readonly isSpent: boolean };

/** The same with how long it has had a core by then. */
export interface JobMessage {
  readonly said: JobSaid;
  readonly cpu: NodeJS.CpuUsage;
}

/** The thread could not even begin: too many are in front of it, or it does not come up. */
export class ThreadBusy extends TransformFailure {
  override readonly name = 'ThreadBusy';
}

/** Which thread. */
export interface JobThreadWish {
  /** What people read of it, e.g. `XSLT`. */
  readonly name: string;
  /** Its source, without the ending: the packed program is JavaScript, a checkout runs the source. */
  readonly source: URL;
}

interface Waiting<Job> {
  readonly job: Job;
  readonly untilMs: number;
  readonly resolve: (text: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread that does jobs of one kind, one after another: libraries in WebAssembly, which cannot be stopped in any other way. It is there while
 * it is used, is killed when a job takes longer than it may, and makes room for another when a job has spent it.
 *
 * One that is over before its turn comes is not begun, and says undefined.
 *
 * Errors: a job rejects with TransformFailure where it fails, or is past a bound; with ThreadBusy where it never began.
 */
export class JobThread<Job> {
  readonly #wish: JobThreadWish;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting<Job>>();
  #worker: Worker | undefined;
  #isReady = false;
  #running: Waiting<Job> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What its jobs before have had of a core. */
  #cpuBefore: NodeJS.CpuUsage = { user: 0, system: 0 };

  constructor(wish: JobThreadWish) {
    this.#wish = wish;
  }

  run(job: Job, over?: AbortSignal): Promise<string | undefined> {
    if (over?.aborted === true) return Promise.resolve(undefined);
    if (this.#waiting.size >= waitingMax)
      return Promise.reject(new ThreadBusy(`waits behind more than ${waitingMax} others`));
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const waiting = { job, untilMs: performance.now() + waitMsMax, resolve, reject };
    this.#waiting.add(waiting);
    const leave = (): void => {
      if (this.#waiting.delete(waiting)) resolve(undefined);
    };
    over?.addEventListener('abort', leave);
    if (this.#worker === undefined) this.#start();
    else this.#next();
    // A request may go on for long behind its job, whose body nobody needs then.
    return promise.finally(() => over?.removeEventListener('abort', leave));
  }

  #start(): void {
    const { name, source } = this.#wish;
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`${source.href}.${ending}`), { name: name.toLowerCase() });
    this.#worker = worker;
    this.#isReady = false;
    worker.on('message', ({ said, cpu }: JobMessage) => {
      if (worker !== this.#worker) return;
      this.#cpuBefore = cpu;
      this.#heard(said);
    });
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#ends(`the thread of ${name} ended: ${error.message}`);
    });
    worker.on('exit', () => {
      if (worker === this.#worker) this.#ends(`the thread of ${name} ended`);
    });
    this.#within(startMsMax, `the thread of ${name} does not come up`);
  }

  #within(ms: number, why: string): void {
    this.#after(ms, () => this.#ends(why));
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms).unref();
  }

  /** Ends a job that has had its time on a core; one that had none may go on, until it is over in any case. */
  #look(endMs: number): void {
    const [worker, running] = [this.#worker, this.#running];
    const leftMs = (): number => endMs - performance.now();
    // A thread that has no core does not say that either.
    this.#within(Math.max(0, leftMs()), `was ${starvedMsMax} ms without a core`);
    const hear = ({ user, system }: NodeJS.CpuUsage): void => {
      if (worker !== this.#worker || running !== this.#running) return;
      const toGoMs = runMsMax - (user + system) / 1_000;
      if (toGoMs <= 0) return this.#ends(`takes longer than ${runMsMax} ms`);
      this.#after(Math.max(1, Math.min(toGoMs, leftMs())), () => this.#look(endMs));
    };
    // It cannot be asked when it has ended, and that is heard elsewhere.
    void worker?.cpuUsage(this.#cpuBefore).then(hear, () => undefined);
  }

  #heard(message: JobSaid): void {
    this.#isReady = true;
    const running = this.#running;
    this.#running = undefined;
    if (message.kind === 'made') running?.resolve(message.text);
    if (message.kind === 'failed') running?.reject(new TransformFailure(message.why));
    if (message.kind !== 'ready' && message.isSpent) return this.#ends('');
    this.#within(idleMsMax, '');
    this.#next();
    // Without work it keeps no process alive; a listener of its messages would.
    if (this.#running === undefined) this.#worker?.unref();
  }

  #next(): void {
    if (!this.#isReady || this.#running !== undefined) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    if (performance.now() > next.untilMs) {
      next.reject(new ThreadBusy(`waited longer than ${waitMsMax} ms for others`));
      return this.#next();
    }
    this.#running = next;
    this.#worker?.ref();
    const endMs = performance.now() + runMsMax + starvedMsMax;
    this.#after(runMsMax, () => this.#look(endMs));
    this.#worker?.postMessage(next.job);
  }

  /** Kills it; who waits behind gets a new one, unless it did not even come up. */
  #ends(why: string): void {
    clearTimeout(this.#timer);
    const [worker, running] = [this.#worker, this.#running];
    this.#worker = undefined;
    this.#running = undefined;
    void worker?.terminate();
    running?.reject(new TransformFailure(why));
    if (!this.#isReady) {
      for (const waiting of this.#waiting) waiting.reject(new ThreadBusy(why));
      this.#waiting.clear();
    }
    if (this.#waiting.size > 0) this.#start();
  }
}
