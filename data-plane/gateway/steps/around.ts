import type { Body, Exchange, UpstreamResult } from '../../http/exchange.ts';
import type { BackendAnswer, PolicyRequest, Rejection } from '../../policies/policy.ts';
import type { BrokenStep } from './kept.ts';
import { isFinalStatus, type RunningCall, statusFault, type UnreadBody } from './run-steps.ts';
import type { Step } from '../compile/step.ts';
import { marks } from '../explain/trail.ts';

/** A request as it goes to the backend. */
export interface Sendable {
  readonly exchange: Exchange;
  readonly request: PolicyRequest;
  /** As its steps left it; what is in `request.content` goes before it. */
  readonly body: Body;
}

/**
 * Sends a request to the endpoint whose turn it is; a refusal when there is none, and then nothing is received. isWanted: whether anybody
 * still waits for what is received.
 */
export type Send = (
  request: Sendable,
  receive: (result: UpstreamResult) => void,
  isWanted: () => boolean,
) => Rejection | undefined;

/** What is said where nobody hears it any more. */
const over: BackendAnswer = { kind: 'failure', failure: 'aborted', message: 'the request is over' };
const bodyGone: BackendAnswer = {
  kind: 'failure',
  failure: 'requestBodyFailed',
  message: 'the body was sent already and nobody kept it',
};

/** The calls of one request's backend by the steps around it, one after another; only the last answer is held. */
export class BackendCalls {
  readonly #call: RunningCall & Sendable;
  readonly #send: Send;
  #count = 0;
  #body: Body | undefined = undefined;
  /** Answers that were let go: nobody can send them any more. */
  #gone: Set<Body> | undefined = undefined;
  /** The steps have said what goes on: whoever still asks is not answered, and what still comes has no taker. */
  #isDecided = false;

  constructor(call: RunningCall & Sendable, send: Send) {
    this.#call = call;
    this.#send = send;
  }

  /**
   * Runs the steps, the outermost first, around calls of the backend.
   *
   * Never rejects: a step that throws is broken, whatever the steps outside of it make of that.
   */
  async through(steps: readonly Step[]): Promise<BackendAnswer | BrokenStep | UnreadBody> {
    // Decided in the request phase.
    const around = steps.filter(({ gate }) => gate?.passes(this.#call, 'response') !== false);
    try {
      // What was read for them a later step may have transformed.
      if (around.some(({ policy }) => policy.around?.needs === 'buffered'))
        await this.#call.readContent('request');
    } catch (error) {
      return { kind: 'unread', error };
    }
    return this.#askThrough(around);
  }

  async #askThrough(around: readonly Step[]): Promise<BackendAnswer | BrokenStep> {
    let broken: BrokenStep | undefined;
    const runFrom = async (index: number): Promise<BackendAnswer> => {
      const step = around[index];
      const call = this.#call;
      if (call.isOver || this.#isDecided) return over;
      if (step?.policy.around === undefined) return this.#ask();
      const { keptAt } = step;
      call.step = step;
      try {
        const slot = keptAt === undefined ? undefined : call.kept.enter(step, keptAt);
        const next = (): Promise<BackendAnswer> => {
          call.trail?.mark(marks.asked, step);
          return runFrom(index + 1).finally(() => {
            call.step = step;
          });
        };
        const answer = await step.policy.around.run(call, next, slot);
        if (answer.kind === 'response' && !isFinalStatus(answer.head.status))
          throw statusFault(answer.head.status);
        if (answer.kind === 'response' && this.#isGone(answer.body))
          throw new TypeError('a policy returned an answer that was let go when it asked again');
        call.trail?.leave(step, answer);
        return answer;
      } catch (error) {
        call.trail?.leave(step, undefined);
        broken ??= { kind: 'broken', at: step.at, error };
        throw error;
      } finally {
        if (keptAt !== undefined) call.kept.left(keptAt);
      }
    };
    try {
      const answer = await runFrom(0);
      this.#isDecided = true;
      this.#call.step = undefined;
      const isWanted = broken === undefined && !this.#call.isOver && answer.kind === 'response';
      this.letGo(isWanted ? answer.body : undefined);
      return broken ?? answer;
    } catch (error) {
      this.#isDecided = true;
      this.letGo(undefined);
      return broken ?? { kind: 'broken', at: 'endpointGroups', error };
    }
  }

  /** Lets go of the answer that is held, unless it is the one that goes on. */
  letGo(wanted: Body | undefined): void {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined || isMadeOf(wanted, body)) return;
    body.discard();
    (this.#gone ??= new Set()).add(body);
  }

  #isGone(answered: Body): boolean {
    for (const body of this.#gone ?? []) if (isMadeOf(answered, body)) return true;
    return false;
  }

  /** Each call has headers of its own: what one endpoint is sent is not for the next. */
  #ask(): Promise<BackendAnswer> {
    this.letGo(undefined);
    const { exchange, request, body } = this.#call;
    this.#count += 1;
    const count = this.#count;
    if (count > 1 && request.content === undefined && !body.isEmpty) return Promise.resolve(bodyGone);
    const headers = exchange.createHeaders();
    request.headers.forEach((name, value) => headers.append(name, value));
    return new Promise((resolve) => {
      const isWanted = (): boolean => !this.#call.isOver && !this.#isDecided && count === this.#count;
      const receive = (result: UpstreamResult): void => {
        const isLate = !isWanted();
        if (result.kind === 'response') {
          if (isLate) result.body.discard();
          else this.#body = result.body;
        }
        resolve(isLate ? over : result);
      };
      const refusal = this.#send({ exchange, request: { ...request, headers }, body }, receive, isWanted);
      if (refusal !== undefined) resolve(refusal);
    });
  }
}

/** Whether it is the body, or one that it passes through. */
function isMadeOf(wanted: Body | undefined, body: Body): boolean {
  for (let each = wanted; each !== undefined; each = each.madeOf) if (each === body) return true;
  return false;
}
