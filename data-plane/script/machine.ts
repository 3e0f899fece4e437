import { randomBytes } from 'node:crypto';

import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';

import type { BindingHow } from './guest/bind.ts';
import { guestSource } from './guest/source.ts';
import type { ScriptRun } from './script.ts';

/** What one run may take. */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly memoryBytesMax: number;
}

/** What a run says; `said` is JSON that the script may have had a hand in. */
export type RunReply =
  | { readonly kind: 'done'; readonly said: string }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'timeout' }
  /** It was not over when it had waited for a core as long as it may. */
  | { readonly kind: 'starved' };

/** Deep enough for what people write, and far from the end of the stack of WebAssembly. */
const stackBytesMax = 262_144;
/** Most promises that a script may have settled after its end. */
const jobsMax = 10_000;

/**
 * QuickJS in WebAssembly: runs scripts one after another, each in a world that no script has seen before. It knows no file, no socket, no
 * clock but Date, and of this process nothing but the texts that it is handed.
 *
 * The world is made once and its memory is copied; before each run the copy is laid over what the run before has left, so that nothing
 * stays, and nothing has to be made again (making it takes ten times as long).
 *
 * The interrupt ends nearly all that runs too long; what does not ask (a long call of the engine itself) is ended from outside, with the
 * thread that it runs in.
 */
export class Machine {
  readonly #limits: RunLimits;
  readonly #engine: QuickJSWASMModule;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #bind: QuickJSHandle;
  readonly #beginning: Uint8Array;
  /** Monotonic ms: when its time is looked at next, and when it is over in any case. */
  #deadlineMs = Infinity;
  #endMs = Infinity;
  #cpuBefore: NodeJS.CpuUsage = { user: 0, system: 0 };
  #isUsed = false;

  private constructor(engine: QuickJSWASMModule, limits: RunLimits) {
    this.#engine = engine;
    this.#limits = limits;
    this.#runtime = engine.newRuntime();
    this.#context = this.#runtime.newContext();
    this.#bind = this.#context.unwrapResult(
      this.#context.evalCode(guestSource, 'bindings', { type: 'global', strict: true }),
    );
    this.#runtime.setMemoryLimit(limits.memoryBytesMax);
    this.#runtime.setMaxStackSize(stackBytesMax);
    this.#runtime.setInterruptHandler(() => this.#isOver());
    this.#beginning = usedPart(engine);
  }

  static async create(limits: RunLimits): Promise<Machine> {
    const variant = import('@jitl/quickjs-wasmfile-release-sync');
    return new Machine(await newQuickJSWASMModuleFromVariant(variant), limits);
  }

  /** Forgets the run before; to be asked while nobody waits, else the next run does it. */
  prepare(): void {
    if (!this.#isUsed) return;
    new Uint8Array(this.#engine.getWasmMemory().buffer).set(this.#beginning);
    this.#isUsed = false;
  }

  /** Runs a script to its end; waitMs: how long it may be without a core. Throws when the engine itself is broken: the machine is of no use then. */
  run(run: ScriptRun, waitMs: number): RunReply {
    this.prepare();
    this.#isUsed = true;
    const startMs = performance.now();
    this.#deadlineMs = startMs + this.#limits.timeoutMs;
    this.#endMs = this.#deadlineMs + waitMs;
    this.#cpuBefore = process.threadCpuUsage();
    const reply = evaluate({ runtime: this.#runtime, context: this.#context, bind: this.#bind }, run);
    if (!this.#isOver()) return reply;
    return { kind: this.#leftMs() > 0 ? 'starved' : 'timeout' };
  }

  /** Time in which the thread had no core is not the script's. */
  #isOver(): boolean {
    const nowMs = performance.now();
    if (nowMs < this.#deadlineMs) return false;
    const leftMs = this.#leftMs();
    if (leftMs <= 0 || nowMs >= this.#endMs) return true;
    this.#deadlineMs = Math.min(nowMs + leftMs, this.#endMs);
    return false;
  }

  /** What the run has left of its time on a core. */
  #leftMs(): number {
    const { user, system } = process.threadCpuUsage(this.#cpuBefore);
    return this.#limits.timeoutMs - (user + system) / 1_000;
  }
}

/** Memory up to its last byte that is not 0; what lies behind is nobody's. */
function usedPart(engine: QuickJSWASMModule): Uint8Array {
  const memory = new Uint8Array(engine.getWasmMemory().buffer);
  let end = memory.length;
  while (end > 0 && memory[end - 1] === 0) end -= 1;
  return memory.slice(0, end);
}

interface World {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly bind: QuickJSHandle;
}

/** One script in its world. Its handles are not given back: their memory is forgotten as a whole. */
function evaluate({ runtime, context, bind }: World, { dialect, source, facts }: ScriptRun): RunReply {
  const text = (value: string): QuickJSHandle => context.newString(value);
  const how: BindingHow = { dialect, seed: [...randomBytes(16)] };
  const bound = context.callFunction(
    bind,
    context.undefined,
    text(facts),
    text(source),
    text(JSON.stringify(how)),
  );
  if (bound.error !== undefined) return noRoom;
  const told = (kind: 'value' | 'thrown', value: QuickJSHandle): RunReply => {
    const said = context.callFunction(bound.value, context.undefined, text(kind), value);
    if (said.error !== undefined) return noRoom;
    const json = context.getString(said.value);
    return kind === 'value' ? { kind: 'done', said: json } : { kind: 'failed', why: wordsOf(json) };
  };
  const value = context.evalCode(source, 'script', { type: 'global' });
  if (value.error !== undefined) return told('thrown', value.error);
  const jobs = runtime.executePendingJobs(jobsMax);
  if (jobs.error !== undefined) return told('thrown', jobs.error);
  if (runtime.hasPendingJob())
    return { kind: 'failed', why: `more than ${jobsMax} promises are left to settle` };
  return told('value', value.value);
}

/** The engine threw where the script's own objects were to be made or read. */
const noRoom: RunReply = { kind: 'failed', why: 'the script has left no room to tell what it did' };

function wordsOf(json: string): string {
  const words: unknown = JSON.parse(json);
  return typeof words === 'string' ? words : 'it failed';
}
