import type { RefusalReason } from './refusal.ts';

/** A request target, normalised: what the gateway routes on and forwards, byte for byte. */
export interface Target {
  /** Starts with `/`, or is `*`. */
  readonly path: string;
  /** Raw, without `?`; undefined when there was none. */
  readonly query: string | undefined;
  /** From absolute-form (RFC 9112 section 3.2.2), which has to agree with the Host header; else undefined. */
  readonly authority: string | undefined;
}

/** How targets are normalised beyond what is always done. */
export interface TargetSettings {
  readonly mergeSlashes: boolean;
  readonly encodedSlash: 'keep' | 'refuse';
}

const badPercent = /%(?![0-9a-fA-F]{2})/;
const encodedSlash = /%(?:2f|5c)/i;
const unreserved = /^[A-Za-z0-9\-._~]$/;
const absoluteForm = /^https?:\/\/([^/?]*)(.*)$/i;

/**
 * Reads a request target whose characters the parser has let pass, or says why it is refused.
 *
 * Normalisation, in this order: percent-encoded unreserved characters are decoded (RFC 3986 section 6.2.2.2), the
 * digits of other escapes stay as they came, repeated slashes become one where the settings say so, then `.` and `..` segments are
 * resolved, encoded ones too since the first step made them plain. `%2F` stays what it is: one segment. The query is never touched.
 */
export function readTarget(raw: string, method: string, settings: TargetSettings): Target | RefusalReason {
  // RFC 9112 section 3.2.4: the asterisk is for OPTIONS alone.
  if (raw === '*')
    return method === 'OPTIONS' ? { path: '*', query: undefined, authority: undefined } : 'target-form';
  const absolute = raw.startsWith('/') ? null : absoluteForm.exec(raw);
  if (absolute === null && !raw.startsWith('/')) return 'target-form';
  const origin = absolute === null ? raw : (absolute[2] ?? '');
  const mark = origin.indexOf('?');
  const path = normalisePath(mark === -1 ? origin : origin.slice(0, mark), settings);
  if (!path.startsWith('/')) return path as RefusalReason;
  return { path, query: mark === -1 ? undefined : origin.slice(mark + 1), authority: absolute?.[1] };
}

/** The path, which starts with a slash, or the reason why it is refused. */
function normalisePath(raw: string, settings: TargetSettings): string {
  let path = raw === '' ? '/' : raw;
  if (path.includes('%')) {
    if (badPercent.test(path)) return 'percent-encoding';
    if (path.includes('%00')) return 'null-byte';
    if (settings.encodedSlash === 'refuse' && encodedSlash.test(path)) return 'encoded-slash';
    path = decodeUnreserved(path);
  }
  if (settings.mergeSlashes && path.includes('//')) path = path.replace(/\/{2,}/g, '/');
  return path.includes('/.') ? resolveDots(path) : path;
}

function decodeUnreserved(path: string): string {
  return path.replace(/%([0-9a-fA-F]{2})/g, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return unreserved.test(character) ? character : escape;
  });
}

/** RFC 3986 section 5.2.4; `..` above the root stays at the root. */
function resolveDots(path: string): string {
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
