/** What makes a path readable in more than one way: escapes, parameters of segments, dot segments. */
const ambiguous = /[%;]|\/\.\.?(?:\/|$)/;

/**
 * The ways in which somebody behind us may read a path: as it was sent (the first), with its escapes decoded (`%2F`, `%2e`, `%61`), without
 * `;` parameters, and each with its dot segments resolved.
 *
 * A refusal holds when any of them meets it, an allowance when all do. RFC 3986 sections 3.3, 5.2.4 and 6.2.2.
 */
export function readingsOf(path: string): readonly string[] {
  if (!ambiguous.test(path)) return [path];
  const decoded = decode(path);
  const spellings = [
    path,
    decoded,
    withoutParameters(path),
    withoutParameters(decoded),
    decode(withoutParameters(path)),
  ];
  return [...new Set([...spellings, ...spellings.map(resolveDots)])];
}

/** One round, as a server decodes; a backslash is a slash to some. What is no escape stays. */
function decode(path: string): string {
  if (!path.includes('%')) return path;
  const bytes = path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return bytes.replaceAll('\\', '/');
}

function withoutParameters(path: string): string {
  return path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path;
}

/** RFC 3986 section 5.2.4; nothing climbs above the root. */
function resolveDots(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return `/${segments.filter((segment) => segment !== '').join('/')}`;
}
