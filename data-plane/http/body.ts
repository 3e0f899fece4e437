import type { HeaderList } from './exchange.ts';

/**
 * A body: one that some engine receives, or one that somebody makes ({@link BodySource}). Consumed once: by `pipe`, by `buffer`, by
 * `discard`, or by handing it to `Upstream.send` or `Exchange.respond`, which pipe it.
 */
export interface Body {
  /** Bytes when known beforehand (Content-Length or bytes in hand), undefined for chunked. */
  readonly length: number | undefined;
  /** True when there is no body at all, known without reading. */
  readonly isEmpty: boolean;
  /** Its end is that of its connection, so that nobody can tell its whole from a part. Default: it says its end itself. */
  readonly endsWithConnection?: boolean | undefined;
  /** The body that it is made of: whoever takes it, or lets go of it, does so with that one. Default: none. */
  readonly madeOf?: Body | undefined;
  /** Lets it flow into a sink, at once as far as it is here: the sink may hear of its end before `pipe` returns. */
  pipe(sink: BodySink): BodyFlow;
  /**
   * Reads the whole body.
   *
   * Errors: rejects with BodyTooLarge past bytesMax, with BodyAborted when the sender breaks off or breaks framing.
   */
  buffer(bytesMax: number): Promise<Uint8Array>;
  /** Lets the bytes go; the engine drains to its bound or closes the connection. */
  discard(): void;
  /** Trailer lines, complete once the body was read to its end. */
  readonly trailers: HeaderList | undefined;
}

/** Where the pieces of a body go. It hears of one end: `onEnd` or `onBroken`, and nothing behind it. */
export interface BodySink {
  /**
   * Takes bytes[start..end), which it does not change. They are valid during the call; when `isStable`, until more is asked for, that is
   * until `onReadEnd` has returned true or `resume` was called.
   */
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void;
  /** The pieces that are here were given; false asks for no more until `BodyFlow.resume`. */
  onReadEnd(): boolean;
  /** Whole: only now may anybody take what was passed on for all of it. */
  onEnd(trailers: HeaderList | undefined): void;
  /** Broken off or broken framing: what was passed on so far is not the whole. */
  onBroken(cause: Error): void;
}

/** Steers a body that flows into a sink. Harmless once it has come to its end. */
export interface BodyFlow {
  resume(): void;
  /** Gives up; the sink hears nothing more. */
  cancel(): void;
}

/** What makes a body; see `createBody`. */
export interface BodySource {
  /** Bytes, when they are known: what comes has to be exactly as long, or the message that carries it breaks off. */
  readonly length: number | undefined;
  /**
   * Somebody wants it; called once. Gives pieces, then says `onReadEnd`, and goes on when that is true or at `resume`; ends by
   * `onEnd`, perhaps with trailers, or by `onBroken`. `cancel` comes at most once, and not behind an end that the source said.
   */
  start(sink: BodySink): BodyFlow;
  /**
   * Nobody wants it, and nobody will: comes instead of `start`. Neither comes for a call that finds no connection, so a source opens
   * nothing before `start`.
   */
  discard?(): void;
}

/** A body longer than the reader allows. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** A part of an answer, where all of it was asked for. */
export class BodyInPart extends Error {
  override readonly name = 'BodyInPart';
}

/** A body whose sender broke off or broke framing; it must never be completed as whole. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
}

/** Reads a body whole; see `Body.buffer`. */
export function bufferBody(body: Pick<Body, 'length' | 'pipe'>, bytesMax: number): Promise<Uint8Array> {
  if (body.length !== undefined && body.length > bytesMax) {
    return Promise.reject(new BodyTooLarge(`${body.length} bytes; the most is ${bytesMax}`));
  }
  return new Promise((resolve, reject) => new Gathering(bytesMax, resolve, reject).begin(body));
}

/** Gathers a body. One that came in one read, as most do, is copied once. */
class Gathering implements BodySink {
  readonly #bytesMax: number;
  readonly #resolve: (content: Uint8Array) => void;
  readonly #reject: (error: Error) => void;
  #first: Buffer | undefined = undefined;
  #others: Buffer[] | undefined = undefined;
  #bytes = 0;
  #flow: BodyFlow | undefined = undefined;

  constructor(bytesMax: number, resolve: (content: Uint8Array) => void, reject: (error: Error) => void) {
    this.#bytesMax = bytesMax;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(body: Pick<Body, 'pipe'>): void {
    this.#flow = body.pipe(this);
    if (this.#bytes > this.#bytesMax) this.#flow.cancel();
  }

  onPiece(piece: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#bytesMax) {
      this.#reject(new BodyTooLarge(`more than ${this.#bytesMax} bytes`));
      this.#flow?.cancel();
      return;
    }
    const copy = Buffer.from(piece.subarray(start, end));
    if (this.#first === undefined) this.#first = copy;
    else (this.#others ??= []).push(copy);
  }

  onReadEnd(): boolean {
    return true;
  }

  onEnd(): void {
    const first = this.#first ?? Buffer.alloc(0);
    const others = this.#others;
    this.#resolve(others === undefined ? first : Buffer.concat([first, ...others], this.#bytes));
  }

  onBroken(cause: Error): void {
    this.#reject(new BodyAborted(cause.message, { cause }));
  }
}
