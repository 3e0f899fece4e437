import { invariant } from '../../../proto/faults/fault.ts';
import type { Body } from '../body.ts';
import type { EndListener, HeaderList, Outcome, PhaseMarks, ResponseHead } from '../exchange.ts';
import { noMarks } from '../marks.ts';
import { createWireHeaders } from '../message/wire-headers.ts';

/**
 * What exchanges have in common whatever carries them: the clock, who waits for the client's going, which answers have a body, and that the
 * end is told once, before the last bytes leave.
 */
export abstract class OngoingExchange {
  readonly startedAtMs = Date.now();
  readonly marks: PhaseMarks = noMarks();
  beforeEnd: EndListener | undefined = undefined;
  isAborted = false;
  isAnswered = false;
  /** Its last bytes were let go, or wait for `beforeEnd` alone. */
  isOver = false;
  protected status = 0;
  /** See Outcome. */
  protected refusal: string | undefined = undefined;
  readonly startedMs = performance.now();
  #onAbort: (() => void) | undefined = undefined;
  #moreOnAbort: (() => void)[] | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  abstract readonly request: { readonly method: string; readonly body: { readonly bytes: number } };
  /** Tells a bug; never throws. */
  protected abstract tellThrown(error: unknown): void;
  /** What came later than the turn of the answer threw. */
  protected abstract onThrown(error: unknown): void;
  /** Sends an answer that is here. `declared` is its Content-Length, undefined for none. */
  protected abstract sendWhole(
    head: ResponseHead,
    bytes: Uint8Array | undefined,
    declared: string | undefined,
  ): void;
  /** Sends an answer whose body comes. */
  protected abstract sendPiped(head: ResponseHead, body: Body): void;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onAbort(() => controller.abort(new Error('the client went away')));
    }
    return this.#controller.signal;
  }

  elapsedUs(): number {
    return Math.max(1, Math.round((performance.now() - this.startedMs) * 1_000));
  }

  createHeaders(): HeaderList {
    return createWireHeaders();
  }

  onAbort(callback: () => void): void {
    if (this.isAborted) callback();
    else if (this.#onAbort === undefined) this.#onAbort = callback;
    else (this.#moreOnAbort ??= []).push(callback);
  }

  respond(head: ResponseHead, body: Body | Uint8Array | string | undefined): void {
    invariant(!this.isAnswered, 'an exchange is answered once');
    this.isAnswered = true;
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      if (this.isAborted) return;
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const isBodiless = isBodilessAnswer(this.request.method, head);
      const declared = declaredLength(head, isBodiless, bytes?.length ?? 0);
      return this.sendWhole(head, isBodiless ? undefined : bytes, declared);
    }
    // Before a byte of the head has left: then it is answered 500 like other bugs.
    invariant(typeof body.pipe === 'function', 'a body is text, bytes, or can be piped');
    if (this.isAborted) return body.discard();
    const isBodiless = isBodilessAnswer(this.request.method, head);
    if (!isBodiless && !body.isEmpty) return this.sendPiped(head, body);
    body.discard();
    this.sendWhole(head, undefined, declaredLength(head, isBodiless, body.length ?? 0));
  }

  /** Tells everybody who waits for the client's going. */
  protected tellAbort(): void {
    const callbacks = this.#onAbort === undefined ? [] : [this.#onAbort, ...(this.#moreOnAbort ?? [])];
    this.#onAbort = undefined;
    this.#moreOnAbort = undefined;
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.tellThrown(error);
      }
    }
  }

  /** Tells beforeEnd, once, and lets the last bytes go when it agrees. */
  protected finish(kind: Outcome['kind'], responseBytes: number, release: (exchange: this) => void): void {
    if (this.isOver) return;
    this.isOver = true;
    const held = this.tell(kind, this.request.body.bytes, responseBytes);
    if (held === undefined) return release(this);
    const late = (): void => {
      try {
        release(this);
      } catch (error) {
        this.onThrown(error);
      }
    };
    void held.then(late, late);
  }

  protected tell(
    kind: Outcome['kind'],
    requestBytes: number,
    responseBytes: number,
  ): Promise<void> | undefined {
    const { refusal, status } = this;
    try {
      const outcome = { kind, status, requestBytes, responseBytes, totalUs: this.elapsedUs() };
      return this.beforeEnd?.onEnd(refusal === undefined ? outcome : { ...outcome, refusal });
    } catch (error) {
      // The answer is right all the same.
      this.tellThrown(error);
      return undefined;
    }
  }
}

function isBodilessAnswer(method: string, { status }: ResponseHead): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** RFC 9110 section 8.6: HEAD and 304 keep the length that a GET would have had; 204 has none. */
function declaredLength(head: ResponseHead, isBodiless: boolean, length: number): string | undefined {
  if (head.status === 204) return undefined;
  if (!isBodiless) return String(length);
  // A policy may have set one that is no length.
  const given = head.headers.get('content-length');
  if (given !== undefined && /^\d+$/.test(given)) return given;
  return length > 0 ? String(length) : undefined;
}
