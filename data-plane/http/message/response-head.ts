import { FAULTY, Fields, type FieldLimits, INCOMPLETE, parseFields } from './fields.ts';
import { CR, fieldValue, LF, SPACE } from './grammar.ts';
import type { AnswerFault } from './refusal.ts';

/** An answer's head as places in its bytes. */
export class ResponseHeadPlaces extends Fields {
  status = 0;
  minorVersion = 1;
  reasonStart = 0;
  reasonEnd = 0;
  invalid: AnswerFault | undefined = undefined;
}

/** Longest status line; the field limits bound the rest. */
const statusLineBytesMax = 8 * 1024;

const prefix = Buffer.from('HTTP/1.');

/**
 * Parses the head of an answer, as strictly as that of a request (RFC 9112 sections 4 and 5): a backend that is ambiguous
 * can split answers as well as a client can split requests.
 *
 * Returns the position behind it, INCOMPLETE, or FAULTY with `head.invalid`.
 */
// oxlint-disable-next-line max-params -- as parseRequestHead
export function parseResponseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: ResponseHeadPlaces,
  limits: FieldLimits,
): number {
  const bound = start + statusLineBytesMax;
  const last = Math.min(end, bound);
  let at = start;
  // HTTP/1.x SP 3DIGIT: thirteen bytes in fixed places.
  for (let index = 0; index < 12; index += 1, at += 1) {
    if (at >= last) return INCOMPLETE;
    if (!isExpected(bytes[at] ?? 0, index)) return refuse(head, 'status-line');
  }
  head.minorVersion = (bytes[start + 7] ?? 0) - 0x30;
  head.status = digit(bytes, start + 9) * 100 + digit(bytes, start + 10) * 10 + digit(bytes, start + 11);
  // RFC 9110 section 15: the first digit names one of five classes.
  if (head.status < 100 || head.status > 599 || head.minorVersion > 1) return refuse(head, 'status-line');
  if (at >= last) return INCOMPLETE;
  // RFC 9112 section 4: the space stays even when the reason is empty; servers that leave it out are common and unambiguous.
  if (bytes[at] === SPACE) at += 1;
  else if (bytes[at] !== CR) return refuse(head, bytes[at] === LF ? 'line-ending' : 'status-line');
  head.reasonStart = at - start;
  while (at < last && fieldValue[bytes[at] ?? 0] === 1) at += 1;
  head.reasonEnd = at - start;
  if (at >= last || (bytes[at] === CR && at + 1 >= last))
    return end > bound ? refuse(head, 'headers-too-large') : INCOMPLETE;
  if (bytes[at] !== CR) return refuse(head, bytes[at] === LF ? 'line-ending' : 'status-line');
  if (bytes[at + 1] !== LF) return refuse(head, 'line-ending');
  const headEnd = parseFields(bytes, at + 2, end, head, start, limits);
  if (headEnd === FAULTY) head.invalid = head.fault;
  return headEnd;
}

function isExpected(byte: number, index: number): boolean {
  if (index < 7) return byte === prefix[index];
  if (index === 8) return byte === SPACE;
  return byte >= 0x30 && byte <= 0x39;
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) - 0x30;
}

function refuse(head: ResponseHeadPlaces, fault: AnswerFault): number {
  head.invalid = fault;
  return FAULTY;
}
