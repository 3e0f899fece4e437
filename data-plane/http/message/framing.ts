import { kinds } from './field-kind.ts';
import { type Fields, isKeepAlive } from './fields.ts';
import { listMembers } from './grammar.ts';
import { foldedName } from './header-name.ts';
import type { RequestHead } from './request-head.ts';
import type { AnswerFault, RefusalReason } from './refusal.ts';
import { passableProtocols } from './upgrade.ts';

/** How the body of a message ends: after so many bytes, with its last chunk, or with the connection (answers only). */
export type BodyEnd = number | 'chunked' | 'close';

/** What a request's head says of its connection and body. */
export interface RequestFraming {
  readonly body: Exclude<BodyEnd, 'close'>;
  /** Host as sent; empty in HTTP/1.0 without one. */
  readonly hostHeader: string | undefined;
  /** The connection may serve another request. */
  readonly isPersistent: boolean;
  readonly expectsContinue: boolean;
  /** Another protocol is offered that may go on to the upstream; see message/upgrade.ts. */
  readonly isUpgrade: boolean;
}

const none: readonly string[] = [];
const bit = (kind: number): number => 1 << kind;
const framingBits = bit(kinds.contentLength) | bit(kinds.transferEncoding);
const rareBits =
  framingBits | bit(kinds.connection) | bit(kinds.expect) | bit(kinds.upgrade) | bit(kinds.authorization);

/**
 * Judges the fields of a request that passed the grammar: Host, framing, credentials, expectation, in this order.
 *
 * Sources: RFC 9112 sections 3.2, 6.1, 6.3 and 9.3; RFC 9110 sections 10.1.1 and 11.6.2.
 */
export function frameRequest(head: RequestHead, text: string): RequestFraming | RefusalReason {
  const host = hostOf(head, text);
  if (host.refusal !== undefined) return host.refusal;
  const hostHeader = host.value;
  if (head.hasOddName && hasAlias(head, text)) return 'header-alias';
  const isHttp11 = head.minorVersion === 1;
  if ((head.seen & rareBits) === 0)
    return { body: 0, hostHeader, isPersistent: isHttp11, expectsContinue: false, isUpgrade: false };
  const body = (head.seen & framingBits) === 0 ? 0 : requestBodyEnd(head, text);
  if (typeof body === 'string' && body !== 'chunked') return body;
  if (countOf(head, kinds.authorization) > 1) return 'duplicate-authorization';
  const expect = valueOf(head, text, kinds.expect)?.toLowerCase();
  if (expect !== undefined && (expect !== '100-continue' || countOf(head, kinds.expect) > 1))
    return 'expectation';
  const options = connectionOptions(head, text);
  return {
    body,
    hostHeader,
    isPersistent: isHttp11
      ? !options.includes('close')
      : options.includes('keep-alive') && !options.includes('close'),
    // RFC 9110 section 10.1.1: a 100 (Continue) is not for HTTP/1.0.
    expectsContinue: expect !== undefined && isHttp11,
    isUpgrade:
      isHttp11 &&
      options.includes('upgrade') &&
      passableProtocols(valuesOf(head, text, kinds.upgrade)).length > 0,
  };
}

function hostOf(
  head: RequestHead,
  text: string,
): { readonly value?: string | undefined; readonly refusal?: RefusalReason } {
  const count = (head.seen & bit(kinds.host)) === 0 ? 0 : countOf(head, kinds.host);
  if (count > 1) return { refusal: 'host-repeated' };
  if (count === 0) return head.minorVersion === 1 ? { refusal: 'host-missing' } : {};
  return { value: valueOf(head, text, kinds.host) };
}

/** RFC 9112 section 6.3, read strictly: whoever sends both, or either one twice, is refused. */
function requestBodyEnd(head: RequestHead, text: string): number | 'chunked' | RefusalReason {
  const lengths = countOf(head, kinds.contentLength);
  const codings = countOf(head, kinds.transferEncoding);
  if (lengths > 0 && codings > 0) return 'content-length-and-transfer-encoding';
  if (codings > 0) {
    if (head.minorVersion === 0) return 'transfer-encoding-version';
    return codings === 1 && isChunked(head, text) ? 'chunked' : 'transfer-encoding';
  }
  const value = valueOf(head, text, kinds.contentLength) ?? '';
  if (lengths > 1 || value.includes(',')) return 'content-length-repeated';
  const length = lengthOf(value);
  return length ?? 'content-length';
}

/** What an answer's head says of its body and connection. */
export interface AnswerFraming {
  readonly body: BodyEnd;
  readonly isPersistent: boolean;
}

/** RFC 9112 section 6.3 for answers. `method` is that of the request. */
export function frameAnswer(
  head: Fields & { readonly status: number; readonly minorVersion: number },
  text: string,
  method: string,
): AnswerFraming | AnswerFault {
  let isPersistent = head.minorVersion === 1;
  if ((head.seen & bit(kinds.connection)) !== 0) {
    const options = connectionOptions(head, text);
    isPersistent = !options.includes('close') && (isPersistent || options.includes('keep-alive'));
  }
  const body = answerBodyEnd(head, text);
  if (typeof body === 'string' && body !== 'chunked' && body !== 'close') return body;
  if (method === 'HEAD' || head.status === 204 || head.status === 304 || head.status < 200)
    return { body: 0, isPersistent };
  return { body, isPersistent: isPersistent && body !== 'close' };
}

function answerBodyEnd(
  head: Fields & { readonly minorVersion: number },
  text: string,
): BodyEnd | AnswerFault {
  if ((head.seen & framingBits) === 0) return 'close';
  const lengths = countOf(head, kinds.contentLength);
  const codings = countOf(head, kinds.transferEncoding);
  if (lengths > 0 && codings > 0) return 'content-length-and-transfer-encoding';
  if (codings > 0)
    return codings === 1 && head.minorVersion === 1 && isChunked(head, text)
      ? 'chunked'
      : 'transfer-encoding';
  const value = valueOf(head, text, kinds.contentLength) ?? '';
  if (lengths > 1 || value.includes(',')) return 'content-length-repeated';
  return lengthOf(value) ?? 'content-length';
}

/** RFC 9110 section 8.6: digits and nothing else. Sixteen of them hold every length that a double counts exactly. */
export function lengthOf(value: string): number | undefined {
  if (value === '' || value.length > 16) return undefined;
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return Number.isSafeInteger(length) ? length : undefined;
}

function isChunked(head: Fields, text: string): boolean {
  return valueOf(head, text, kinds.transferEncoding)?.toLowerCase() === 'chunked';
}

const keepAlive: readonly string[] = ['keep-alive'];

/** Lower-case options of all Connection lines. */
function connectionOptions(head: Fields, text: string): readonly string[] {
  if ((head.seen & bit(kinds.connection)) === 0) return none;
  const line = head.kinds.indexOf(kinds.connection);
  // What nearly every answer says needs no taking apart.
  if (isKeepAlive(head, text, line) && !head.kinds.includes(kinds.connection, line + 1)) return keepAlive;
  return valuesOf(head, text, kinds.connection).flatMap((value) => listMembers(value.toLowerCase()));
}

function valuesOf(head: Fields, text: string, kind: number): readonly string[] {
  const values: string[] = [];
  if ((head.seen & bit(kind)) === 0) return none;
  for (let line = 0; line < head.kinds.length; line += 1)
    if (head.kinds[line] === kind) values.push(lineValue(head, text, line));
  return values;
}

function countOf(head: Fields, kind: number): number {
  if ((head.seen & bit(kind)) === 0) return 0;
  let count = 0;
  for (const known of head.kinds) if (known === kind) count += 1;
  return count;
}

function valueOf(head: Fields, text: string, kind: number): string | undefined {
  if ((head.seen & bit(kind)) === 0) return undefined;
  return lineValue(head, text, head.kinds.indexOf(kind));
}

function lineValue(head: Fields, text: string, line: number): string {
  return text.slice(head.places[line * 4 + 2], head.places[line * 4 + 3]);
}

const guarded = /^(?:content-length|transfer-encoding|host|connection|authorization|expect|upgrade)$/;

/**
 * `Content_Length` and `Content.Length` are Content-Length to some servers ({@link foldedName}). A name with another mark than `-` is
 * refused where it has a twin in this head, and where its twin is a field that decides about framing, routing or identity.
 */
function hasAlias(head: Fields, text: string): boolean {
  const names = head.kinds.map((_, line) =>
    text.slice(head.places[line * 4], head.places[line * 4 + 1]).toLowerCase(),
  );
  const spellings = new Map<string, string>();
  return names.some((name) => {
    const folded = foldedName(name);
    if (folded !== name && guarded.test(folded)) return true;
    const other = spellings.get(folded) ?? name;
    spellings.set(folded, other);
    return other !== name;
  });
}
