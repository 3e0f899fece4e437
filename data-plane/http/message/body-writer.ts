import type { BodySink } from '../body.ts';
import type { HeaderList } from '../exchange.ts';
import type { Wire } from '../socket/wire.ts';
import { isForbiddenTrailer } from './chunked.ts';
import { removeWhere } from './trailers.ts';
import { wireHeadersOf } from './wire-headers.ts';

/** Who sends the message that a writer writes. */
export interface BodyWriterOwner {
  /** The last bytes are ready; they leave when `writer.release()` is called, at once or later. */
  onLast(writer: BodyWriter): void;
  onBroken(cause: Error): void;
}

/**
 * Text that is gathered for one write: head, framing and pieces that fit. Node writes so much latin1 text from its stack, in
 * one system call and without an allocation; a Buffer beside a text costs two requests and a vector.
 */
const textBytesMax = 16_000;

/**
 * Writes a message whose body comes in pieces: the head with the first of them, chunked where the length is not known.
 *
 * What comes in one read leaves in one write. The last bytes are told to `onLast` before they leave.
 */
export class BodyWriter implements BodySink {
  /** Bytes of content written. */
  bytes = 0;
  readonly #wire: Wire;
  readonly #framing: number | 'chunked' | 'close';
  readonly #owner: BodyWriterOwner;
  #text: string;
  /** Pieces of one read that leave in one chunk: chunks of one byte each would cost the next hop as much as they cost us. */
  #chunk = '';
  /** The piece that completes a declared length, when it is too long for text. */
  #last: Buffer | undefined = undefined;
  #isLastStable = true;
  #isOver = false;

  /** `head` is the whole head with its empty line. */
  // oxlint-disable-next-line max-params -- one per message with a body in pieces
  constructor(wire: Wire, head: string, framing: number | 'chunked' | 'close', owner: BodyWriterOwner) {
    this.#wire = wire;
    this.#text = head;
    this.#framing = framing;
    this.#owner = owner;
  }

  // oxlint-disable-next-line max-params -- once per piece
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const length = end - start;
    this.bytes += length;
    const isChunked = this.#framing === 'chunked';
    if (length <= textBytesMax) {
      if (this.#text.length + this.#chunk.length + length > textBytesMax) this.#flush();
      const piece =
        length === 1 ? String.fromCharCode(bytes[start] ?? 0) : bytes.toString('latin1', start, end);
      if (isChunked) this.#chunk += piece;
      else this.#text += piece;
      return;
    }
    if (this.bytes === this.#framing) {
      this.#last = bytes.subarray(start, end);
      this.#isLastStable = isStable;
      return;
    }
    this.#endChunk();
    const text = this.#text;
    this.#text = isChunked ? '\r\n' : '';
    this.#wire.writeWith(isChunked ? `${text}${length.toString(16)}\r\n` : text, bytes, start, end, isStable);
  }

  onReadEnd(): boolean {
    if (this.#isOver) return true;
    this.#flush();
    if (this.#wire.isDrained) return true;
    this.#wire.askDrain();
    return false;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#isOver = true;
    this.#endChunk();
    if (this.#framing === 'chunked')
      this.#text += `0\r\n${trailers === undefined ? '' : trailerText(trailers)}\r\n`;
    this.#owner.onLast(this);
    // Whoever holds the last bytes back holds them past this read.
    if (this.#last !== undefined && !this.#isLastStable) {
      this.#last = Buffer.from(this.#last);
      this.#isLastStable = true;
    }
  }

  onBroken(cause: Error): void {
    this.#isOver = true;
    this.#owner.onBroken(cause);
  }

  /** Lets the last bytes go; once, after `onLast`. */
  release(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last !== undefined) this.#wire.writeWith(this.#text, last, 0, last.length, this.#isLastStable);
    else if (this.#text !== '') this.#wire.write(this.#text);
    this.#text = '';
  }

  #endChunk(): void {
    const chunk = this.#chunk;
    if (chunk === '') return;
    this.#text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    this.#chunk = '';
  }

  #flush(): void {
    this.#endChunk();
    if (this.#text === '') return;
    this.#wire.write(this.#text);
    this.#text = '';
  }
}

/** What was received is judged by then; what we made may hold what is no trailer, as a list that was meant for a head does. */
function trailerText(trailers: HeaderList): string {
  const lines = wireHeadersOf(trailers);
  removeWhere(lines, isForbiddenTrailer);
  return lines.forwardable();
}
