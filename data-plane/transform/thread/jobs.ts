import { Worker } from 'node:worker_threads';

import { TransformFailure } from '../failure.ts';

/** How long a job may take, how long it may wait for others, and how many may. */
const runMsMax = 1_000;
const waitMsMax = 5_000;
const waitingMax = 100;
/** How long the thread may take to come up, and stays without work. */
const startMsMax = 20_000;
const idleMsMax = 60_000;

/** What a thread says: that it is there, a result, or why there is none. */
export type JobMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'made'; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string };

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
  readonly resolve: (text: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread that does jobs of one kind, one after another: libraries in WebAssembly, which cannot be stopped in any other way. It is there while
 * it is used, and is killed when a job takes longer than it may.
 *
 * Errors: a job rejects with TransformFailure where it fails, or is past a bound; with ThreadBusy where it never began.
 */
export class JobThread<Job> {
  readonly #wish: JobThreadWish;
  readonly #waiting: Waiting<Job>[] = [];
  #worker: Worker | undefined;
  #isReady = false;
  #running: Waiting<Job> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(wish: JobThreadWish) {
    this.#wish = wish;
  }

  run(job: Job): Promise<string> {
    if (this.#waiting.length >= waitingMax)
      return Promise.reject(new ThreadBusy(`waits behind more than ${waitingMax} others`));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push({ job, untilMs: performance.now() + waitMsMax, resolve, reject });
    if (this.#worker === undefined) this.#start();
    else this.#next();
    return promise;
  }

  #start(): void {
    const { name, source } = this.#wish;
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`${source.href}.${ending}`), { name: name.toLowerCase() });
    this.#worker = worker;
    this.#isReady = false;
    worker.on('message', (message: JobMessage) => {
      if (worker === this.#worker) this.#heard(message);
    });
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#ends(`the thread of ${name} ended: ${error.message}`);
    });
    this.#within(startMsMax, `the thread of ${name} does not come up`);
  }

  #within(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ends(why), ms).unref();
  }

  #heard(message: JobMessage): void {
    this.#isReady = true;
    const running = this.#running;
    this.#running = undefined;
    if (message.kind === 'made') running?.resolve(message.text);
    if (message.kind === 'failed') running?.reject(new TransformFailure(message.why));
    this.#within(idleMsMax, '');
    this.#next();
    // Without work it keeps no process alive; a listener of its messages would.
    if (this.#running === undefined) this.#worker?.unref();
  }

  #next(): void {
    if (!this.#isReady || this.#running !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    if (performance.now() > next.untilMs) {
      next.reject(new ThreadBusy(`waited longer than ${waitMsMax} ms for others`));
      return this.#next();
    }
    this.#running = next;
    this.#worker?.ref();
    this.#within(runMsMax, `takes longer than ${runMsMax} ms`);
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
    if (!this.#isReady) for (const waiting of this.#waiting.splice(0)) waiting.reject(new ThreadBusy(why));
    if (this.#waiting.length > 0) this.#start();
  }
}
