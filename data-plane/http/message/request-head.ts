import { FAULTY, Fields, type FieldLimits, INCOMPLETE, parseFields } from './fields.ts';
import { CR, LF, SPACE, target, token } from './grammar.ts';
import type { RefusalReason } from './refusal.ts';

/** Bounds of a request head. */
export interface HeadLimits extends FieldLimits {
  readonly requestLineBytesMax: number;
}

/**
 * A request head as places in its bytes; nothing of it is a string yet. See `Fields`.
 *
 * Places are relative to the head's first byte.
 */
export class RequestHead extends Fields {
  /** Where the request line begins: behind an empty line that was forgiven. */
  lineStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** 0 or 1. */
  minorVersion = 1;
  refusal: RefusalReason | undefined = undefined;
}

/**
 * Parses a whole request head from bytes[start..end): strict, in one pass, RFC 9112 sections 2.2, 3 and 5.
 *
 * Returns the position behind it, INCOMPLETE, or FAULTY with `head.refusal`. The first fault in the order of the bytes counts.
 */
// oxlint-disable-next-line max-params -- the innermost function of the server side: no object per call
export function parseRequestHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  let at = start;
  // RFC 9112 section 2.2: one empty line before a request line is forgiven, for old clients that end a body with CRLF.
  if (bytes[at] === CR && at < end) {
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return refuse(head, 'line-ending');
    at += 2;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] === CR) return refuse(head, 'empty-line');
  }
  head.lineStart = at - start;
  const lineEnd = parseRequestLine(bytes, { at, end, origin: start }, head, limits);
  if (lineEnd <= 0) return lineEnd;
  const headEnd = parseFields(bytes, lineEnd, end, head, start, limits);
  if (headEnd === FAULTY) head.refusal = head.fault;
  return headEnd;
}

/** RFC 9112 section 3: method SP target SP version CRLF, single spaces, nothing else. */
// oxlint-disable-next-line max-lines-per-function, max-params -- one line of the grammar after the other
function parseRequestLine(
  bytes: Uint8Array,
  span: { readonly at: number; readonly end: number; readonly origin: number },
  head: RequestHead,
  limits: HeadLimits,
): number {
  const { origin, end } = span;
  const lineStart = span.at;
  const bound = lineStart + limits.requestLineBytesMax + 2;
  const last = Math.min(end, bound);
  const ended = (): number => (end > bound ? refuse(head, 'request-line-too-long') : INCOMPLETE);
  let at = lineStart;
  while (at < last && token[bytes[at] ?? 0] === 1) at += 1;
  if (at >= last) return ended();
  let byte = bytes[at];
  if (byte !== SPACE || at === lineStart) {
    // A method alone on its line is a good one; what is missing is the rest.
    const reason = at > lineStart && byte === CR ? 'request-line' : 'method';
    return lineFault({ bytes, at, last, ended }, head, reason);
  }
  head.methodEnd = at - origin;
  if (isWord(connect, bytes, lineStart, at)) return refuse(head, 'connect');
  // RFC 9113 section 11.6: reserved for HTTP/2's preface, so that no request of HTTP/1.1 is ever taken for one.
  if (isWord(preface, bytes, lineStart, at)) return refuse(head, 'method');
  at += 1;
  const targetStart = at;
  while (at < last && target[bytes[at] ?? 0] === 1) at += 1;
  if (at >= last) return ended();
  byte = bytes[at];
  head.targetStart = targetStart - origin;
  head.targetEnd = at - origin;
  if (byte === CR || byte === LF)
    return lineFault({ bytes, at, last, ended }, head, at === targetStart ? 'request-line' : 'version');
  if (byte !== SPACE) return refuse(head, 'target-character');
  if (at === targetStart) return refuse(head, 'request-line');
  return parseVersion(bytes, { at: at + 1, last, ended }, head);
}

const versionPrefix = Buffer.from('HTTP/');

/** RFC 9112 section 2.3: exactly `HTTP/1.0` or `HTTP/1.1`, then the line's end. */
function parseVersion(
  bytes: Uint8Array,
  span: { readonly at: number; readonly last: number; readonly ended: () => number },
  head: RequestHead,
): number {
  const { at, last, ended } = span;
  for (let index = 0; index < 5; index += 1) {
    if (at + index >= last) return ended();
    const byte = bytes[at + index];
    if (byte === versionPrefix[index]) continue;
    return index === 0 && byte === SPACE
      ? refuse(head, 'request-line')
      : lineFault({ bytes, at: at + index, last, ended }, head, 'version');
  }
  for (let index = 5; index < 8; index += 1) {
    if (at + index >= last) return ended();
    const byte = bytes[at + index] ?? 0;
    const isExpected = index === 6 ? byte === 0x2e : byte >= 0x30 && byte <= 0x39;
    if (!isExpected) return lineFault({ bytes, at: at + index, last, ended }, head, 'version');
  }
  const major = bytes[at + 5];
  const minor = (bytes[at + 7] ?? 0) - 0x30;
  if (at + 8 >= last) return ended();
  const byte = bytes[at + 8];
  if (byte === SPACE) return refuse(head, 'request-line');
  if (byte !== CR) return refuse(head, byte === LF ? 'line-ending' : 'version');
  if (at + 9 >= last) return ended();
  if (bytes[at + 9] !== LF) return refuse(head, 'line-ending');
  if (major !== 0x31 || minor > 1) return refuse(head, major === 0x30 ? 'version' : 'version-unsupported');
  head.minorVersion = minor;
  return at + 10;
}

/** Where a byte is out of place: a bare CR or LF is a line ending gone wrong, whatever else is missing. */
function lineFault(
  span: {
    readonly bytes: Uint8Array;
    readonly at: number;
    readonly last: number;
    readonly ended: () => number;
  },
  head: RequestHead,
  reason: RefusalReason,
): number {
  const { bytes, at, last, ended } = span;
  if (bytes[at] === LF) return refuse(head, 'line-ending');
  if (bytes[at] !== CR) return refuse(head, reason);
  if (at + 1 >= last) return ended();
  return refuse(head, bytes[at + 1] === LF ? reason : 'line-ending');
}

const connect = Buffer.from('CONNECT');
const preface = Buffer.from('PRI');

// oxlint-disable-next-line max-params -- once per request
function isWord(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (bytes[start + at] !== word[at]) return false;
  return true;
}

function refuse(head: RequestHead, reason: RefusalReason): number {
  head.refusal = reason;
  return FAULTY;
}
