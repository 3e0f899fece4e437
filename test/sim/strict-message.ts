/**
 * What requests and answers have in common, read as RFC 9112 has it and no other way.
 *
 * This reader is the second opinion of the fuzz: it shares no line with `data-plane/http`, works on whole buffers, is slow
 * where that is simpler, and throws `Ambiguity` at the first thing that two readers could take differently.
 */

/** Something that two readers could take differently, in a few words; `head` tells whether the head was sound. */
export class Ambiguity extends Error {
  override readonly name = 'Ambiguity';
}

/** One field line as received, without the white space around its value. */
export interface Field {
  readonly name: string;
  readonly lowerName: string;
  readonly value: string;
}

/** Something read and the place of the byte after it. */
export interface Read<T> {
  readonly value: T;
  readonly end: number;
}

/** A body with its trailers. `strange` names what is allowed but so rare that a gateway may refuse it too. */
export interface StrictBody {
  /** One char per byte. */
  readonly content: string;
  readonly trailers: readonly Field[];
  readonly strange: string | undefined;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 section 5.5: HTAB, SP, VCHAR, obs-text; and a value neither begins nor ends with white space.
const fieldValue = /^(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/**
 * Reads to a CRLF; undefined when it has not come yet.
 *
 * Errors: Ambiguity for a CR or LF that stands alone (RFC 9112 section 2.2 lets readers differ there).
 */
export function readLine(bytes: Buffer, at: number): Read<string> | undefined {
  const lf = bytes.indexOf(0x0a, at);
  const cr = bytes.indexOf(0x0d, at);
  if (lf !== -1 && (cr === -1 || cr > lf)) throw new Ambiguity('bare LF');
  if (cr !== -1 && cr + 1 < bytes.length && cr + 1 !== lf) throw new Ambiguity('bare CR');
  if (lf === -1) return undefined;
  return { value: bytes.toString('latin1', at, cr), end: lf + 1 };
}

/** What blanks between a name and its colon are; RFC 9112 section 5.1 has proxies remove them from answers. */
export type BlankBeforeColon = 'ambiguous' | 'removed';

/** Reads field lines to the empty line after them; undefined when that has not come yet. RFC 9112 section 5. */
export function readFields(
  bytes: Buffer,
  at: number,
  blank: BlankBeforeColon = 'ambiguous',
): Read<readonly Field[]> | undefined {
  const fields: Field[] = [];
  for (let place = at; ;) {
    const line = readLine(bytes, place);
    if (line === undefined) return undefined;
    place = line.end;
    if (line.value === '') return { value: fields, end: place };
    fields.push(readField(line.value, blank));
  }
}

function readField(line: string, blank: BlankBeforeColon): Field {
  if (line.startsWith(' ') || line.startsWith('\t')) throw new Ambiguity('obs-fold');
  const colon = line.indexOf(':');
  if (colon === -1) throw new Ambiguity('a field line without a colon');
  const before = line.slice(0, colon);
  const name = blank === 'removed' ? trimBlanks(before) : before;
  if (!isToken(name)) throw new Ambiguity('a field name that is no token');
  const value = trimBlanks(line.slice(colon + 1));
  if (!fieldValue.test(value)) throw new Ambiguity('a control byte in a field value');
  return { name, lowerName: name.toLowerCase(), value };
}

/** Removes SP and HTAB, and nothing else that a `trim` would take. */
function trimBlanks(text: string): string {
  return text.replace(/^[\t ]+/, '').replace(/[\t ]+$/, '');
}

/** Values of all lines of that name. */
export function valuesOf(fields: readonly Field[], lowerName: string): readonly string[] {
  return fields.filter((field) => field.lowerName === lowerName).map((field) => field.value);
}

/** Tokens of a comma list over all lines of that name, in lower case. */
export function tokensOf(fields: readonly Field[], lowerName: string): readonly string[] {
  return valuesOf(fields, lowerName).flatMap((value) =>
    value.split(',').map((part) => trimBlanks(part).toLowerCase()),
  );
}

/**
 * The one way in which the fields frame a body: a length, chunked, or not at all.
 *
 * Errors: Ambiguity for everything of RFC 9112 section 6 that has ever split two servers.
 */
export function framingOf(fields: readonly Field[], version: string): number | 'chunked' | undefined {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (codings.length > 0) {
    if (lengths.length > 0) throw new Ambiguity('Content-Length and Transfer-Encoding');
    if (version !== '1.1') throw new Ambiguity('Transfer-Encoding in HTTP/1.0');
    if (codings.length > 1) throw new Ambiguity('Transfer-Encoding repeated');
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Ambiguity('Transfer-Encoding that is not chunked');
    return 'chunked';
  }
  const [length] = lengths;
  if (length === undefined) return undefined;
  if (lengths.length > 1) throw new Ambiguity('Content-Length repeated');
  if (!/^\d+$/.test(length)) throw new Ambiguity('Content-Length that is no number');
  const bytes = Number(length);
  if (!Number.isSafeInteger(bytes)) throw new Ambiguity('Content-Length that overflows');
  return bytes;
}

/** A body of that many bytes; undefined when they have not all come. */
export function readLength(bytes: Buffer, at: number, length: number): Read<StrictBody> | undefined {
  const end = at + length;
  if (end > bytes.length) return undefined;
  return { value: { content: bytes.toString('latin1', at, end), trailers: [], strange: undefined }, end };
}

// RFC 9112 section 7.1.1, without the white space that its grammar calls bad.
const extension =
  /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?)*$/;
// Senders must not put these in trailers (RFC 9110 section 6.5.1); two readers that merge them see two messages.
const framingTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'host',
  'trailer',
]);

/** A chunked body to its last byte; undefined when that has not come. */
export function readChunked(
  bytes: Buffer,
  at: number,
  blank: BlankBeforeColon = 'ambiguous',
): Read<StrictBody> | undefined {
  const pieces: string[] = [];
  let strange: string | undefined;
  for (let place = at; ;) {
    const line = readLine(bytes, place);
    if (line === undefined) return undefined;
    const digits = /^[0-9A-Fa-f]+/.exec(line.value)?.[0];
    if (digits === undefined) throw new Ambiguity('a chunk size that is no number');
    const size = Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(size)) throw new Ambiguity('a chunk size that overflows');
    const rest = line.value.slice(digits.length);
    if (!extension.test(rest)) throw new Ambiguity('a chunk extension that is none');
    if (rest.length > 128 || digits.length > 13 || /[\x80-\xff]/.test(rest)) strange = 'a rare chunk line';
    place = line.end;
    if (size === 0) return readTrailers(bytes, place, { content: pieces.join(''), strange, blank });
    // The bytes after the data are judged as soon as they are there, as a reader on a socket would.
    if (wrongAt(bytes, place + size, 0x0d) || wrongAt(bytes, place + size + 1, 0x0a))
      throw new Ambiguity('a chunk longer than announced');
    if (place + size + 2 > bytes.length) return undefined;
    pieces.push(bytes.toString('latin1', place, place + size));
    place += size + 2;
  }
}

function wrongAt(bytes: Buffer, at: number, wanted: number): boolean {
  return at < bytes.length && bytes[at] !== wanted;
}

function readTrailers(
  bytes: Buffer,
  at: number,
  body: { readonly content: string; readonly strange: string | undefined; readonly blank: BlankBeforeColon },
): Read<StrictBody> | undefined {
  const trailers = readFields(bytes, at, body.blank);
  if (trailers === undefined) return undefined;
  if (trailers.value.some((field) => framingTrailers.has(field.lowerName)))
    throw new Ambiguity('a trailer that frames');
  // Which fields may be trailers is said by each field's own definition; only those of nobody are sure to pass.
  const isKnown = trailers.value.some((field) => !field.lowerName.startsWith('x-'));
  const strange = body.strange ?? (isKnown ? 'a trailer that may be none' : undefined);
  return { value: { content: body.content, trailers: trailers.value, strange }, end: trailers.end };
}
