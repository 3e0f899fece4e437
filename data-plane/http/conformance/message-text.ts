/**
 * A message as an independent, strict reader sees it: none of the engine's parsers, no tolerance, so that what an engine writes
 * is judged by somebody else.
 */
export interface MessageText {
  /** Request line or status line, without its CRLF. */
  readonly start: string;
  readonly fields: readonly FieldText[];
  /** Decoded. */
  readonly body: string;
  readonly trailers: readonly string[];
  /** Position behind the message. */
  readonly end: number;
}

/** One field line. */
export interface FieldText {
  /** `Name: value`, or `Name:`, with white space as here. */
  readonly line: string;
  readonly lowerName: string;
  readonly value: string;
}

/** What the reader cannot see in the bytes. */
export interface Reading {
  /** An answer to HEAD, a 204, a 304. */
  readonly hasNoBody: boolean;
  /** An answer without framing ends with its connection: undefined where that is no framing (requests), else whether it has ended. */
  readonly isEnded: boolean | undefined;
}

/** The message at the start of this latin1 text; undefined when bytes are missing. Throws on everything that is not strictly a message. */
export function readMessageText(text: string, reading: Reading): MessageText | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [start = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const fields = lines.map(readField);
  const from = headEnd + 4;
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error(`framed twice: ${JSON.stringify(text)}`);
  if (reading.hasNoBody) return { start, fields, body: '', trailers: [], end: from };
  const [coding] = codings;
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`coding ${coding}`);
    const chunked = readChunks(text, from);
    return chunked === undefined ? undefined : { start, fields, ...chunked };
  }
  const [value] = lengths;
  if (value === undefined && reading.isEnded !== undefined) {
    return reading.isEnded
      ? { start, fields, body: text.slice(from), trailers: [], end: text.length }
      : undefined;
  }
  if (value !== undefined && !/^(0|[1-9][0-9]*)$/.test(value)) throw new Error(`length ${value}`);
  const end = from + Number(value ?? 0);
  return text.length < end ? undefined : { start, fields, body: text.slice(from, end), trailers: [], end };
}

/** All values of a field, in order. */
export function valuesOf(fields: readonly FieldText[], lowerName: string): readonly string[] {
  return fields.filter((field) => field.lowerName === lowerName).map((field) => field.value);
}

/** Blanks around a value, which servers disagree about, are not passed on: one space may stand behind the colon. */
function readField(line: string): FieldText {
  const found =
    /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/.exec(
      line,
    );
  if (found === null) throw new Error(`no field: ${JSON.stringify(line)}`);
  const [, name = '', value = ''] = found;
  return { line: value === '' ? `${name}:` : `${name}: ${value}`, lowerName: name.toLowerCase(), value };
}

function readChunks(
  text: string,
  from: number,
): { readonly body: string; readonly trailers: readonly string[]; readonly end: number } | undefined {
  let at = from;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const digits = text.slice(at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(digits)) throw new Error(`chunk size ${JSON.stringify(digits)}`);
    const size = Number.parseInt(digits, 16);
    at = lineEnd + 2;
    if (size === 0) return readTrailers(text, at, body);
    if (text.length < at + size + 2) return undefined;
    if (text.slice(at + size, at + size + 2) !== '\r\n') throw new Error('chunk data');
    body += text.slice(at, at + size);
    at += size + 2;
  }
}

function readTrailers(text: string, from: number, body: string) {
  const trailers: string[] = [];
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    if (lineEnd === at) return { body, trailers, end: at + 2 };
    trailers.push(readField(text.slice(at, lineEnd)).line);
    at = lineEnd + 2;
  }
}
