import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { scriptEffectsSchema } from './facts.ts';
import type { RunLimits, RunReply } from './machine.ts';
import type { ScriptOutcome, ScriptRun, Scripts } from './script.ts';
import { ThreadFace } from './thread-face.ts';
import { type Turn, Turns } from './turns.ts';

/** Section `policy.js` of the configuration. */
export interface ScriptSettings extends RunLimits {
  readonly threadsMax: number;
  readonly waitMsMax: number;
  readonly waitingMax: number;
  readonly console: boolean;
}

/** What the sandbox needs of its process. */
export interface SandboxOptions {
  readonly settings: ScriptSettings;
  readonly clock: Clock;
  readonly log: Log;
}

interface Job {
  readonly run: ScriptRun;
  readonly resolve: (outcome: ScriptOutcome) => void;
}

/** Who has waited for a thread as long as he may is without a core for so long at most. */
const withoutCoreMsMin = 80;
/** After a thread that did not start, the next is tried so much later. */
const restartMs = 1_000;

/**
 * The threads in which all scripts of this process run.
 *
 * There are none until an API with a script is deployed, then one, and more while scripts wait, up to `threadsMax`; when no such API is
 * left, they are let go. A run that takes longer than its budget is ended with its thread, and another takes its place.
 */
export class Sandbox {
  readonly #options: SandboxOptions;
  readonly #threads = new Set<ThreadFace>();
  readonly #turns: Turns<Job>;
  #holds = 0;
  #isClosed = false;
  #restartsAtMs = -Infinity;
  #watch: (() => void) | undefined;

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#turns = new Turns(options.settings);
  }

  /** What one API is given. */
  of(api: string): Scripts {
    return {
      hold: () => this.#hold(),
      run: (run, over) => this.#run(api, run, over),
    };
  }

  /** Threads that there are, those on their way out included. */
  get threads(): number {
    return this.#threads.size;
  }

  /** Runs that wait. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Ends all; what waits is told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.();
    for (const { resolve } of this.#turns.expire(Infinity)) resolve(busy('the gateway ends'));
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #hold(): () => void {
    this.#holds += 1;
    if (this.#threads.size === 0) this.#startOne();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      this.#letGo();
    };
  }

  #run(api: string, run: ScriptRun, over: AbortSignal | undefined): Promise<ScriptOutcome> {
    const { settings, clock } = this.#options;
    if (this.#isClosed) return Promise.resolve(busy('the gateway ends'));
    if (over?.aborted === true) return Promise.resolve(gone);
    const { promise, resolve } = Promise.withResolvers<ScriptOutcome>();
    const waiting = this.#turns.add(api, { run, resolve }, clock.monotonicMs());
    if (waiting === undefined)
      return Promise.resolve(
        busy(`more than ${settings.waitingMax} scripts wait, or half of them of this API`),
      );
    this.#give();
    const leave = (): void => {
      if (!this.#turns.remove(api, waiting)) return;
      resolve(gone);
      this.#letGo();
    };
    over?.addEventListener('abort', leave);
    // A request may go on for long behind its script, whose facts nobody needs then.
    return promise.finally(() => over?.removeEventListener('abort', leave));
  }

  /** Hands out what waits to threads that are free, and sees to it that there are enough. */
  #give(): void {
    for (const thread of this.#threads) {
      if (!thread.isFree) continue;
      const next = this.#turns.take();
      if (next === undefined) break;
      this.#runOn(thread, next);
    }
    if (this.#turns.waiting === 0) return;
    this.#watchWaiting();
    const isOneComing = [...this.#threads].some((thread) => thread.isStarting || thread.isFree);
    if (!isOneComing) this.#startOne();
  }

  #runOn(thread: ThreadFace, { api, job, sinceMs }: Turn<Job>): void {
    const { clock, settings } = this.#options;
    const startedMs = clock.monotonicMs();
    const waitMs = Math.max(withoutCoreMsMin, settings.waitMsMax - (startedMs - sinceMs));
    void thread.run(job.run, waitMs).then((reply) => {
      this.#turns.give(api, clock.monotonicMs() - startedMs);
      job.resolve(this.#judge(api, reply));
      this.#give();
      this.#letGo();
    });
  }

  /** What a script says is a stranger's word. */
  #judge(api: string, reply: RunReply): ScriptOutcome {
    if (reply.kind === 'starved') return busy('its thread had too little of a core to end');
    if (reply.kind !== 'done') return reply;
    try {
      const effects = scriptEffectsSchema.safeParse(JSON.parse(reply.said));
      if (!effects.success)
        return {
          kind: 'failed',
          why: `what it did cannot be done: ${effects.error.issues[0]?.message ?? ''}`,
        };
      if (this.#options.settings.console) this.#print(api, effects.data.console);
      return { kind: 'done', effects: effects.data };
    } catch (error) {
      return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
    }
  }

  #print(api: string, lines: readonly (readonly ['info' | 'error', string])[]): void {
    for (const [level, text] of lines) this.#options.log[level]({ api, text }, 'a script says');
  }

  #startOne(): void {
    const { settings, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#isClosed || this.#threads.size >= settings.threadsMax || nowMs < this.#restartsAtMs) return;
    const thread: ThreadFace = new ThreadFace(settings, {
      clock,
      events: {
        onReady: () => this.#refill(),
        onGone: (why) => {
          this.#threads.delete(thread);
          if (why !== undefined) {
            this.#restartsAtMs = clock.monotonicMs() + restartMs;
            log.warn({ why }, 'a thread for scripts does not start; the next is tried in a second');
            clock.after(restartMs, () => this.#refill());
          } else this.#refill();
        },
      },
    });
    this.#threads.add(thread);
  }

  /** As many as are wanted: one while an API has scripts, more while some wait. */
  #refill(): void {
    if (this.#isClosed) return;
    if (this.#holds > 0 && this.#threads.size === 0) this.#startOne();
    this.#give();
  }

  /** Threads that nobody needs any more. */
  #letGo(): void {
    if (this.#holds > 0 || this.#turns.waiting > 0) return;
    for (const thread of this.#threads) if (thread.isFree || thread.isStarting) void thread.close();
  }

  /** Tells those that have waited too long, for as long as some wait. */
  #watchWaiting(): void {
    const { settings, clock } = this.#options;
    this.#watch ??= clock.after(Math.ceil(settings.waitMsMax / 4), () => {
      this.#watch = undefined;
      const gone = this.#turns.expire(clock.monotonicMs() - settings.waitMsMax * 0.75);
      for (const { resolve } of gone) resolve(busy(`no thread was free for ${settings.waitMsMax} ms`));
      if (this.#turns.waiting > 0) this.#give();
    });
  }
}

const gone: ScriptOutcome = { kind: 'gone' };

const busy = (why: string): ScriptOutcome => ({ kind: 'busy', why });
