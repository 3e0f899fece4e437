import { Worker } from 'node:worker_threads';

import { TransformFailure } from '../failure.ts';
import type { XsltJob, XsltMessage } from './xslt-thread.ts';

/** How long a transformation may take, how long it may wait for others, and how many may. */
const runMsMax = 1_000;
const waitMsMax = 5_000;
const waitingMax = 100;
/** How long the thread may take to come up, and stays without work. */
const startMsMax = 20_000;
const idleMsMax = 60_000;

interface Waiting {
  readonly job: XsltJob;
  readonly untilMs: number;
  readonly resolve: (text: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Transforms XML by a stylesheet of XSLT 1.0, in the one thread of this process that does, one after another. The thread is there while it is
 * used, and is killed when a transformation takes longer than it may.
 *
 * Errors: rejects with TransformFailure for what is no XML, a stylesheet that cannot be run, and past a bound.
 */
export function transformXml(job: XsltJob): Promise<string> {
  return thread.run(job);
}

/** The thread, which comes up with the first job. */
class XsltThread {
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #isReady = false;
  #running: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;

  run(job: XsltJob): Promise<string> {
    if (this.#waiting.length >= waitingMax)
      return Promise.reject(new TransformFailure(`waits behind more than ${waitingMax} others`));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push({ job, untilMs: performance.now() + waitMsMax, resolve, reject });
    if (this.#worker === undefined) this.#start();
    else this.#next();
    return promise;
  }

  #start(): void {
    const file = import.meta.url.endsWith('.ts') ? './xslt-thread.ts' : './xslt-thread.js';
    const worker = new Worker(new URL(file, import.meta.url), { name: 'xslt' });
    worker.unref();
    this.#worker = worker;
    this.#isReady = false;
    worker.on('message', (message: XsltMessage) => {
      if (worker === this.#worker) this.#heard(message);
    });
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#ends(`the thread of XSLT ended: ${error.message}`);
    });
    this.#within(startMsMax, 'the thread of XSLT does not come up');
  }

  #within(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ends(why), ms).unref();
  }

  #heard(message: XsltMessage): void {
    this.#isReady = true;
    const running = this.#running;
    this.#running = undefined;
    if (message.kind === 'made') running?.resolve(message.text);
    if (message.kind === 'failed')
      running?.reject(new TransformFailure(`cannot be transformed: ${message.why}`));
    this.#within(idleMsMax, '');
    this.#next();
  }

  #next(): void {
    if (!this.#isReady || this.#running !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    if (performance.now() > next.untilMs) {
      next.reject(new TransformFailure(`waited longer than ${waitMsMax} ms for others`));
      return this.#next();
    }
    this.#running = next;
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
    if (!this.#isReady)
      for (const waiting of this.#waiting.splice(0)) waiting.reject(new TransformFailure(why));
    if (this.#waiting.length > 0) this.#start();
  }
}

const thread = new XsltThread();
