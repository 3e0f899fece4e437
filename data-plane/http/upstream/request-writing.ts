import type { Body, BodyFlow } from '../body.ts';
import { BodyWriter, type BodyWriterOwner } from '../message/body-writer.ts';
import type { Wire } from '../socket/wire.ts';

/** Request bodies in hand up to this size leave in one write with their head. */
const oneWriteBytesMax = 12 * 1024;

/** Whose requests are written. */
export interface RequestWriter {
  /** The last byte of a body that was piped is on its way. */
  onRequestSent(): void;
  /** The body of the request broke off. */
  onRequestBroken(cause: Error): void;
}

/** Writes the requests of one connection, one after the other: a body in hand with its head, another as it comes. */
export class RequestWriting implements BodyWriterOwner {
  /** All of the last request has left. */
  isSent = false;
  readonly #wire: Wire;
  readonly #writer: RequestWriter;
  #isPiping = false;
  #flow: BodyFlow | undefined = undefined;

  constructor(wire: Wire, writer: RequestWriter) {
    this.#wire = wire;
    this.#writer = writer;
  }

  /** `text` is the whole head with its empty line. */
  write(text: string, body: Body | Uint8Array | undefined): void {
    if (body !== undefined && !(body instanceof Uint8Array) && !body.isEmpty) return this.#pipe(text, body);
    this.isSent = true;
    if (body instanceof Uint8Array && body.length > 0) {
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
      if (bytes.length <= oneWriteBytesMax) this.#wire.write(text + bytes.toString('latin1'));
      else this.#wire.writeWith(text, bytes, 0, bytes.length, true);
    } else this.#wire.write(text);
  }

  /** The wire has taken what was written. */
  resume(): void {
    this.#flow?.resume();
  }

  /** What is left of a body is nobody's. */
  cancel(): void {
    const flow = this.#flow;
    this.#flow = undefined;
    this.#isPiping = false;
    flow?.cancel();
  }

  onLast(writer: BodyWriter): void {
    this.isSent = true;
    this.#flow = undefined;
    this.#isPiping = false;
    writer.release();
    this.#writer.onRequestSent();
  }

  onBroken(cause: Error): void {
    this.#flow = undefined;
    this.#isPiping = false;
    this.#writer.onRequestBroken(cause);
  }

  #pipe(text: string, body: Body): void {
    this.isSent = false;
    this.#isPiping = true;
    const flow = body.pipe(new BodyWriter(this.#wire, text, body.length ?? 'chunked', this));
    // It may have come to its end in the call.
    if (this.#isPiping) this.#flow = flow;
  }
}
