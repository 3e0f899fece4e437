import type { UpstreamFailure, UpstreamOptions } from '../../exchange.ts';
import type { AnswerFault } from '../../message/refusal.ts';

/** An answer as the client gets it; what is left out is not judged. */
export interface DeliveredAnswer {
  readonly status: number;
  readonly reason?: string;
  /** Per name in lower case: all values at the client, in order; an empty list is a field that must not be there. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  /** These lines stand at the client in this order, next to each other, in this case. */
  readonly lines?: readonly string[];
  /** Judged always: no body when left out. */
  readonly body?: string;
  /** Judged always: none when left out. */
  readonly trailers?: readonly string[];
  /** Whether the backend's connection serves the next request; judged always, true when left out. */
  readonly isReused?: boolean;
}

/**
 * What becomes of an answer's bytes.
 *
 * invalid: `UpstreamFailure` invalidResponse with that fault in its message; nothing reaches the client.
 * failure: another failure, before the head was complete.
 * broken: the head was good, the body is not; the client never gets a complete answer, its connection is closed.
 */
export type AnswerExpectation =
  | { readonly invalid: AnswerFault }
  | { readonly failure: readonly UpstreamFailure[] }
  | { readonly broken: true }
  | { readonly delivered: DeliveredAnswer };

/** What the gateway asks with, where it matters, and which bounds differ from the usual ones. */
export interface AnswerSettings {
  readonly method?: string;
  readonly limits?: Partial<Pick<UpstreamOptions, 'headerBytesMax' | 'headersMax'>>;
  /** The backend ends its connection behind the bytes. */
  readonly ends?: boolean;
}

/** Raw bytes of a backend, and what must become of them however they are cut. */
export interface AnswerCase {
  readonly name: string;
  readonly section: string;
  /** One character a byte (latin1). */
  readonly bytes: string;
  readonly expect: AnswerExpectation;
  readonly settings: AnswerSettings;
}

type Row = readonly [
  name: string,
  bytes: string,
  expect: AnswerExpectation | AnswerFault,
  settings?: AnswerSettings,
];

/** Rows of one section; a bare fault means invalid for it. */
export function answerCases(section: string, rows: readonly Row[]): readonly AnswerCase[] {
  return rows.map(([name, bytes, expect, settings = {}]) => ({
    name,
    section,
    bytes,
    expect: typeof expect === 'string' ? { invalid: expect } : expect,
    settings,
  }));
}

/** A 200 with these header lines, and what follows its head. */
export function ok(lines: string, body = ''): string {
  return `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;
}

/** A chunked 200. */
export function okChunked(body: string): string {
  return ok('Transfer-Encoding: chunked\r\n', body);
}

/** The answer arrives, and the connection is reused. */
export function delivers(answer: Partial<DeliveredAnswer> = {}): AnswerExpectation {
  return { delivered: { status: 200, ...answer } };
}

/** The answer arrives, and the connection is not reused. */
export function deliversOnce(answer: Partial<DeliveredAnswer> = {}): AnswerExpectation {
  return { delivered: { status: 200, isReused: false, ...answer } };
}

/** The backend ends its connection behind the bytes. */
export const ends: AnswerSettings = { ends: true };
