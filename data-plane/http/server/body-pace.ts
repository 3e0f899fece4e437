import type { ServerLimits } from '../exchange.ts';
import type { IncomingBody } from '../message/incoming-body.ts';

/** Over how long the rate of a body is judged. */
const rateWindowMs = 5_000;

/** Judges whether the body of a request comes as fast as `bodyBytesPerSecondMin` says, while somebody waits for it. */
export class BodyPace {
  #fromMs = 0;
  #bytes = 0;

  /** Nobody waits: the client is held up. */
  stop(): void {
    this.#fromMs = 0;
  }

  isTooSlow(body: IncomingBody, { bodyBytesPerSecondMin: least }: ServerLimits, nowMs: number): boolean {
    if (this.#fromMs === 0) {
      this.#fromMs = nowMs;
      this.#bytes = body.bytes;
      return false;
    }
    const passedMs = nowMs - this.#fromMs;
    if (passedMs < rateWindowMs) return false;
    const isSlow = (body.bytes - this.#bytes) * 1_000 < least * passedMs;
    this.#fromMs = nowMs;
    this.#bytes = body.bytes;
    return isSlow;
  }
}

/** Whether somebody waits for more of a body. */
export function isAwaited(
  body: IncomingBody | undefined,
  { bodyBytesPerSecondMin }: ServerLimits,
): body is IncomingBody {
  return bodyBytesPerSecondMin !== 0 && body !== undefined && body.state === 'open' && body.isTaken;
}
