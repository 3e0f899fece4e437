import type { Http2Stream } from 'node:http2';

import { BodyFault, type IncomingBody } from '../message/incoming-body.ts';
import type { FieldLimits } from '../message/fields.ts';
import type { WireHeaders } from '../message/wire-headers.ts';
import { http2 } from './node-http2.ts';
import { readTrailers } from './spelling.ts';

/**
 * Knows whether a stream came to its end: what END_STREAM ends is whole, what a reset ends is not, whatever its code. To be made before
 * anything of the stream is read.
 *
 * Reason: Node ends a stream that was reset as one that ended, and a reset may say NO_ERROR. Only when the end is pushed they differ: a
 * reset has closed the stream by then. `incoming.test.ts` fails when a later Node does otherwise.
 */
export class StreamEnd {
  isWhole: boolean;
  #isSaid: boolean;

  constructor(stream: Http2Stream) {
    // A stream is handed out in a turn after its head was read; by then all of it may be here.
    this.isWhole =
      !stream.closed && stream.state.state === http2().constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
    this.#isSaid = this.isWhole;
    const push = stream.push.bind(stream);
    stream.push = (piece: unknown, encoding?: BufferEncoding): boolean => {
      if (piece === null && !this.#isSaid) {
        this.#isSaid = true;
        this.isWhole = !stream.closed;
      }
      return push(piece, encoding);
    };
  }
}

/** How a body hears of what a stream brings. */
export interface IncomingStream {
  readonly stream: Http2Stream;
  readonly end: StreamEnd;
  readonly body: IncomingBody;
  readonly limits: FieldLimits;
  /** Runs what the event loop began. */
  readonly guard: (work: () => void) => void;
}

/** Feeds a body from its stream until its end; it breaks when the stream closes before. */
export function feedBody({ stream, end, body, limits, guard }: IncomingStream): void {
  let trailers: WireHeaders | undefined;
  stream.on('trailers', (_headers, _flags, raw: readonly string[]) =>
    guard(() => {
      const read = readTrailers(raw, limits);
      if (typeof read === 'string') body.break(new BodyFault(read));
      else if (read.size > 0) trailers = read;
    }),
  );
  stream.on('data', (piece: Buffer) => guard(() => void body.feed(piece, 0, piece.length, true)));
  stream.once('end', () =>
    guard(() => {
      if (end.isWhole) body.endWithStream(trailers);
      else body.break(new Error('the stream was reset'));
    }),
  );
}
