import type { EndListener, Exchange, Outcome } from '../../http/exchange.ts';
import type { PolicyCall, StepPlace } from '../../policies/policy.ts';
import type { Step } from '../compile/step.ts';

/** A request whose steps may remember something of it. */
export interface KeepingCall extends PolicyCall {
  /** What is at work. */
  step: StepPlace | undefined;
  readonly exchange: Pick<Exchange, 'beforeEnd'>;
  readonly isOver: boolean;
  /** Tells of a bug in a step; the request goes on. */
  tellBroken(broken: BrokenStep): void;
}

/** A step that threw: a bug in a policy. */
export interface BrokenStep {
  readonly kind: 'broken';
  readonly at: string;
  readonly error: unknown;
}

interface Kept {
  readonly step: Step;
  readonly slot: unknown;
  /** Its hooks that have not settled yet. */
  running: number;
  hasEnded: boolean;
}

/** What the steps of one request remember of it, and who of them hears of its end. Made for the first step that needs it. */
export class KeptSteps implements EndListener {
  readonly #call: KeepingCall;
  /** Whoever listened before. */
  readonly #before: EndListener | undefined;
  /** By Step.keptAt. */
  readonly #at: (Kept | undefined)[] = [];
  readonly #reached: Kept[] = [];
  #outcome: Outcome | undefined = undefined;
  #over: AbortController | undefined = undefined;

  constructor(call: KeepingCall) {
    this.#call = call;
    this.#before = call.exchange.beforeEnd;
    call.exchange.beforeEnd = this;
  }

  onEnd(outcome: Outcome): Promise<void> | undefined {
    this.#end(outcome);
    return this.#before?.onEnd(outcome);
  }

  /** See PolicyCall.over. */
  get over(): AbortSignal {
    if (this.#over === undefined) {
      this.#over = new AbortController();
      // Its end may have been told before anybody listened.
      if (this.#outcome !== undefined || this.#call.isOver) this.#over.abort();
    }
    return this.#over.signal;
  }

  /** A hook of the step runs next; its slot. `left` follows when the hook has settled. */
  enter(step: Step, keptAt: number): unknown {
    let kept = this.#at[keptAt];
    if (kept === undefined) {
      kept = { step, slot: step.policy.slot?.(), running: 0, hasEnded: false };
      this.#at[keptAt] = kept;
      this.#reached.push(kept);
    }
    kept.running += 1;
    return kept.slot;
  }

  /** A hook has settled. When the request was over before, its step has waited for this to hear so. */
  left(keptAt: number): void {
    const kept = this.#at[keptAt];
    if (kept === undefined) return;
    kept.running -= 1;
    if (this.#outcome !== undefined) this.#endOne(kept, this.#outcome);
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#over?.abort();
    for (const kept of this.#reached.toReversed()) this.#endOne(kept, outcome);
  }

  /** One that throws keeps neither the others from their end nor the request from its record. */
  #endOne(kept: Kept, outcome: Outcome): void {
    if (kept.running > 0 || kept.hasEnded) return;
    kept.hasEnded = true;
    const { step, slot } = kept;
    const call = this.#call;
    const atWork = call.step;
    call.step = step;
    try {
      step.policy.end?.(call, outcome, slot);
    } catch (error) {
      call.tellBroken({ kind: 'broken', at: step.at, error });
    }
    call.step = atWork;
  }
}
