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
  /** Some of it has left: more may come. */
  onWritten(): void;
}

/** Writes the body of a message to a stream whose head has gone with `waitForTrailers`. */
export class StreamWriter implements BodySink {
  /** Bytes of content written. */
  bytes = 0;
  /** Pieces that have not left. */
  #waiting = 0;
  readonly #stream: Http2Stream;
  readonly #owner: StreamWriterOwner;
  #trailers: HeaderList | undefined = undefined;
  readonly #onWritten = (): void => {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#owner.onWritten();
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
    return this.#waiting === 0;
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    this.bytes += end - start;
    if (isGone(this.#stream)) return;
    this.#waiting += 1;
    const piece = bytes.subarray(start, end);
    // A stable one is kept until it has left, since nobody is asked for more before.
    this.#stream.write(isStable ? piece : Buffer.from(piece), this.#onWritten);
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

  /** Ends the message; once, after `onLast`, or before with trailers that say why no more comes. */
  release(trailers = this.#trailers): void {
    this.#trailers = trailers;
    if (!isGone(this.#stream)) this.#stream.end();
  }
}
