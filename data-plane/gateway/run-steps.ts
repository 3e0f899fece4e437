import type { PolicyContext, Verdict } from '../policies/policy.ts';
import type { Step } from './pipeline.ts';

type Phase = 'onRequest' | 'onResponse';

/** A step that threw: a bug in a policy. */
export interface BrokenStep {
  readonly kind: 'broken';
  readonly at: string;
  readonly error: unknown;
}

/**
 * Runs steps until one refuses; stays synchronous until one returns a promise.
 *
 * An answer in place of the backend does not end the phase: the steps after it still run and may refuse. The last
 * answer counts.
 */
export function runSteps(
  steps: readonly Step[],
  phase: Phase,
  context: PolicyContext,
): Verdict | BrokenStep | Promise<Verdict | BrokenStep> {
  return runFrom(0, undefined, { steps, phase, context });
}

interface Run {
  readonly steps: readonly Step[];
  readonly phase: Phase;
  readonly context: PolicyContext;
}

function runFrom(
  start: number,
  before: Verdict,
  run: Run,
): Verdict | BrokenStep | Promise<Verdict | BrokenStep> {
  let answer = before;
  for (let index = start; index < run.steps.length; index += 1) {
    const step = run.steps[index];
    if (step === undefined) continue;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = step.policy[run.phase]?.(run.context);
    } catch (error) {
      return { kind: 'broken', at: step.at, error };
    }
    if (verdict instanceof Promise) {
      const soFar = answer;
      return verdict.then(
        (late) => (late?.kind === 'reject' ? late : runFrom(index + 1, late ?? soFar, run)),
        (error: unknown) => ({ kind: 'broken', at: step.at, error }) as const,
      );
    }
    if (verdict?.kind === 'reject') return verdict;
    answer = verdict ?? answer;
  }
  return answer;
}
