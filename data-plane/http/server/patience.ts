import { BodyFault, type IncomingBody } from '../message/incoming-body.ts';
import type { Wire } from '../socket/wire.ts';
import { AnswerPace } from '../../../proto/process/listening/answer-pace.ts';
import { BodyPace, type PacedExchange } from './body-pace.ts';
import type { ServerState } from './state.ts';

/** How long a client may go on sending after its last answer, or the rest of a request that was answered. */
const lingerMsMax = 2_000;

/** What a connection has run out of: the time for its answer, the patience with a client that takes nothing, or that asks nothing. */
export type Overdue = 'answer' | 'taking' | 'asking';

/**
 * How long a client may take: to ask, to send its body, to take its answer, to rest, to go.
 *
 * One deadline at a time beside that of the answer, set by who changes the state and looked at by the sweep: a wait is an assignment.
 */
export class Patience {
  readonly #state: ServerState;
  readonly #wire: Wire;
  /** 0 is no bound. */
  #dueMs = 0;
  /** When the last byte of the answer has to have left; 0 is no bound. */
  #answerDueMs = 0;
  readonly #bodyPace: BodyPace;
  readonly #answerPace = new AnswerPace();

  constructor(state: ServerState, wire: Wire) {
    this.#state = state;
    this.#wire = wire;
    this.#bodyPace = new BodyPace(state.limits);
    // Who connects has to ask; who has asked may rest for idleMsMax.
    this.awaitHead();
  }

  awaitHead(): void {
    this.#dueMs = this.#state.sweep.nowMs + this.#state.limits.headerMsMax;
  }

  /** A request is served. */
  awaitAnswer(): void {
    const { requestMsMax } = this.#state.limits;
    this.#answerDueMs = requestMsMax === 0 ? 0 : this.#state.sweep.nowMs + requestMsMax;
    this.#dueMs = this.#answerDueMs;
  }

  awaitNext(): void {
    this.#dueMs = this.#state.sweep.nowMs + this.#state.limits.idleMsMax;
  }

  /** What the client still sends is dropped. */
  awaitRest(): void {
    this.#dueMs = this.#state.sweep.nowMs + lingerMsMax;
  }

  /** Nothing of the client is waited for. */
  awaitNothing(): void {
    this.#dueMs = 0;
  }

  /**
   * A look at the connection: what is over, if anything. `body` is that of the request that is served, undefined while none is; one
   * that does not come as it should is broken off. `exchange` is what it belongs to, undefined once that is over.
   */
  look(
    nowMs: number,
    body: IncomingBody | undefined,
    exchange: PacedExchange | undefined,
  ): Overdue | undefined {
    const fault = this.#bodyPace.faultOf(exchange, this.#wire.isPaused, nowMs);
    if (body !== undefined) {
      if (fault !== undefined) body.break(new BodyFault(fault));
      if (this.#isDue(nowMs)) return 'answer';
    }
    const unsentBytes = this.#wire.isDrained ? 0 : this.#wire.unsentBytes;
    if (unsentBytes > 0 && this.#answerDueMs !== 0 && nowMs >= this.#answerDueMs) return 'answer';
    const leftBytes = unsentBytes === 0 ? undefined : this.#wire.leftBytes;
    if (this.#answerPace.isStuck({ unsentBytes, leftBytes }, nowMs, this.#state.limits)) return 'taking';
    return unsentBytes === 0 && body === undefined && this.#isDue(nowMs) ? 'asking' : undefined;
  }

  #isDue(nowMs: number): boolean {
    return this.#dueMs !== 0 && nowMs >= this.#dueMs;
  }
}
