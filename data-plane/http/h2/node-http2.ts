import type * as Http2 from 'node:http2';

/** Nothing more is sent on it: Node throws where one tries. */
export function isGone(stream: Http2.Http2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/**
 * Node's HTTP/2, loaded by the first who speaks it: a gateway that speaks none has nothing of it in memory.
 *
 * Synchronous, because pools are made where nobody can wait.
 */
export function http2(): typeof Http2 {
  return process.getBuiltinModule('node:http2');
}
