import type * as Http2 from 'node:http2';

/** Nothing more is sent on it: Node throws where one tries. */
export function isGone(stream: Http2.Http2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/**
 * Node's HTTP/2, asked for by the first who speaks it: who does not pays nothing for it, as long as nobody imports `node:http`
 * (proto/process/node-http.ts).
 *
 * Synchronous, because pools are made where nobody can wait.
 */
export function http2(): typeof Http2 {
  return process.getBuiltinModule('node:http2');
}
