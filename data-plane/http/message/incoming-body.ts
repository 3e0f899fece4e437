import { invariant } from '../../../proto/faults/fault.ts';
import { type Body, type BodyFlow, type BodySink, bufferBody } from '../body.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Upload } from '../exchange.ts';
import type { FieldLimits } from './fields.ts';
import type { BodyEnd } from './framing.ts';
import { WireHeaders } from './wire-headers.ts';

/** The connection behind a body. */
export interface BodyConnection {
  pauseBody(): void;
  resumeBody(): void;
  /** Somebody begins to read: the moment for 100 (Continue). */
  onBodyWanted(): void;
  /** Its last byte is here; told before the sink is. */
  onBodyWhole(): void;
  /** A read held very many pieces: others should have their turn before the next. */
  onManyPieces(): void;
  /** Nobody wants the rest. */
  onBodyUnwanted(): void;
  /** The sender broke framing or a bound; told before the sink is, so that what is said to the sender does not depend on the sink. */
  onBodyFault(fault: BodyFault): void;
}

/** What is kept of a body that nobody reads yet before its sender has to wait. */
const heldBytesMax = 16 * 1024;
/** Pieces of one read; a body that is streamed piece by piece has a few. */
const piecesMax = 256;
/** Held pieces are joined when there are so many: who sends chunks of one byte must not make us keep an object for each. */
const heldPiecesMax = 64;

/** A body whose framing was broken, in the words of message/refusal.ts. */
export class BodyFault extends Error {
  override readonly name = 'BodyFault';
  readonly reason: string;

  constructor(reason: string) {
    super(`the body is broken: ${reason}`);
    this.reason = reason;
  }
}

/**
 * A body that a connection receives, of a request or of an answer.
 *
 * The connection feeds it what comes and learns where the body ends. Without a sink pieces are kept, and the connection pauses when
 * they are `heldBytesMax`: so at most that and one read is ever in memory. Not sooner, because a connection that is paused does not
 * notice that its sender has gone.
 */
export class IncomingBody implements Body, BodyFlow, Upload {
  readonly length: number | undefined;
  readonly isEmpty: boolean;
  readonly endsWithConnection: boolean;
  trailers: WireHeaders | undefined = undefined;
  /** Bytes of content received. */
  bytes = 0;
  /** See {@link Upload}; set by connections whose exchanges tell of it. */
  endedUs = 0;
  /** Open, received whole, or why it never will be. */
  state: 'open' | 'whole' | Error;
  /** The head that it came with, which says what is no trailer of it. */
  head: WireHeaders | undefined = undefined;
  /** Nobody wants it: what still comes is counted and dropped. */
  isDiscarded = false;
  readonly #connection: BodyConnection;
  readonly #chunked: ChunkedDecoder | undefined;
  readonly #bytesMax: number;
  readonly #endsItself: boolean;
  #sink: BodySink | undefined = undefined;
  #isTaken = false;
  #isFeeding = false;
  #held: Buffer[] | undefined = undefined;
  #heldBytes = 0;
  #isStable = false;
  /** Of the read in hand. */
  #pieces = 0;

  /** `declared` is the length of a body whose end its stream says, where it is known. */
  // oxlint-disable-next-line max-params -- once per message
  constructor(
    end: BodyEnd | 'stream',
    connection: BodyConnection,
    limits: FieldLimits & { readonly bodyBytesMax: number },
    declared?: number,
  ) {
    this.length = typeof end === 'number' ? end : declared;
    this.isEmpty = end === 0;
    this.endsWithConnection = end === 'close';
    this.state = end === 0 ? 'whole' : 'open';
    this.#endsItself = end !== 'stream';
    this.#connection = connection;
    this.#chunked = end === 'chunked' ? new ChunkedDecoder(limits) : undefined;
    this.#bytesMax = limits.bodyBytesMax;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Whole or broken: nothing more is taken. */
  get isEnded(): boolean {
    return this.state !== 'open';
  }

  /** A read is in hand, and `feed` follows in this turn: whoever takes the body now does not have to write before it. */
  expectFeed(): void {
    this.#isFeeding = true;
  }

  /** Feeds a read; returns the position behind the body's last byte in it. */
  // oxlint-disable-next-line max-params -- once per read of every body
  feed(bytes: Buffer, start: number, end: number, isStable: boolean): number {
    this.#isFeeding = true;
    this.#isStable = isStable;
    this.#pieces = 0;
    const at = this.#decode(bytes, start, end);
    this.#isFeeding = false;
    if (this.#pieces > piecesMax) this.#connection.onManyPieces();
    if (this.#sink !== undefined) {
      if (!this.#sink.onReadEnd() && this.state === 'open') this.#connection.pauseBody();
    } else if (this.state === 'open' && !this.isDiscarded && this.#heldBytes >= heldBytesMax) {
      this.#connection.pauseBody();
    }
    return at;
  }

  /** Called by ChunkedDecoder, and for bodies of a known length. */
  // oxlint-disable-next-line max-params -- once per piece
  onChunk(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.bytes += end - start;
    this.#pieces += 1;
    if (this.bytes > this.#bytesMax) return this.break(new BodyFault('body-too-large'));
    if (this.#sink !== undefined) this.#sink.onPiece(bytes, start, end, this.#isStable);
    else if (!this.isDiscarded) this.#hold(Buffer.from(bytes.subarray(start, end)));
  }

  /** The connection ended. A body that ends with it is whole now, any other is broken. */
  endWithConnection(cause: Error): void {
    if (this.state !== 'open') return;
    if (this.length === undefined && this.#chunked === undefined) this.#complete();
    else this.break(cause);
  }

  /** Its stream said that it is whole. Bytes that are not as many as were declared are not. */
  endWithStream(trailers: WireHeaders | undefined): void {
    if (this.state !== 'open') return;
    if (this.bytes !== (this.length ?? this.bytes))
      return this.break(new Error(`${this.bytes} bytes came of the ${this.length} that were declared`));
    this.trailers = trailers;
    this.#complete();
  }

  /** It never becomes whole. */
  break(cause: Error): void {
    if (this.state !== 'open') return;
    this.state = cause;
    const sink = this.#sink;
    this.#sink = undefined;
    if (cause instanceof BodyFault) this.#connection.onBodyFault(cause);
    sink?.onBroken(cause);
  }

  /** Lets it flow into a sink, at once as far as it is here. */
  pipe(sink: BodySink): BodyFlow {
    invariant(!this.#isTaken, 'a body is consumed once');
    this.#isTaken = true;
    if (this.state === 'open') this.#connection.onBodyWanted();
    this.#sink = sink;
    for (const piece of this.#held ?? []) sink.onPiece(piece, 0, piece.length, true);
    this.#held = undefined;
    if (this.state === 'whole') this.#complete();
    else if (this.state !== 'open') {
      this.#sink = undefined;
      sink.onBroken(this.state);
    }
    // While a read is being fed its end is still to come, and with it `onReadEnd`.
    if (!this.#isFeeding && this.state === 'open' && sink.onReadEnd()) this.#connection.resumeBody();
    return this;
  }

  /** For whoever has piped it, as `cancel`; see BodyFlow. */
  resume(): void {
    if (this.state === 'open') this.#connection.resumeBody();
  }

  cancel(): void {
    this.#sink = undefined;
    this.discard();
  }

  buffer(bytesMax: number): Promise<Uint8Array> {
    return bufferBody(this, bytesMax);
  }

  discard(): void {
    if (this.isDiscarded) return;
    this.isDiscarded = true;
    this.#held = undefined;
    if (this.state === 'open') this.#connection.onBodyUnwanted();
  }

  /** Somebody read it or reads it. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  #hold(piece: Buffer): void {
    this.#heldBytes += piece.length;
    const held = (this.#held ??= []);
    held.push(piece);
    if (held.length >= heldPiecesMax) this.#held = [Buffer.concat(held)];
  }

  #decode(bytes: Buffer, start: number, end: number): number {
    if (this.state !== 'open') return start;
    if (this.#chunked === undefined) {
      const left = this.length === undefined ? end - start : this.length - this.bytes;
      const at = Math.min(end, start + left);
      this.onChunk(bytes, start, at);
      if (this.bytes === this.length && this.#endsItself) this.#complete();
      return at;
    }
    const at = this.#chunked.feed(bytes, start, end, this);
    const { fault, isDone, trailer } = this.#chunked;
    if (fault !== undefined) this.break(new BodyFault(fault));
    else if (isDone) {
      if (trailer !== undefined) this.trailers = new WireHeaders(trailer.text, trailer.fields);
      this.#complete();
    }
    return at;
  }

  #complete(): void {
    if (this.state !== 'open' && this.state !== 'whole') return;
    if (this.state === 'open') this.#connection.onBodyWhole();
    this.state = 'whole';
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) return;
    // Not sooner: it may be whole before the steps have set and removed what they do.
    if (this.trailers !== undefined) this.head?.strip(this.trailers);
    sink.onEnd(this.trailers);
  }
}
