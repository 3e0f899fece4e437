import {
  Ambiguity,
  framingOf,
  readChunked,
  readFields,
  readLength,
  readLine,
  valuesOf,
  type BlankBeforeColon,
  type Field,
  type Read,
  type StrictBody,
} from './strict-message.ts';

/** An answer that has one reading only; body one char per byte. */
export interface StrictResponse {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
}

/** How the bytes end: the sender closed, broke off, or is only silent. */
export type Ending = 'fin' | 'reset' | 'open';

/** What a client makes of the bytes. `strange`: sound, but a careful gateway may refuse it; undefined when plain. */
export type ResponseReading =
  | {
      readonly kind: 'complete';
      readonly response: StrictResponse;
      readonly end: number;
      readonly strange: string | undefined;
    }
  | { readonly kind: 'incomplete'; readonly hasHead: boolean }
  | { readonly kind: 'ambiguous'; readonly reason: string };

/** What the reader has to know besides the bytes. */
export interface ResponseContext {
  /** The method of the request; HEAD is answered without a body. */
  readonly method: string;
  readonly ending: Ending;
  /** What a backend sends goes through a proxy, which removes them; a client gets none. Absent: ambiguous. */
  readonly blankBeforeColon?: BlankBeforeColon;
}

interface Head {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
}

/** Reads one final answer, past the 1xx before it; never throws, whatever the bytes. */
export function readResponse(bytes: Buffer, at: number, context: ResponseContext): ResponseReading {
  const oddities: string[] = [];
  let hasHead = false;
  try {
    let place = at;
    for (let informational = 0; ; informational += 1) {
      const head = readHead(bytes, place, { oddities, ...context });
      if (head === undefined) return { kind: 'incomplete', hasHead };
      const { status } = head.value;
      if (status === 101) throw new Ambiguity('101 that nobody asked for');
      if (status >= 200) {
        hasHead = true;
        return readRest(bytes, head, { ...context, oddities });
      }
      if (announced(head.value, oddities) !== undefined) oddities.push('framing in a 1xx');
      if (informational > 2) oddities.push('many 1xx');
      place = head.end;
    }
  } catch (error) {
    if (!(error instanceof Ambiguity)) throw error;
    return { kind: 'ambiguous', reason: error.message };
  }
}

// RFC 9112 section 4: the space before an absent reason is required, but often forgotten.
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?:( )([\t \x21-\x7e\x80-\xff]*))?$/;

function readHead(
  bytes: Buffer,
  at: number,
  { oddities, blankBeforeColon }: ResponseContext & { readonly oddities: string[] },
): Read<Head> | undefined {
  const line = readLine(bytes, at);
  if (line === undefined) return undefined;
  const match = statusLine.exec(line.value);
  if (match === null) throw new Ambiguity('a status line that is none');
  const status = Number(match[2]);
  if (match[3] === undefined) oddities.push('no space after the status');
  if (status > 599) oddities.push('a status past 599');
  const fields = readFields(bytes, line.end, blankBeforeColon);
  if (fields === undefined) return undefined;
  if (fields.value.length > 100 || fields.end - at > 16_384) oddities.push('a large head');
  const version = match[1] === '1' ? '1.1' : '1.0';
  return { value: { version, status, reason: match[4] ?? '', fields: fields.value }, end: fields.end };
}

function readRest(
  bytes: Buffer,
  head: Read<Head>,
  context: ResponseContext & { readonly oddities: readonly string[] },
): ResponseReading {
  const { status, fields, version } = head.value;
  const isBodiless = context.method === 'HEAD' || status === 204 || status === 304;
  const oddities = [...context.oddities];
  const framing = isBodiless ? announced(head.value, oddities) : framingOf(fields, version);
  if (valuesOf(fields, 'content-length').some((length) => length.length > 16))
    oddities.push('a long Content-Length');
  if ((status === 204 || status === 205) && framing !== undefined && framing !== 0)
    oddities.push(`a body announced in a ${status}`);
  const found = isBodiless
    ? readLength(bytes, head.end, 0)
    : framing === undefined
      ? toTheEnd(bytes, head.end, context.ending)
      : framing === 'chunked'
        ? readChunked(bytes, head.end, context.blankBeforeColon)
        : readLength(bytes, head.end, framing);
  if (found === undefined) return { kind: 'incomplete', hasHead: true };
  if (found.end < bytes.length) oddities.push('bytes after the answer');
  return {
    kind: 'complete',
    response: {
      ...head.value,
      body: found.value.content,
      trailers: found.value.trailers,
      framing: isBodiless
        ? 'none'
        : framing === undefined
          ? 'close'
          : framing === 'chunked'
            ? 'chunked'
            : 'length',
    },
    end: found.end,
    strange: oddities[0] ?? found.value.strange,
  };
}

/** RFC 9112 section 6.3 rule 1: these end with their head, whatever it says; so what it says is odd, not ambiguous. */
function announced(head: Head, oddities: string[]): number | 'chunked' | undefined {
  try {
    return framingOf(head.fields, head.version);
  } catch (error) {
    if (!(error instanceof Ambiguity)) throw error;
    oddities.push(`${error.message}, without a body`);
    return undefined;
  }
}

/** RFC 9112 section 6.3 rule 8: what ends with its connection is whole only when that was closed, not broken. */
function toTheEnd(bytes: Buffer, at: number, ending: Ending): Read<StrictBody> | undefined {
  return ending === 'fin' ? readLength(bytes, at, bytes.length - at) : undefined;
}
