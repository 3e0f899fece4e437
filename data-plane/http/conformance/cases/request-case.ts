import type { ServerLimits, ServerOptions } from '../../exchange.ts';
import type { RefusalReason } from '../../message/refusal.ts';

/** What differs from the server's usual settings (stage.ts). */
export interface RequestSettings {
  readonly limits?: Partial<ServerLimits>;
  readonly target?: Partial<ServerOptions['target']>;
}

/** A request as the gateway sees it and the backend receives it; what is left out is not judged. */
export interface ForwardedRequest {
  readonly method?: string;
  /** As the gateway routes and as it goes on the wire. */
  readonly path?: string;
  /** undefined is judged too: there is no `?`. */
  readonly query?: string | undefined;
  /** What the gateway reads from Host and target. */
  readonly authority?: string;
  readonly host?: string;
  readonly version?: '1.0' | '1.1';
  /** Per name in lower case: all values at the backend, in order; an empty list is a field that must not be there. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  /** The same of what the gateway sees. */
  readonly seen?: Readonly<Record<string, readonly string[]>>;
  /** These lines stand at the backend in this order, next to each other, in this case. */
  readonly lines?: readonly string[];
  /** Judged always: no body when left out. */
  readonly body?: string;
  /** Trailer lines at the backend; judged always: none when left out. */
  readonly trailers?: readonly string[];
}

/**
 * What becomes of the bytes.
 *
 * refused: so many requests before it are answered (`after`, none when left out), then the status of that reason is
 * answered and the connection closed; nothing of the refused request reaches the gateway.
 * broken: the gateway has its head already; the client gets the status and the close, the backend no complete request.
 * unfinished: the client ends in the middle; the backend gets no complete request (`after` as above). `isSeen` when the gateway has
 * its head already.
 * forwarded: exactly these requests, each answered; then the connection is `open` for another one, or `closed`.
 */
export type RequestExpectation =
  | { readonly refused: RefusalReason; readonly after?: number }
  | { readonly broken: RefusalReason; readonly after?: number }
  | { readonly unfinished: true; readonly after?: number; readonly isSeen?: boolean }
  | { readonly forwarded: readonly ForwardedRequest[]; readonly connection?: 'open' | 'closed' };

/** Raw bytes of a client, and what must become of them however they are cut. */
export interface RequestCase {
  readonly name: string;
  /** The rule that decides, e.g. `RFC 9112 6.3`. */
  readonly section: string;
  /** One character a byte (latin1). */
  readonly bytes: string;
  readonly expect: RequestExpectation;
  readonly settings: RequestSettings;
}

type Row = readonly [
  name: string,
  bytes: string,
  expect: RequestExpectation | RefusalReason,
  settings?: RequestSettings,
];

/** Rows of one section; a bare reason means refused for it, with nothing before it. */
export function requestCases(section: string, rows: readonly Row[]): readonly RequestCase[] {
  return rows.map(([name, bytes, expect, settings = {}]) => ({
    name,
    section,
    bytes,
    expect: typeof expect === 'string' ? { refused: expect } : expect,
    settings,
  }));
}

/** The one request that passes, after which the connection is open. */
export function passes(request: ForwardedRequest = {}): RequestExpectation {
  return { forwarded: [request] };
}

/** The one request that passes, after which the connection is closed. */
export function passesAndCloses(request: ForwardedRequest = {}): RequestExpectation {
  return { forwarded: [request], connection: 'closed' };
}

/** A GET with these header lines behind its Host. */
export function get(lines: string): string {
  return `GET / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`;
}

/** A GET of this target. */
export function getTarget(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
}

/** A POST with these header lines behind its Host, and what follows its head. */
export function post(lines: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: h\r\n${lines}\r\n${body}`;
}

/** A POST with a chunked body. */
export function postChunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}
