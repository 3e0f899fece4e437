import { Readable, type Readable as NodeReadable } from 'node:stream';
import { BodyAborted, BodyTooLarge, type Body, type HeaderList } from '../exchange.ts';

/** Where the pieces of a body go. */
export interface BodySink {
  /** Takes a piece; false asks for a pause until `Flow.resume`. */
  onPiece(piece: Uint8Array): boolean;
  onEnd(trailers: HeaderList | undefined): void;
  /** Broken off or broken framing: what was passed on so far is not the whole. */
  onBroken(cause: Error): void;
}

/** Lets a sink that asked for a pause go on. */
export interface Flow {
  resume(): void;
  /** Gives up: the source is cut. */
  cancel(): void;
}

/** A body of this engine: it can be piped into a sink. */
export interface PipedBody extends Body {
  pipe(sink: BodySink): Flow;
  /** The same as a stream, for undici. */
  toReadable(): NodeReadable;
}

/** Says whether a body is one of this engine's. */
export function isPiped(body: Body | Uint8Array | string | undefined): body is PipedBody {
  return typeof body === 'object' && 'pipe' in body;
}

/** Collects a piped body; see `Body.buffer`. */
export function collect(body: PipedBody, bytesMax: number): Promise<Uint8Array> {
  if (body.length !== undefined && body.length > bytesMax) {
    return Promise.reject(new BodyTooLarge(`${body.length} bytes; the most is ${bytesMax}`));
  }
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    const flow = body.pipe({
      onPiece(piece) {
        bytes += piece.length;
        if (bytes > bytesMax) {
          reject(new BodyTooLarge(`more than ${bytesMax} bytes`));
          flow.cancel();
        } else pieces.push(piece);
        return true;
      },
      onEnd: () => resolve(Buffer.concat(pieces)),
      onBroken: (cause) => reject(new BodyAborted(cause.message, { cause })),
    });
  });
}

/** A stream over a piped body, with its back-pressure. */
export function readableOf(body: PipedBody): NodeReadable {
  let flow: Flow | undefined;
  const readable = new Readable({
    read() {
      if (flow !== undefined) return flow.resume();
      flow = body.pipe({
        onPiece: (piece) => readable.push(piece),
        onEnd: () => void readable.push(null),
        onBroken: (cause) => void readable.destroy(cause),
      });
    },
    destroy(error, callback) {
      if (error !== null) flow?.cancel();
      callback(error);
    },
  });
  return readable;
}
