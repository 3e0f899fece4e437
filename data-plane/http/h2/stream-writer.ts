import type { Http2Stream } from 'node:http2';

import type { BodySink } from '../body.ts';
import type { HeaderList } from '../exchange.ts';
import { isGone } from './node-http2.ts';
import { trailerFields } from './spelling.ts';

/** Who sends the message that a writer writes. */
export interface StreamWriterOwner {
  /** The last bytes are ready; the message ends when `writer.release()` is called, at once or later. */
  onLast(writer: StreamWriter): void;
  onBroken(cause: Error): void;
  /** All of it has left: more may come. */
  onWritten(): void;
  /** Some of it has left. Default: nobody needs to know. */
  onTaken?(): void;
}

/**
 * Node counts a write until its last byte has left, so of a long piece nobody would see that it is taken, and all of it would be in its hands
 * at once: it is given so much at a time.
 */
const writeBytesMax = 64 * 1024;

/** Writes the body of a message to a stream whose head has gone with `waitForTrailers`. */
export class StreamWriter implements BodySink {
  /** Bytes of content taken. */
  bytes = 0;
  /** ... that Node has not been given yet. */
  heldBytes = 0;
  /** Writes that have not left. */
  #waiting = 0;
  readonly #held: Buffer[] = [];
  #isReleased = false;
  readonly #stream: Http2Stream;
  readonly #owner: StreamWriterOwner;
  #trailers: HeaderList | undefined = undefined;
  readonly #onWritten = (): void => {
    this.#waiting -= 1;
    this.#owner.onTaken?.();
    if (this.#waiting > 0) return;
    if (this.#held.length > 0) this.#give();
    else if (this.#isReleased) this.#end();
    else this.#owner.onWritten();
  };

  constructor(stream: Http2Stream, owner: StreamWriterOwner) {
    this.#stream = stream;
    this.#owner = owner;
    stream.once('wantTrailers', () => {
      // Without any it is an empty frame that ends the stream.
      if (!isGone(stream)) stream.sendTrailers(trailerFields(this.#trailers));
    });
  }

  /** Everything that was written has left. */
  get isDrained(): boolean {
    return this.#waiting === 0 && this.heldBytes === 0;
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    this.bytes += end - start;
    if (isGone(this.#stream)) return;
    const piece = bytes.subarray(start, end);
    // A stable one is kept until it has left, since nobody is asked for more before.
    const own = isStable ? piece : Buffer.from(piece);
    if (this.heldBytes === 0 && own.length <= writeBytesMax) return this.#write(own);
    this.#held.push(own);
    this.heldBytes += own.length;
    if (this.#waiting === 0) this.#give();
  }

  #write(piece: Buffer): void {
    this.#waiting += 1;
    this.#stream.write(piece, this.#onWritten);
  }

  /** Gives the next of what is held. */
  #give(): void {
    const [first] = this.#held;
    if (first === undefined || isGone(this.#stream)) return;
    const part = first.subarray(0, writeBytesMax);
    if (part.length === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(part.length);
    this.heldBytes -= part.length;
    this.#write(part);
  }

  onReadEnd(): boolean {
    return this.isDrained;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#trailers = trailers;
    this.#owner.onLast(this);
  }

  onBroken(cause: Error): void {
    this.#owner.onBroken(cause);
  }

  /** Ends the message behind what was taken; once, after `onLast`. */
  release(): void {
    this.#isReleased = true;
    if (this.heldBytes === 0) this.#end();
  }

  /** Ends it before, with trailers that say why no more comes. */
  cutShort(trailers: HeaderList): void {
    this.#trailers = trailers;
    this.#held.length = 0;
    this.heldBytes = 0;
    this.#isReleased = true;
    this.#end();
  }

  #end(): void {
    if (!isGone(this.#stream) && !this.#stream.writableEnded) this.#stream.end();
  }
}
