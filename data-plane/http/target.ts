/** A request target, normalised: what the gateway routes on and forwards, byte for byte. */
export interface Target {
  /** Starts with `/`, or is `*`. */
  readonly path: string;
  /** Raw, without `?`; undefined when there was none. */
  readonly query: string | undefined;
  /** From absolute-form (RFC 9112 section 3.2.2), which beats the Host header; else undefined. */
  readonly authority: string | undefined;
}

// RFC 9112 section 3.2: a target is visible ASCII; fragments never travel, and a backslash is a slash to some servers.
const forbidden = /[^\x21-\x7e]|[#\\]/;
const badPercent = /%(?![0-9a-fA-F]{2})/;
const unreserved = /^[A-Za-z0-9\-._~]$/;
const absoluteForm = /^https?:\/\/([^/?]*)(.*)$/i;

/**
 * Reads a request target, or says in the words of the refusal table why it is refused.
 *
 * Normalisation, in this order: percent-encoded unreserved characters are decoded (RFC 3986 section 6.2.2.2), the
 * digits of other escapes stay as they came, then `.` and `..` segments are resolved, encoded ones too since the first step
 * made them plain. `%2F` stays what it is: one segment. `//` stays.
 */
export function readTarget(raw: string, method: string): Target | { readonly refusal: string } {
  if (raw === '*')
    return method === 'OPTIONS'
      ? { path: '*', query: undefined, authority: undefined }
      : { refusal: 'asterisk-form' };
  if (forbidden.test(raw)) return { refusal: 'target-character' };
  const absolute = absoluteForm.exec(raw);
  const origin = absolute === null ? raw : (absolute[2] ?? '');
  const mark = origin.indexOf('?');
  const rawPath = mark === -1 ? origin : origin.slice(0, mark);
  if (absolute === null && !rawPath.startsWith('/')) return { refusal: 'target-form' };
  if (badPercent.test(rawPath)) return { refusal: 'percent-encoding' };
  if (/%00/.test(rawPath)) return { refusal: 'null-byte' };
  const path = resolveDots(decodeUnreserved(rawPath === '' ? '/' : rawPath));
  return { path, query: mark === -1 ? undefined : origin.slice(mark + 1), authority: absolute?.[1] };
}

function decodeUnreserved(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-fA-F]{2})/g, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return unreserved.test(character) ? character : escape;
  });
}

/** RFC 3986 section 5.2.4; `..` above the root stays at the root. */
function resolveDots(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
