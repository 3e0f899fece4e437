import type { AnsweredCall, PassingBody, PolicyCall, Rejection, Verdict } from '../../policies/policy.ts';
import type { BrokenStep, KeptSteps } from './kept.ts';
import type { GatedCall } from '../compile/gate.ts';
import type { Step } from '../compile/step.ts';
import { marks, type Trail } from '../explain/trail.ts';

/** Where the steps of a request stand. */
export type Phase = 'request' | 'response';

/** A request as its steps need it. */
export interface RunningCall extends GatedCall {
  /** Answered, or its client has gone: no further step is reached. */
  readonly isOver: boolean;
  /** Steps that mask what is logged and whose condition did not hold. */
  unmasked: Set<Step> | undefined;
  /** Made on first use. */
  readonly kept: KeptSteps;
  /** When its steps ended, where somebody notes it. */
  readonly trail?: Trail | undefined;
  /** Reads the phase's body into `content`; undefined when it is there. Rejects when it does not come whole. */
  readContent(phase: Phase): Promise<void> | undefined;
  /** The phase's body for a step that transforms it. */
  passing(phase: Phase, at: string): PassingBody;
}

/** A body that a step needs whole did not come so. */
export interface UnreadBody {
  readonly kind: 'unread';
  readonly error: unknown;
}

/** Whether a message may end with this status (RFC 9110 section 15): others are no HTTP, or announce an answer that is still to come. */
export function isFinalStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599;
}

/** Of a step that says another; the value may be anything. */
export function statusFault(status: unknown): TypeError {
  return new TypeError(`a policy set the status ${String(status)}; allowed: a whole number from 200 to 599`);
}

/** What running steps comes to. */
export type StepsResult = Verdict | BrokenStep | UnreadBody;

/**
 * Runs steps until one refuses; stays synchronous until one returns a promise or needs a body that is not here yet.
 *
 * An answer in place of the backend does not end the phase: the steps after it still run and may refuse. The last
 * answer counts. When the request is over, no further step runs and the result is of no interest.
 */
export function runSteps(
  steps: readonly Step[],
  phase: Phase,
  call: RunningCall,
): StepsResult | Promise<StepsResult> {
  const result = runFrom({ index: 0, answer: undefined, isAsked: false }, { steps, phase, call });
  if (result instanceof Promise) {
    // `finally` would make three promises of one.
    return result.then(
      (late) => {
        leave(steps, call);
        return late;
      },
      (error: unknown) => {
        leave(steps, call);
        throw error;
      },
    );
  }
  call.step = undefined;
  return result;
}

/** None of them is to blame for what comes next. Their answer may be awaited no more, and others be at work. */
function leave(steps: readonly Step[], call: RunningCall): void {
  if (steps.some((step) => step === call.step)) call.step = undefined;
}

interface Run {
  readonly steps: readonly Step[];
  readonly phase: Phase;
  readonly call: RunningCall;
}

/** How far a run has come. */
interface Reached {
  readonly index: number;
  /** What a step before has answered. */
  readonly answer: Verdict;
  /** The gate of this step was asked, and let it pass. */
  readonly isAsked: boolean;
}

function runFrom(reached: Reached, run: Run): StepsResult | Promise<StepsResult> {
  const { steps, phase, call } = run;
  let { answer, isAsked } = reached;
  for (let { index } = reached; index < steps.length; index += 1) {
    const step = steps[index];
    if (step === undefined) continue;
    call.step = step;
    if (step.gate !== undefined && !isAsked) {
      const reading = step.gate.needs === 'buffered' ? call.readContent(phase) : undefined;
      if (reading !== undefined) return readThenRun(reading, { index, answer, isAsked }, run);
      const passage = step.gate.passes(call, phase);
      if (typeof passage === 'object') {
        call.trail?.step(step, phase, passage);
        return passage;
      }
      if (!passage) {
        call.trail?.step(step, phase, 'skipped');
        if (step.policy.masks !== undefined) (call.unmasked ??= new Set()).add(step);
        continue;
      }
    }
    if (phase === 'request' ? step.readsRequest : step.readsResponse) {
      const isConcerned = concerned(step, run);
      if (typeof isConcerned === 'object') return ended(isConcerned, step, run);
      isAsked = false;
      if (!isConcerned) continue;
      const reading = isConcerned === 'unread' ? undefined : call.readContent(phase);
      if (reading !== undefined) return readThenRun(reading, { index, answer, isAsked: true }, run);
    }
    isAsked = false;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = step.keptAt === undefined ? runHook(step, undefined, run) : runKept(step, step.keptAt, run);
    } catch (error) {
      return ended({ kind: 'broken', at: step.at, error }, step, run);
    }
    if (verdict instanceof Promise) {
      const soFar = answer;
      return verdict.then(
        (late) => {
          const settled = ended(faultOf(late, step, run) ?? late, step, run);
          if (settled?.kind === 'broken' || settled?.kind === 'reject' || call.isOver) return settled;
          return runFrom({ index: index + 1, answer: settled ?? soFar, isAsked: false }, run);
        },
        (error: unknown) => ended({ kind: 'broken', at: step.at, error }, step, run),
      );
    }
    const settled = ended(faultOf(verdict, step, run) ?? verdict, step, run);
    if (settled?.kind === 'broken' || settled?.kind === 'reject') return settled;
    answer = settled ?? answer;
  }
  return answer;
}

/** Notes when a step was done. */
function ended<Settled extends Verdict | BrokenStep>(
  settled: Settled,
  step: Step,
  { phase, call }: Run,
): Settled {
  call.trail?.step(step, phase, settled?.kind === 'broken' ? 'broken' : settled);
  return settled;
}

/** Whether a step that reads bodies is for this request at all, and for its body, or refuses it unread. */
function concerned(step: Step, { phase, call }: Run): boolean | 'unread' | Rejection | BrokenStep {
  const { request, response } = step.policy;
  try {
    if (phase === 'request') return request?.needs !== 'buffered' || (request.concerns?.(call) ?? true);
    return response?.needs !== 'buffered' || !hasAnswer(call) || (response.concerns?.(call) ?? true);
  } catch (error) {
    return { kind: 'broken', at: step.at, error };
  }
}

/** A status that a step said, in its verdict or in the answer, and that nobody can send. */
function faultOf(verdict: Verdict, step: Step, { phase, call }: Run): BrokenStep | undefined {
  const status = verdict?.status ?? (phase === 'response' ? call.response?.status : undefined);
  if (status === undefined || isFinalStatus(status)) return undefined;
  return { kind: 'broken', at: step.at, error: statusFault(status) };
}

/** Bodies stand at no place of a definition. */
const unread = {
  request: { kind: 'request-body', at: '' },
  response: { kind: 'response-body', at: '' },
} as const;

function readThenRun(reading: Promise<void>, reached: Reached, run: Run): Promise<StepsResult> {
  return reading.then(
    () => {
      run.call.trail?.mark(marks.bodyRead, undefined, run.phase === 'response');
      return run.call.isOver ? undefined : runFrom(reached, run);
    },
    (error: unknown) => {
      run.call.trail?.mark(marks.refused, unread[run.phase]);
      return { kind: 'unread', error } as const;
    },
  );
}

function runHook(step: Step, slot: unknown, { phase, call }: Run): Verdict | Promise<Verdict> {
  const { request, response } = step.policy;
  if (phase === 'request') {
    if (request?.needs === 'stream') return request.run(call, slot, call.passing(phase, step.at));
    return request?.run(call, slot);
  }
  if (!hasAnswer(call)) return undefined;
  if (response?.needs === 'stream') return response.run(call, slot, call.passing(phase, step.at));
  return response?.run(call, slot);
}

function runKept(step: Step, keptAt: number, run: Run): Verdict | Promise<Verdict> {
  const { kept } = run.call;
  const slot = kept.enter(step, keptAt);
  let verdict: Verdict | Promise<Verdict>;
  try {
    verdict = runHook(step, slot, run);
  } catch (error) {
    kept.left(keptAt);
    throw error;
  }
  if (verdict instanceof Promise) return verdict.finally(() => kept.left(keptAt));
  kept.left(keptAt);
  return verdict;
}

function hasAnswer(call: PolicyCall): call is AnsweredCall {
  return call.response !== undefined;
}
