import type { ScriptEffects } from './facts.ts';

/** Whose names a script uses: those of the policy `js`, or of the older `javascript`. */
export type Dialect = 'js' | 'javascript';

/** One run of a script. */
export interface ScriptRun {
  readonly dialect: Dialect;
  readonly source: string;
  /** ScriptFacts as JSON. */
  readonly facts: string;
}

/** What came of it. */
export type ScriptOutcome =
  | { readonly kind: 'done'; readonly effects: ScriptEffects }
  /** It threw, needs more memory than it may have, or says what nobody can do. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'timeout' }
  /** Nobody waited for it any more when its turn came. */
  | { readonly kind: 'gone' }
  /** It was not run. */
  | { readonly kind: 'busy'; readonly why: string };

/** Runs scripts of one API, away from the traffic. */
export interface Scripts {
  /** Threads are there from now on, until what it returns is called. */
  hold(): () => void;
  /** Runs one when a thread is free, unless it is `over` by then; never rejects. At most `policy.js.waitMsMax` + `policy.js.timeoutMs` + 0.2 s. */
  run(run: ScriptRun, over?: AbortSignal): Promise<ScriptOutcome>;
}

/** For whoever only judges definitions: a factory that runs a script is a bug. */
export const noScripts: Scripts = {
  hold: () => () => undefined,
  run: () => Promise.resolve({ kind: 'busy', why: 'who compiles a definition runs no script' }),
};
