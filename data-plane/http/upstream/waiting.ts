import type { UpstreamFailure, UpstreamOptions } from '../exchange.ts';
import type { Sweep, Swept } from '../socket/sweep.ts';
import type { CallHolder, UpstreamCall } from './call.ts';

/** Waiting requests per upstream when the definition sets no bound. */
const waitingMaxDefault = 10_000;
/** A connectMsMax of 0 means no bound, but no wait is endless. */
const waitingMsCeiling = 120_000;

/** Why a call failed that was on no connection. */
export const closedMessage = 'the upstream was closed';
export const goneMessage = 'the client went away';

/** Calls that wait for a connection: so many, so long, in order of arrival. */
export class WaitingCalls implements CallHolder, Swept {
  readonly #options: Pick<UpstreamOptions, 'queueMax' | 'connectMsMax'>;
  readonly #sweep: Sweep;
  readonly #calls = new Set<UpstreamCall>();

  constructor(options: Pick<UpstreamOptions, 'queueMax' | 'connectMsMax'>, sweep: Sweep) {
    this.#options = options;
    this.#sweep = sweep;
  }

  /** In order of arrival. */
  get calls(): Iterable<UpstreamCall> {
    return this.#calls;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Gives a call a place; without one it has failed. */
  add(call: UpstreamCall): boolean {
    const { queueMax, connectMsMax } = this.#options;
    if (this.#calls.size >= (queueMax < 0 ? waitingMaxDefault : queueMax)) {
      call.fail('queueFull', 'all connections are busy and the queue is full');
      return false;
    }
    call.dueMs = this.#sweep.nowMs + (connectMsMax === 0 ? waitingMsCeiling : connectMsMax);
    call.holder = this;
    if (this.#calls.size === 0) this.#sweep.add(this);
    this.#calls.add(call);
    return true;
  }

  /** Takes the first out. */
  next(): UpstreamCall | undefined {
    for (const call of this.#calls) {
      this.#take(call);
      return call;
    }
    return undefined;
  }

  failAll(failure: UpstreamFailure, message: string): void {
    for (let call = this.next(); call !== undefined; call = this.next()) {
      const failed = call;
      this.#sweep.run(() => failed.fail(failure, message));
    }
  }

  /** It waits no longer. */
  onClientGone(call: UpstreamCall): void {
    this.#take(call);
    call.fail('aborted', goneMessage);
  }

  onSweep(nowMs: number): void {
    for (const call of this.#calls) {
      if (call.dueMs > nowMs && !call.request.exchange.isAnswered) continue;
      this.#take(call);
      call.fail('queueTimeout', `no connection was free for ${this.#options.connectMsMax} ms`);
    }
  }

  onThrown(error: unknown): void {
    this.#sweep.tellThrown(error);
  }

  #take(call: UpstreamCall): void {
    this.#calls.delete(call);
    call.holder = undefined;
    if (this.#calls.size === 0) this.#sweep.delete(this);
  }
}
