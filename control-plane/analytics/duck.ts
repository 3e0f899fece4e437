import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../proto/faults/fault.ts';
import type { AskJob, ConvertJob, ConvertResult, DuckAnswer, DuckJob, DuckSettings } from './duck-jobs.ts';
import type { Row } from './questions/question.ts';

/** Bounds of one DuckDB process. */
export interface DuckOptions extends Omit<DuckSettings, 'spillDir'> {
  /** Where each child process gets a folder for what does not fit into memory; it goes with the child. */
  readonly spillsDir: string;
  /** One job, its wait in the queue not counted. */
  readonly timeoutMs: number;
  /** Jobs that wait; one more is refused. */
  readonly queueMax: number;
}

/** A DuckDB in a process of its own, one job at a time. Errors: analytics.overloaded, analytics.failed. */
export interface Duck {
  convert(job: Omit<ConvertJob, 'kind'>): Promise<ConvertResult>;
  /** Puts a question, which can read nothing but what is written around it. */
  ask(job: Omit<AskJob, 'kind'>): Promise<readonly Row[]>;
  /** Anything; for work on files of the lake, never for what somebody asks. */
  query(sql: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** Makes one; the process starts with the first job, and again after it was killed. */
export function createDuck(options: DuckOptions): Duck {
  const duck = new ChildDuck(options);
  return {
    convert: async (job) => (await duck.run({ kind: 'convert', ...job })) as ConvertResult,
    ask: async (job) => (await duck.run({ kind: 'ask', ...job })) as readonly Row[],
    query: async (sql) => (await duck.run({ kind: 'query', sql })) as readonly Row[],
    close: () => duck.close(),
  };
}

class ChildDuck {
  readonly #options: DuckOptions;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(options: DuckOptions) {
    this.#options = options;
  }

  run(job: DuckJob): Promise<unknown> {
    if (this.#waiting >= this.#options.queueMax) throw new Fault('analytics.overloaded');
    this.#waiting += 1;
    const result = this.#last.then(() => this.#execute(job)).finally(() => (this.#waiting -= 1));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    const ended = child === undefined ? undefined : once(child, 'exit');
    child?.kill('SIGKILL');
    await this.#last;
    // Its spill is removed when it has ended.
    if (child?.exitCode === null && child.signalCode === null) await ended;
  }

  async #execute(job: DuckJob): Promise<unknown> {
    if (this.#isClosed) throw new Fault('analytics.failed', { internal: 'closed' });
    const child = (this.#child ??= await this.#start());
    return this.#exchange(child, () => void child.send(job));
  }

  async #start(): Promise<ChildProcess> {
    const { dir, spillsDir, spillBytesMax, memoryBytesMax, threads } = this.#options;
    const spillDir = join(spillsDir, randomBytes(8).toString('hex'));
    mkdirSync(spillDir, { recursive: true });
    const settings: DuckSettings = { dir, spillDir, spillBytesMax, memoryBytesMax, threads };
    // The packed program is JavaScript; a checkout runs the source.
    const file = import.meta.url.endsWith('.ts') ? './duckdb-main.ts' : './duckdb-main.js';
    const cache = getCompileCacheDir();
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(settings)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      ...(cache !== undefined && { env: { ...process.env, NODE_COMPILE_CACHE: cache } }),
    });
    this.#child = child;
    // It may also end between two jobs, killed for its memory. A killed one leaves what it has spilled.
    child.once('exit', () => {
      rmSync(spillDir, { recursive: true, force: true });
      if (this.#child === child) this.#child = undefined;
    });
    await this.#exchange(child, () => undefined);
    return child;
  }

  /** Sends something and waits for the one answer to it; the process does not outlive a failure to answer. */
  #exchange(child: ChildProcess, send: () => void): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const give = (reason: string): void => {
      child.kill('SIGKILL');
      if (this.#child === child) this.#child = undefined;
      reject(new Fault('analytics.failed', { internal: reason }));
    };
    const onMessage = (answer: DuckAnswer): void => {
      if (answer.kind === 'error') reject(new Fault('analytics.failed', { internal: answer.message }));
      else resolve(answer.kind === 'result' ? answer.result : undefined);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      give(`the process ended: ${code ?? signal}`);
    const onError = (error: Error): void => give(error.message);
    const timer = setTimeout(
      () => give(`no answer in ${this.#options.timeoutMs} ms`),
      this.#options.timeoutMs,
    );
    child.once('message', onMessage).once('exit', onExit).once('error', onError);
    send();
    return promise.finally(() => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
    });
  }
}
