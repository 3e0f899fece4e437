/** The ways in which somebody behind us may read a path. */
export interface Readings {
  /** What it may mean beside what it says. */
  readonly others: readonly string[];
  /** One of them leads out of the API, above its context path; or there are more than anybody means. */
  readonly leadsOut: boolean;
}

/** What makes a path readable in more than one way: escapes, parameters of segments, dot segments, empty segments. */
const ambiguous = /[%;\\]|\/\/|[. ](?:\/|$)|:\$/;
/** Past these nobody means the path, and what it means to somebody cannot be told in reasonable time: readings, and their characters in all. */
const readingsMax = 48;
const readCharsMax = 65_536;

/**
 * What servers do to a path before they look at it; in which order and how often is theirs. RFC 3986 sections 3.3, 5.2.4 and 6.2.2 for
 * escapes and dot segments; `;` parameters as servlet containers take them away; merged slashes as nginx and Go do. Who hands on what he has
 * decoded shows the next one a query, a fragment or the end of a text. The URL parser of the web takes tabs and line ends away, blanks at
 * the end, and a name behind `//` for a host. A lax reader of UTF-8 takes an overlong form for what it spells. Windows drops dots and blanks at
 * the end of a name and reads `name::$DATA` as the name; its HTTP stack decodes `%uNNNN`.
 */
const habits: readonly ((path: string) => string)[] = [
  decode,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  (path) => (path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path),
  (path) => resolveDots(path).path,
  (path) => path.replace(/[?#\0].*$/s, ''),
  withoutBlanks,
  (path) => (path.startsWith('//') ? path.replace(/^\/+[^/]*/, '') : path),
  (path) => path.replaceAll(overlong, spelled),
  asNamesOfWindows,
  (path) =>
    path.includes('%u') || path.includes('%U') ? path.replaceAll(/%u00([0-7][0-9a-f])/gi, fromHex) : path,
];

const plain: Readings = { others: [], leadsOut: false };
const outside: Readings = { others: [], leadsOut: true };

/**
 * The readings of a path below the context path: everything that the habits of servers make of it, in any order.
 *
 * A refusal holds when any of them meets it, an allowance when all do.
 */
export function readingsOf(path: string): Readings {
  if (!ambiguous.test(path)) return plain;
  const paths = new Set([path]);
  // A set is walked to its end, also what is added on the way.
  let read = 0;
  for (const each of paths) {
    read += each.length;
    if (read > readCharsMax || resolveDots(each).leadsOut) return outside;
    for (const habit of habits) paths.add(habit(each));
    if (paths.size > readingsMax) return outside;
  }
  paths.delete(path);
  return { others: [...paths], leadsOut: false };
}

/**
 * A path as a server reads it that decodes once, merges slashes and resolves dot segments; undefined where it leads out.
 *
 * isSlashKept: `%2F` stays what it is.
 */
export function decodedPath(
  path: string,
  { isSlashKept }: { readonly isSlashKept: boolean },
): string | undefined {
  const decoded = decode(isSlashKept ? path.replaceAll(/%2f/gi, '%252F') : path);
  const { path: read, leadsOut } = resolveDots(decoded.replaceAll(/\/{2,}/g, '/'));
  return leadsOut ? undefined : read;
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

/** One round, as a server decodes. What is no escape stays, and so do escapes beyond ASCII: {@link normalise} compares them as they are. */
function decode(path: string): string {
  if (!path.includes('%')) return path;
  return path.replaceAll(/%([0-7][0-9a-f])/gi, fromHex);
}

const fromHex = (_escape: string, hex: string): string => String.fromCharCode(parseInt(hex, 16));

/** Without tabs and line ends, and without blanks at the end, whatever slashes stand among them. */
function withoutBlanks(path: string): string {
  if (!/[\0-\x20]/.test(path)) return path;
  let end = path.length;
  while (end > 0 && (path.charCodeAt(end - 1) <= 0x20 || path[end - 1] === '/')) end -= 1;
  return path.slice(0, end).replaceAll(/[\t\n\r]/g, '') + path.slice(end).replaceAll(/[\0-\x20]/g, '');
}

/** Without dots and blanks at the ends of names, and without the streams of files; `.. ` is `..`. */
function asNamesOfWindows(path: string): string {
  if (!/[. ](?:\/|$)|:\$/.test(path)) return path;
  return path
    .replaceAll(/(?::[^/:]*)?:\$[a-z_]+(?=\/|$)/gi, '')
    .replaceAll(/(^|\/)(\.{1,2}) +(?=\/|$)/g, '$1$2')
    .replaceAll(/(?<=[^/. ])[. ]+(?=\/|$)/g, '');
}

/** ASCII in two to six bytes (RFC 3629 section 3, RFC 2279 section 2), escaped. */
const overlong = /(?:%c[01]|(?:%e0|%f0%80|%f8%80%80|%fc%80%80%80)%8[01])%[89ab][0-9a-f]/gi;

function spelled(escapes: string): string {
  const [before = 0, last = 0] = Buffer.from(escapes.replaceAll('%', ''), 'hex').subarray(-2);
  return String.fromCharCode(((before & 1) << 6) | (last & 0x3f));
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
