import type { HeaderList } from '../exchange.ts';
import { isForbiddenTrailer } from '../message/chunked.ts';
import { isHopByHop, kinds } from '../message/field-kind.ts';
import { Fields, type FieldFault, type FieldLimits, FAULTY, parseFields } from '../message/fields.ts';
import type { RefusalReason } from '../message/refusal.ts';
import { WireHeaders } from '../message/wire-headers.ts';

/** A head of HTTP/2 as the text of HTTP/1.1 that says the same, so that one reader judges both and one list holds both. */
export interface SpelledRequest {
  readonly text: string;
  readonly method: string;
}

const forbiddenInPath = /[^\x21-\x7e]/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// A line end would make one field two, and blanks around a value are none of it (RFC 9113 section 8.2.1); what else is forbidden is refused by
// the reader.
const malformedValue = /[\r\n]|^[ \t]|[ \t]$/;

/**
 * Spells a request's head; `raw` is names and values in turn, pseudo-header fields among them.
 *
 * RFC 9113 section 8.3: `:authority` goes where Host stands, and has to agree with a Host beside it. Section 8.2.3: crumbs of a
 * cookie are put together again, since receivers of HTTP/1.1 read one line.
 */
export function spellRequest(raw: readonly string[]): SpelledRequest | RefusalReason {
  let [method, path, authority, host, cookie]: (string | undefined)[] = [];
  let lines = '';
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    if (malformedValue.test(value)) return 'field-value';
    switch (name) {
      case ':method':
        method = value;
        break;
      case ':path':
        path = value;
        break;
      case ':authority':
        authority = value;
        break;
      case ':scheme':
        if (value !== 'http' && value !== 'https') return 'target-form';
        break;
      case 'host':
        if (host !== undefined) return 'host-repeated';
        host = value;
        break;
      case 'cookie':
        cookie = cookie === undefined ? value : `${cookie}; ${value}`;
        break;
      default:
        if (!token.test(name)) return 'field-name';
        lines += `${name}: ${value}\r\n`;
    }
  }
  if (method === undefined || !token.test(method)) return 'method';
  if (method === 'CONNECT') return 'connect';
  if (path === undefined || !(path.startsWith('/') || path === '*')) return 'target-form';
  if (forbiddenInPath.test(path)) return 'target-character';
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return 'host-mismatch';
  const named = authority ?? host;
  const hostLine = named === undefined ? '' : `host: ${named}\r\n`;
  const cookieLine = cookie === undefined ? '' : `cookie: ${cookie}\r\n`;
  return { method, text: `${method} ${path} HTTP/1.1\r\n${hostLine}${lines}${cookieLine}\r\n` };
}

/**
 * Reads the fields of an answer or a trailer section, whose pseudo-header fields are left out; or says why they are refused. Blanks around a
 * value are left out, as in HTTP/1.1: a request with such is refused, but what a sloppy backend says is not lost.
 */
export function readFields(raw: readonly string[], limits: FieldLimits): WireHeaders | FieldFault {
  let text = '';
  let lines = 0;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = withoutBlanks(raw[at + 1] ?? '');
    if (name.startsWith(':')) continue;
    if (!token.test(name)) return 'field-name';
    if (malformedValue.test(value)) return 'field-value';
    text += `${name}: ${value}\r\n`;
    lines += 1;
  }
  text += '\r\n';
  const fields = new Fields();
  const bytes = Buffer.from(text, 'latin1');
  const behind = parseFields(bytes, 0, bytes.length, fields, 0, limits);
  if (behind === FAULTY) return fields.fault ?? 'field-value';
  markTrailers(fields);
  return fields.kinds.length === lines ? new WireHeaders(text, fields) : 'field-value';
}

/** By hand, since an expression would look at a long run of blanks once for each of them. */
function withoutBlanks(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return end - start === value.length ? value : value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Every message of HTTP/2 may have trailers, so its list remembers what was taken out of it; in HTTP/1.1 chunks say so. */
export function markTrailers(fields: Fields): void {
  fields.seen |= 1 << kinds.transferEncoding;
}

/** Reads a trailer section; one that holds what is no trailer is refused, as it is in HTTP/1.1. */
export function readTrailers(
  raw: readonly string[],
  limits: FieldLimits,
): WireHeaders | FieldFault | 'trailer-field' {
  const read = readFields(raw, limits);
  if (typeof read === 'string') return read;
  let isForbidden = false;
  read.forEachName((name) => (isForbidden ||= isForbiddenTrailer(name.toLowerCase())));
  return isForbidden ? 'trailer-field' : read;
}

/** What goes on of a header list, names and values in turn: no field of a connection, no framing, and no Host, which is `:authority`. */
export function appendFields(to: string[], headers: HeaderList): void {
  headers.forEach((name, value) => {
    const lowerName = name.toLowerCase();
    if (lowerName !== 'host' && !isHopByHop(lowerName)) to.push(lowerName, value);
  });
}

/** What goes on of trailers; what was made here may hold what is no trailer. */
export function trailerFields(trailers: HeaderList | undefined): Record<string, string[]> {
  const fields = new Map<string, string[]>();
  trailers?.forEach((name, value) => {
    const lowerName = name.toLowerCase();
    if (isForbiddenTrailer(lowerName) || isHopByHop(lowerName)) return;
    const values = fields.get(lowerName);
    if (values === undefined) fields.set(lowerName, [value]);
    else values.push(value);
  });
  return Object.assign(Object.create(null), Object.fromEntries(fields));
}
