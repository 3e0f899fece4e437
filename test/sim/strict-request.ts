import {
  Ambiguity,
  framingOf,
  isToken,
  readChunked,
  readFields,
  readLength,
  readLine,
  tokensOf,
  valuesOf,
  type Field,
  type Read,
} from './strict-message.ts';

/** A request's head that has one reading only. */
export interface StrictHead {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly fields: readonly Field[];
  readonly framing: number | 'chunked' | undefined;
  /** The sender said that this is its last request, or is too old to mean another. */
  readonly isLast: boolean;
}

/** A whole request; body one char per byte. */
export interface StrictRequest extends StrictHead {
  readonly body: string;
  readonly trailers: readonly Field[];
}

/** What stands at a place: a whole request, the beginning of one, or something with two readings. */
export type RequestReading =
  | { readonly kind: 'complete'; readonly request: StrictRequest; readonly end: number }
  | { readonly kind: 'incomplete'; readonly head: StrictHead | undefined }
  | { readonly kind: 'ambiguous'; readonly head: StrictHead | undefined; readonly reason: string };

/** Reads one request; never throws, whatever the bytes. */
export function readRequest(bytes: Buffer, at: number): RequestReading {
  let head: Read<StrictHead> | undefined;
  try {
    head = readHead(bytes, at);
    if (head === undefined) return { kind: 'incomplete', head: undefined };
    const { framing } = head.value;
    const body =
      framing === 'chunked' ? readChunked(bytes, head.end) : readLength(bytes, head.end, framing ?? 0);
    if (body === undefined) return { kind: 'incomplete', head: head.value };
    const request = { ...head.value, body: body.value.content, trailers: body.value.trailers };
    return { kind: 'complete', request, end: body.end };
  } catch (error) {
    if (!(error instanceof Ambiguity)) throw error;
    return { kind: 'ambiguous', head: head?.value, reason: error.message };
  }
}

function readHead(bytes: Buffer, at: number): Read<StrictHead> | undefined {
  const line = readLine(bytes, at);
  if (line === undefined) return undefined;
  const parts = line.value.split(' ');
  const [method = '', target = '', version = ''] = parts;
  if (parts.length !== 3) throw new Ambiguity('a request line that has not three parts');
  if (!isToken(method)) throw new Ambiguity('a method that is no token');
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') throw new Ambiguity('a version that is not HTTP/1.x');
  checkTarget(method, target);
  const fields = readFields(bytes, line.end);
  if (fields === undefined) return undefined;
  const number = version === 'HTTP/1.1' ? '1.1' : '1.0';
  checkHost(fields.value, number);
  const options = tokensOf(fields.value, 'connection');
  const head = {
    method,
    target,
    version: number,
    fields: fields.value,
    framing: framingOf(fields.value, number),
    isLast: options.includes('close') || (number === '1.0' && !options.includes('keep-alive')),
  } as const;
  return { value: head, end: fields.end };
}

// RFC 3986 sections 3.3 and 3.4 have fewer characters, but browsers send quotes, bars and braces, and no server has a second
// reading of them. A fragment and a backslash have one (RFC 9112 section 3.2 leaves them no place).
const originForm = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
// RFC 9110 section 4.2.1: a URI of http without a host is to be rejected.
const absoluteForm =
  /^https?:\/\/(?:[A-Za-z0-9\-._~!$&'()*+;=%]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?(?:[/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?$/i;

function checkTarget(method: string, target: string): void {
  if (method === 'CONNECT') throw new Ambiguity('CONNECT');
  // RFC 9113 section 11.6: the beginning of HTTP/2, never a method; haproxy takes it for that.
  if (method === 'PRI') throw new Ambiguity('the preface of HTTP/2');
  if (target === '*' ? method !== 'OPTIONS' : !originForm.test(target) && !absoluteForm.test(target))
    throw new Ambiguity('a target in no form');
}

// RFC 3986 section 3.2: a registered name or an address in brackets, and a port.
const authority = /^(?:[A-Za-z0-9\-._~!$&'()*+;=%]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

function checkHost(fields: readonly Field[], version: string): void {
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1) throw new Ambiguity('Host repeated');
  const [host] = hosts;
  if (host === undefined && version === '1.1') throw new Ambiguity('no Host');
  if (host !== undefined && !authority.test(host)) throw new Ambiguity('a Host that is none');
}

/** What a strict server finds in all that a client sends over one connection. */
export interface StreamReading {
  readonly requests: readonly StrictRequest[];
  /** What comes after the whole requests. `ended`: nothing, or nothing that is read any more. */
  readonly tail: 'ended' | 'incomplete' | 'ambiguous';
  /** The head of the request whose body is incomplete or ambiguous; undefined when there is none. */
  readonly tailHead: StrictHead | undefined;
  readonly reason: string | undefined;
}

/** Reads a client's bytes to their end. One empty line before a request is forgiven (RFC 9112 section 2.2). */
export function readStream(bytes: Buffer): StreamReading {
  const requests: StrictRequest[] = [];
  for (let at = 0; ;) {
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
    if (at === bytes.length || requests.at(-1)?.isLast === true)
      return { requests, tail: 'ended', tailHead: undefined, reason: undefined };
    const reading = readRequest(bytes, at);
    if (reading.kind !== 'complete')
      return {
        requests,
        tail: reading.kind,
        tailHead: reading.head,
        reason: reading.kind === 'ambiguous' ? reading.reason : undefined,
      };
    requests.push(reading.request);
    at = reading.end;
  }
}
