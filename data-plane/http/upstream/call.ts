import type { OnThrown, UpstreamFailure, UpstreamRequest, UpstreamResult } from '../exchange.ts';

// RFC 9110 section 9.2.2: only these may be sent again when it is not known whether they were received.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Who has a call in hand: a connection, the queue for one, a dial. */
export interface CallHolder {
  /** Nobody waits for the call any more. */
  onClientGone(call: UpstreamCall): void;
}

/** One request on its way to an upstream; answered once. */
export class UpstreamCall {
  readonly request: UpstreamRequest;
  /** While it waits for a connection: when it has waited too long. */
  dueMs = 0;
  isRetried = false;
  isSettled = false;
  holder: CallHolder | undefined = undefined;
  readonly #receive: (result: UpstreamResult) => void;
  readonly #tellThrown: OnThrown;

  constructor(request: UpstreamRequest, receive: (result: UpstreamResult) => void, tellThrown: OnThrown) {
    this.request = request;
    this.#receive = receive;
    this.#tellThrown = tellThrown;
    request.exchange.onAbort(() => {
      const { holder } = this;
      this.holder = undefined;
      holder?.onClientGone(this);
    });
  }

  settle(result: UpstreamResult): void {
    if (this.isSettled) return;
    this.isSettled = true;
    try {
      this.#receive(result);
    } catch (error) {
      this.onThrown(error);
      if (result.kind === 'response') result.body.discard();
    }
  }

  /** Whoever works for it threw: nobody else will answer. */
  onThrown(error: unknown): void {
    this.#tellThrown(error);
    this.request.exchange.giveUp();
  }

  fail(failure: UpstreamFailure, message: string): void {
    this.settle({ kind: 'failure', failure: this.request.exchange.isAborted ? 'aborted' : failure, message });
  }

  /** It is sent once more, since whoever had it went without an answer. */
  repeat(): void {
    const { exchange } = this.request;
    this.isRetried = true;
    exchange.marks.upstreamRepeatUs = exchange.elapsedUs();
  }

  /** Repeated, because others that were kept may be as stale; to another protocol, because nothing follows it. */
  get needsNewConnection(): boolean {
    return this.isRetried || this.request.isUpgrade;
  }

  /** Nothing of it is lost when it is sent again: once, without a body or with one in hand, and only where twice is as good as once. */
  get isRepeatable(): boolean {
    return this.isRepeatableAfter(false);
  }

  /** The same of a call of which it is known that nobody worked on it, if that is known: then twice is once. */
  isRepeatableAfter(isUnprocessed: boolean): boolean {
    const { body, method, exchange } = this.request;
    if (this.isRetried || this.isSettled || exchange.isAborted) return false;
    if (!isUnprocessed && !idempotent.has(method)) return false;
    return body === undefined || body instanceof Uint8Array || body.isEmpty;
  }
}
