/** Where requests of one endpoint go, taken apart once. */
export interface Target {
  /** Host header, with the port when it is not the scheme's own. */
  readonly authority: string;
  /** Path and query on the wire for a path below the context path and a raw query. */
  line(pathInfo: string, query: string | undefined): string;
  /** The URL of such a line. */
  urlOf(line: string): string;
}

/**
 * Compiles a target URL.
 *
 * The path below the context path is appended as it came: a slash at its end stays, the one at the end of the target is not
 * doubled. The raw query follows the target's own.
 */
export function createTarget(url: URL): Target {
  const base = url.pathname;
  const trimmed = base.endsWith('/') ? base.slice(0, -1) : base;
  const own = url.search === '' ? undefined : url.search.slice(1);
  return {
    authority: url.host,
    urlOf: (line) => `${url.origin}${line}`,
    line(pathInfo, query) {
      const path =
        pathInfo === '' ? base : pathInfo.startsWith('/') ? trimmed + pathInfo : `${trimmed}/${pathInfo}`;
      if (own === undefined) return query === undefined ? path : `${path}?${query}`;
      return query === undefined ? `${path}?${own}` : `${path}?${own}&${query}`;
    },
  };
}
