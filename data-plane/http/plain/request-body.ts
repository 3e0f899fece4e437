import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { HeaderList } from '../exchange.ts';
import { createHeaderList } from '../headers.ts';
import { collect, readableOf, type BodySink, type Flow, type PipedBody } from './body.ts';

/** The body of a client's request. */
export class RequestBody implements PipedBody {
  readonly length: number | undefined;
  readonly isEmpty: boolean;
  /** Bytes seen so far. */
  bytes = 0;
  readonly #message: IncomingMessage;
  readonly #onFirstRead: () => void;
  readonly #bytesMax: number;

  constructor(
    message: IncomingMessage,
    options: { readonly onFirstRead: () => void; readonly bytesMax: number },
  ) {
    this.#message = message;
    this.#onFirstRead = options.onFirstRead;
    this.#bytesMax = options.bytesMax;
    const length = message.headers['content-length'];
    const isChunked = message.headers['transfer-encoding'] !== undefined;
    this.length = isChunked ? undefined : Number(length ?? 0);
    this.isEmpty = this.length === 0;
  }

  get trailers(): HeaderList | undefined {
    return this.#message.rawTrailers.length === 0 ? undefined : createHeaderList(this.#message.rawTrailers);
  }

  pipe(sink: BodySink): Flow {
    const message = this.#message;
    let isDone = false;
    const once = (tell: () => void): void => {
      if (isDone) return;
      isDone = true;
      tell();
    };
    this.#onFirstRead();
    message.on('data', (piece: Buffer) => {
      this.bytes += piece.length;
      if (isDone) return;
      // A body without a declared length is judged as it comes; one with a length was judged by its head.
      if (this.bytes > this.#bytesMax)
        return once(() => sink.onBroken(new Error(`more than ${this.#bytesMax} bytes`)));
      if (!sink.onPiece(piece)) message.pause();
    });
    message.once('end', () => once(() => sink.onEnd(this.trailers)));
    message.once('error', (cause) => once(() => sink.onBroken(cause)));
    message.once('close', () => once(() => sink.onBroken(new Error('the client went away'))));
    return { resume: () => void message.resume(), cancel: () => once(() => message.resume()) };
  }

  buffer(bytesMax: number): Promise<Uint8Array> {
    return collect(this, bytesMax);
  }

  toReadable(): Readable {
    return readableOf(this);
  }

  discard(): void {
    this.#message.resume();
  }
}
