import { kindOfBytes } from './field-kind.ts';
import { COLON, CR, fieldName, fieldValue, HTAB, LF, ODD, SPACE } from './grammar.ts';

/** Bounds of one header or trailer section. */
export interface FieldLimits {
  readonly headerBytesMax: number;
  readonly headersMax: number;
  /**
   * RFC 9112 section 5.1: blanks before a colon are refused in a request, and removed from an answer by whoever passes it on. Absent:
   * refused.
   */
  readonly blankBeforeColon?: 'removed' | undefined;
}

/** Why a section is refused; the same words for requests, answers and trailers. */
export type FieldFault =
  | 'line-ending'
  | 'obs-fold'
  | 'field-name'
  | 'field-value'
  | 'headers-too-large'
  | 'too-many-headers';

const none: readonly number[] = [];

/**
 * A header or trailer section, walked once: where its lines are, not what they say.
 *
 * Shape: four offsets a line in `places`: name start, name end, value start, value end, relative to the origin that the
 * caller gives; its kind (field-kind.ts) in `kinds`.
 */
export class Fields {
  places: readonly number[] = none;
  kinds: readonly number[] = none;
  /** A bit per kind that occurs. */
  seen = 0;
  /** A bit per length of a name that occurs, of lengths modulo 32. */
  lengths = 0;
  /** Some name holds another mark than `-`, which some servers behind us take for one: see {@link foldedName}. */
  hasOddName = false;
  /**
   * Some value stands between blanks other than the one space before it, or some name before blanks; they are no part of either (RFC 9110
   * section 5.5).
   */
  hasOddBlanks = false;
  fault: FieldFault | undefined = undefined;
}

/** Whether the value of a line is just that: what nearly every `Connection` says, known without taking it apart. */
export function isKeepAlive({ places }: Pick<Fields, 'places'>, text: string, line: number): boolean {
  const start = places[line * 4 + 2] ?? 0;
  return (places[line * 4 + 3] ?? 0) - start === keepAlive.length && text.startsWith(keepAlive, start);
}

const keepAlive = 'keep-alive';

/** Results of a parse that is no position. */
export const INCOMPLETE = 0;
export const FAULTY = -1;

/** Of the section in hand: lists that have grown once for all of them. */
const places: number[] = [];
const kinds: number[] = [];

/**
 * Parses field lines and the empty line that ends them (RFC 9112 section 5) from bytes[start..end).
 *
 * Returns the position behind the section, INCOMPLETE when more bytes are needed, or FAULTY with `into.fault`. What it says about
 * a prefix it says about the whole: a section may be parsed again from its start when more has come.
 */
// oxlint-disable-next-line max-params, max-lines-per-function -- the innermost loop of the engine: no object, no call per line
export function parseFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Fields,
  origin: number,
  limits: FieldLimits,
): number {
  // Two bytes more for the empty line itself.
  const bound = start + limits.headerBytesMax + 2;
  const isBounded = end > bound;
  const last = isBounded ? bound : end;
  let at = start;
  let lines = 0;
  for (;;) {
    if (at >= last) return out(into, isBounded);
    let byte = bytes[at] ?? 0;
    if (byte === CR) {
      if (at + 1 >= last) return out(into, isBounded);
      if (bytes[at + 1] !== LF) return refuse(into, 'line-ending');
      into.places = places.slice(0, 4 * lines);
      into.kinds = kinds.slice(0, lines);
      return at + 2;
    }
    // RFC 9112 section 5.2: a line folding would be read as a field of its own by some and as a continuation by others.
    if (byte === SPACE || byte === HTAB) return refuse(into, 'obs-fold');
    if (lines >= limits.headersMax) return refuse(into, 'too-many-headers');
    const nameStart = at;
    let marks = 0;
    for (let mark = fieldName[byte] ?? 0; mark !== 0; mark = fieldName[byte] ?? 0) {
      marks |= mark;
      at += 1;
      if (at >= last) return out(into, isBounded);
      byte = bytes[at] ?? 0;
    }
    if ((marks & ODD) !== 0) into.hasOddName = true;
    const nameEnd = at;
    if ((byte === SPACE || byte === HTAB) && at > nameStart && limits.blankBeforeColon === 'removed') {
      into.hasOddBlanks = true;
      do {
        at += 1;
        if (at >= last) return out(into, isBounded);
        byte = bytes[at] ?? 0;
      } while (byte === SPACE || byte === HTAB);
    }
    if (byte !== COLON || nameEnd === nameStart) {
      // A line that ends before its colon: a proper ending makes it a bad name, a bare CR or LF a bad ending.
      if (byte === CR && at + 1 >= last) return out(into, isBounded);
      const isBare = byte === LF || (byte === CR && bytes[at + 1] !== LF);
      return refuse(into, isBare ? 'line-ending' : 'field-name');
    }
    const colon = at;
    do {
      at += 1;
      if (at >= last) return out(into, isBounded);
      byte = bytes[at] ?? 0;
    } while (byte === SPACE || byte === HTAB);
    const valueStart = at;
    const gap = valueStart - colon - 1;
    if (gap > 1 || (gap === 1 && bytes[colon + 1] === HTAB)) into.hasOddBlanks = true;
    while (fieldValue[byte] === 1) {
      at += 1;
      if (at >= last) return out(into, isBounded);
      byte = bytes[at] ?? 0;
    }
    if (byte !== CR) return refuse(into, byte === LF ? 'line-ending' : 'field-value');
    if (at + 1 >= last) return out(into, isBounded);
    if (bytes[at + 1] !== LF) return refuse(into, 'line-ending');
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] ?? 0)) valueEnd -= 1;
    if (valueEnd !== at) into.hasOddBlanks = true;
    const kind = kindOfBytes(bytes, nameStart, nameEnd);
    places[4 * lines] = nameStart - origin;
    places[4 * lines + 1] = nameEnd - origin;
    places[4 * lines + 2] = valueStart - origin;
    places[4 * lines + 3] = valueEnd - origin;
    kinds[lines] = kind;
    lines += 1;
    into.seen |= 1 << kind;
    into.lengths |= 1 << (nameEnd - nameStart);
    at += 2;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === HTAB;
}

function out(into: Fields, isBounded: boolean): number {
  return isBounded ? refuse(into, 'headers-too-large') : INCOMPLETE;
}

function refuse(into: Fields, fault: FieldFault): number {
  into.fault = fault;
  return FAULTY;
}
