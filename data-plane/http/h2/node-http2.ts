import type * as Http2 from 'node:http2';

/** Nothing more is sent on it: Node throws where one tries. */
export function isGone(stream: Http2.Http2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/**
 * Node's HTTP/2, asked for by the first who speaks it. Today that saves nothing: with the first `import ... from 'node:http'` Node loads
 * undici and HTTP/2 as well, through the getters of what that exports (13 MiB on 24.21, which `require` does not take).
 *
 * Synchronous, because pools are made where nobody can wait.
 */
export function http2(): typeof Http2 {
  return process.getBuiltinModule('node:http2');
}
