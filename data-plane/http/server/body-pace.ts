import type { IncomingBody } from '../message/incoming-body.ts';
import type { ServerLimits } from './options.ts';

/** Over how long the rate of a body is judged. */
const rateWindowMs = 5_000;

/** An exchange whose client sends a body. */
export interface PacedExchange {
  readonly request: { readonly body: IncomingBody };
  readonly isOver: boolean;
  /** Both sides speak as they like: the answer has begun, or the call is gRPC's. */
  readonly isTwoWay: boolean;
  /** Bytes of the answer's body by now. */
  readonly answerBytes: number;
}

/**
 * Judges whether the body of a request comes as it should while somebody waits for it.
 *
 * Until the answer begins it comes as fast as `bodyBytesPerSecondMin` says. From then on, and of gRPC from its start, silence is no fault of
 * a client that has nothing to say: the exchange ends when nothing has moved in either direction for `tunnelIdleMsMax`, as a tunnel does.
 * Looked at by the sweep alone: a client that is held up between two looks is not seen to be, so that no single byte begins the rate anew.
 */
export class BodyPace {
  readonly #limits: ServerLimits;
  /** Whose body is judged, since a connection has one after the other. */
  #exchange: PacedExchange | undefined = undefined;
  #isTwoWay = false;
  #fromMs = 0;
  #bytes = 0;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /** Why the body has to be broken off, if it has. `isHeldUp`: it is not read on, and so not slow. */
  faultOf(
    exchange: PacedExchange | undefined,
    isHeldUp: boolean,
    nowMs: number,
  ): 'body-too-slow' | 'stream-idle' | undefined {
    const isAwaited = exchange !== undefined && !exchange.isOver && isOpen(exchange.request.body);
    if (!isAwaited) {
      this.#exchange = undefined;
      return undefined;
    }
    return exchange.isTwoWay
      ? this.#faultOfTwoWay(exchange, nowMs)
      : this.#faultOfUpload(exchange, isHeldUp, nowMs);
  }

  #faultOfTwoWay(exchange: PacedExchange, nowMs: number): 'stream-idle' | undefined {
    const bytes = exchange.request.body.bytes + exchange.answerBytes;
    if (this.#exchange !== exchange || !this.#isTwoWay || bytes !== this.#bytes) {
      this.#begin(exchange, bytes, nowMs);
      this.#isTwoWay = true;
      return undefined;
    }
    return nowMs - this.#fromMs >= this.#limits.tunnelIdleMsMax ? 'stream-idle' : undefined;
  }

  #faultOfUpload(exchange: PacedExchange, isHeldUp: boolean, nowMs: number): 'body-too-slow' | undefined {
    const { bytes } = exchange.request.body;
    const passedMs = nowMs - this.#fromMs;
    const isNew = this.#exchange !== exchange || isHeldUp;
    if (!isNew && passedMs < rateWindowMs) return undefined;
    const isSlow = !isNew && (bytes - this.#bytes) * 1_000 < this.#limits.bodyBytesPerSecondMin * passedMs;
    this.#begin(exchange, bytes, nowMs);
    this.#isTwoWay = false;
    return isSlow ? 'body-too-slow' : undefined;
  }

  #begin(exchange: PacedExchange, bytes: number, nowMs: number): void {
    this.#exchange = exchange;
    this.#bytes = bytes;
    this.#fromMs = nowMs;
  }
}

/** More of it is to come, and somebody reads it. */
function isOpen(body: IncomingBody): boolean {
  return body.state === 'open' && body.isTaken;
}
