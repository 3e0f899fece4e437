/** The ways in which somebody behind us may read a path. */
export interface Readings {
  /** As it was sent (the first), and what else it may mean. */
  readonly paths: readonly string[];
  /** One of them leads out of the API, above its context path; or there are more than anybody means. */
  readonly leadsOut: boolean;
}

/** What makes a path readable in more than one way: escapes, parameters of segments, dot segments, empty segments. */
const ambiguous = /[%;\\]|\/\/|\/\.\.?(?:\/|$)/;
/** Past these nobody means the path, and what it means to somebody cannot be told in reasonable time: readings, and their characters in all. */
const readingsMax = 48;
const readCharsMax = 65_536;

/**
 * What servers do to a path before they look at it; in which order and how often is theirs. RFC 3986 sections 3.3, 5.2.4 and 6.2.2 for
 * escapes and dot segments; `;` parameters as servlet containers take them away; merged slashes as nginx and Go do.
 */
const habits: readonly ((path: string) => string)[] = [
  decode,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  (path) => (path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path),
  (path) => resolveDots(path).path,
];

/**
 * The readings of a path below the context path: everything that the habits of servers make of it, in any order.
 *
 * A refusal holds when any of them meets it, an allowance when all do.
 */
export function readingsOf(path: string): Readings {
  if (!ambiguous.test(path)) return { paths: [path], leadsOut: false };
  const paths = new Set([path]);
  // A set is walked to its end, also what is added on the way.
  let read = 0;
  for (const each of paths) {
    read += each.length;
    if (read > readCharsMax || resolveDots(each).leadsOut) return { paths: [...paths], leadsOut: true };
    for (const habit of habits) paths.add(habit(each));
    if (paths.size > readingsMax) return { paths: [...paths], leadsOut: true };
  }
  return { paths: [...paths], leadsOut: false };
}

/**
 * One spelling for what means the same (RFC 3986 section 6.2.2): unreserved characters plain, everything beyond ASCII escaped, digits of
 * escapes in upper case.
 */
export function normalise(path: string): string {
  const escaped = /[^\0-\x7f]/.test(path)
    ? path.toWellFormed().replaceAll(/[^\0-\x7f]+/g, encodeURIComponent)
    : path;
  if (!escaped.includes('%')) return escaped;
  return escaped.replaceAll(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });
}

/** One round, as a server decodes. What is no escape stays; what is no UTF-8 is read byte by byte. */
function decode(path: string): string {
  if (!path.includes('%')) return path;
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
    const text = bytes.toString('utf8');
    return text.includes('\ufffd') ? bytes.toString('latin1') : text;
  });
}

/** RFC 3986 section 5.2.4; an empty segment is one. */
function resolveDots(path: string): { readonly path: string; readonly leadsOut: boolean } {
  if (!path.includes('/.')) return { path, leadsOut: false };
  const segments: string[] = [];
  let leadsOut = false;
  for (const segment of path.slice(path.startsWith('/') ? 1 : 0).split('/')) {
    if (segment === '..') {
      if (segments.length === 0) leadsOut = true;
      segments.pop();
    } else if (segment !== '.') segments.push(segment);
  }
  return { path: `/${segments.join('/')}`, leadsOut };
}
