import type { ServerHttp2Stream } from 'node:http2';

import type { IncomingBody } from '../message/incoming-body.ts';
import { http2 } from './node-http2.ts';

/** RFC 9113 section 8.1: an answer that is whole before its request asks for no more of that. */
export function endReading(stream: ServerHttp2Stream, body: IncomingBody, isPiped: boolean): void {
  if (body.state === 'whole') return;
  body.discard();
  // The frames of this turn leave at its end.
  const stop = (): void => void setImmediate(() => stopReading(stream, body));
  if (isPiped) stream.once('wantTrailers', stop);
  else if (stream.writableFinished) stop();
  else stream.once('finish', stop);
}

/** A reset takes along what has not left, trailers too: while something has not, the sweep tries again. */
export function stopReading(stream: ServerHttp2Stream, body: IncomingBody): void {
  const hasEnded = stream.state.localClose === 1;
  if (hasEnded && body.state !== 'whole') stream.close(http2().constants.NGHTTP2_NO_ERROR);
}
