import type { Clock } from '../../proto/process/clock.ts';
import type { Upstream, UpstreamCaller, UpstreamResult } from '../http/exchange.ts';
import { noMarks } from '../http/marks.ts';

/** What a call of the gateway's own needs. */
export interface OwnCallTools {
  readonly clock: Clock;
  /** Longest time, to the last byte that is read. */
  readonly callMsMax: number;
  /** Aborts when nobody wants to know any more. */
  readonly signal: AbortSignal;
}

/** The gateway itself as the caller of an upstream: checks of endpoints, and questions where they are. */
export class OwnCall implements UpstreamCaller {
  readonly marks = noMarks();
  readonly request: UpstreamCaller['request'] & { readonly method: string };
  readonly isAnswered = false;
  isAborted = false;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #ended = new AbortController();
  readonly #abort = (): void => this.#cut(`was not answered within its time`);
  #cancel = (): void => undefined;
  readonly #tools: OwnCallTools;
  #settle: (result: UpstreamResult) => void = () => undefined;

  constructor(request: UpstreamCaller['request'] & { readonly method: string }, tools: OwnCallTools) {
    this.request = request;
    this.#tools = tools;
    this.#clock = tools.clock;
    this.#startedMs = this.#clock.monotonicMs();
  }

  send(
    upstream: Upstream,
    { target, body }: { readonly target: string; readonly body: string },
  ): Promise<UpstreamResult> {
    const { signal, callMsMax } = this.#tools;
    const { method, headers } = this.request;
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#cancel = this.#clock.after(callMsMax, this.#abort);
    return new Promise((resolve) => {
      this.#settle = resolve;
      const content = body === '' ? undefined : Buffer.from(body);
      const call = { method, target, headers, body: content, exchange: this, isUpgrade: false };
      upstream.send(call, resolve);
    });
  }

  /** It is over: nothing of it is waited for. */
  end(): void {
    this.#cancel();
    this.#tools.signal.removeEventListener('abort', this.#abort);
  }

  elapsedUs(): number {
    return Math.max(1, Math.round((this.#clock.monotonicMs() - this.#startedMs) * 1_000));
  }

  onAbort(callback: () => void): void {
    if (this.isAborted) return callback();
    this.#ended.signal.addEventListener('abort', callback, { once: true });
  }

  giveUp(): void {
    this.#cut('something threw on its way; the log says what');
  }

  #cut(message: string): void {
    if (this.isAborted) return;
    this.isAborted = true;
    this.#settle({ kind: 'failure', failure: 'aborted', message });
    this.#ended.abort();
  }
}
