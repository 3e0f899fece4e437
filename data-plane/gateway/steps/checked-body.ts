import {
  type Body,
  BodyAborted,
  type BodyFlow,
  type BodySink,
  createBody,
  type HeaderList,
} from '../../http/exchange.ts';
import type { BodyCheck, Rejection } from '../../policies/policy.ts';

/** Bytes of a body that are held back, at least, before any of them goes on; one read more may be. */
export const heldBytesMax = 65_536;
/** ... in so many pieces: a body that comes byte by byte costs no object for each. */
const heldPiecesMax = 64;

/** What came of checking the beginning of a body. */
export type Checked =
  /** Held back whole, and nothing is wrong with it. */
  | { readonly kind: 'whole'; readonly content: Buffer }
  | { readonly kind: 'refused'; readonly refusal: Rejection }
  /** So far nothing is wrong with it; the rest is checked while somebody takes it. */
  | { readonly kind: 'begun'; readonly body: Body };

/** Who hears what comes after the beginning. */
export interface CheckListener {
  /** The rest is refused; told before the body breaks, so that nobody else is taken for its cause. */
  onRefused(refusal: Rejection): void;
  /** The check threw: a bug of its step. */
  onThrown(error: unknown): void;
}

/**
 * Takes a body and checks it piece by piece, before any of it goes on.
 *
 * Returns at once where all that decides is here, else a promise, which rejects with what the check throws. A sender that breaks off leaves a
 * body that breaks as soon as it is taken.
 */
export function checkBody(body: Body, check: BodyCheck, listener: CheckListener): Checked | Promise<Checked> {
  return new Checking(body, check, listener).start();
}

/** Checks bytes in hand. */
export function checkBytes(bytes: Uint8Array, check: BodyCheck): Rejection | undefined {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return check.onPiece(whole, 0, whole.length) ?? check.onEnd?.();
}

type Told = Checked | { readonly kind: 'thrown'; readonly error: unknown };

/** How a body ended before anybody took it. */
type Ending =
  | { readonly kind: 'whole'; readonly trailers: HeaderList | undefined }
  | { readonly kind: 'broken'; readonly cause: Error };

class Checking implements BodySink, BodyFlow {
  readonly #body: Body;
  readonly #check: BodyCheck;
  readonly #listener: CheckListener;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #isWhole = false;
  #isOver = false;
  #out: BodySink | undefined = undefined;
  #ending: Ending | undefined = undefined;
  #flow: BodyFlow | undefined = undefined;
  #checked: Told | undefined = undefined;
  #tell: (() => void) | undefined = undefined;

  constructor(body: Body, check: BodyCheck, listener: CheckListener) {
    this.#body = body;
    this.#check = check;
    this.#listener = listener;
  }

  start(): Checked | Promise<Checked> {
    this.#flow = this.#body.pipe(this);
    if (this.#isOver) this.#flow.cancel();
    if (this.#checked !== undefined) return this.#answer();
    return new Promise((resolve, reject) => {
      this.#tell = () => {
        try {
          resolve(this.#answer());
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#isOver || start === end) return;
    this.#bytes += end - start;
    // With the last byte of a length that was said the message would be whole at whoever gets it.
    const isLast = this.#bytes === this.#body.length;
    if (!this.#passes(() => this.#check.onPiece(bytes, start, end) ?? (isLast ? this.#end() : undefined)))
      return;
    if (this.#out !== undefined) return this.#out.onPiece(bytes, start, end, isStable);
    this.#held.push(Buffer.from(bytes.subarray(start, end)));
    if (this.#held.length >= heldPiecesMax) this.#held = [Buffer.concat(this.#held)];
    this.#heldBytes += end - start;
  }

  onReadEnd(): boolean {
    if (this.#isOver) return false;
    if (this.#out !== undefined) return this.#out.onReadEnd();
    if (this.#heldBytes < heldBytesMax) return true;
    this.#settle({ kind: 'begun', body: this.#rest() });
    return false;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#isOver || !this.#passes(() => (this.#isWhole ? undefined : this.#end()))) return;
    if (this.#out !== undefined) {
      this.#isOver = true;
      return this.#out.onEnd(trailers);
    }
    this.#ending = { kind: 'whole', trailers };
    this.#settle({ kind: 'whole', content: Buffer.concat(this.#held) });
  }

  onBroken(cause: Error): void {
    if (this.#isOver) return;
    this.#ending = { kind: 'broken', cause };
    if (this.#out === undefined) return this.#settle({ kind: 'begun', body: this.#rest() });
    this.#isOver = true;
    this.#out.onBroken(cause);
  }

  resume(): void {
    if (!this.#isOver) this.#flow?.resume();
  }

  cancel(): void {
    this.#isOver = true;
    this.#flow?.cancel();
  }

  /** The body behind: what is held, then what comes. */
  #rest(): Body {
    const start = (sink: BodySink): BodyFlow => {
      for (const piece of this.#held) sink.onPiece(piece, 0, piece.length, true);
      this.#held = [];
      const ending = this.#ending;
      if (ending === undefined) {
        this.#out = sink;
        if (sink.onReadEnd()) this.resume();
        return this;
      }
      this.#isOver = true;
      if (ending.kind === 'whole') sink.onEnd(ending.trailers);
      else sink.onBroken(ending.cause);
      return this;
    };
    return createBody({ length: this.#body.length, start, discard: () => this.cancel() }, this.#body);
  }

  #end(): Rejection | undefined {
    this.#isWhole = true;
    return this.#check.onEnd?.();
  }

  /** Asks the check; what it refuses is over. */
  #passes(ask: () => Rejection | undefined): boolean {
    let refusal: Rejection | undefined;
    try {
      refusal = ask();
    } catch (error) {
      this.#stop({ kind: 'thrown', error }, () => this.#listener.onThrown(error));
      return false;
    }
    if (refusal === undefined) return true;
    const why = refusal;
    this.#stop({ kind: 'refused', refusal: why }, () => this.#listener.onRefused(why));
    return false;
  }

  #stop(checked: Told, tellLate: () => void): void {
    this.cancel();
    this.#held = [];
    if (this.#checked === undefined) return this.#settle(checked);
    tellLate();
    // Nobody has taken the rest yet: whoever does finds it broken.
    const cause = new BodyAborted('a check refused it');
    if (this.#out === undefined) this.#ending = { kind: 'broken', cause };
    else this.#out.onBroken(cause);
  }

  #settle(checked: Told): void {
    if (this.#checked !== undefined) return;
    this.#checked = checked;
    this.#tell?.();
  }

  #answer(): Checked {
    const checked = this.#checked;
    if (checked === undefined || checked.kind === 'thrown') throw checked?.error;
    return checked;
  }
}
