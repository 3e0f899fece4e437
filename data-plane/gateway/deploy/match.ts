/**
 * Finds who serves a request: by virtual host, then by the longest context path on a segment boundary.
 *
 * A tree of path segments per host: a look-up walks as many segments as are registered along that path, so its cost
 * does not grow with the number of APIs.
 */
export interface Router<Target> {
  /** host is in lower case without port; path starts with `/`. */
  match(host: string, path: string): Match<Target> | undefined;
}

/** Who serves, and where its context path ends. */
export interface Match<Target> {
  readonly target: Target;
  /** Context path as registered, without trailing slash; empty for the root. */
  readonly contextPath: string;
}

/** One registered place. */
export interface Route<Target> {
  /** Undefined takes every host that has no such path of its own. */
  readonly host: string | undefined;
  readonly path: string;
  readonly target: Target;
}

interface Node<Target> {
  children: Map<string, Node<Target>> | undefined;
  match: Match<Target> | undefined;
}

/** Builds the structure; of two routes with the same place the first stays. */
export function createRouter<Target>(routes: Iterable<Route<Target>>): Router<Target> {
  const hosts = new Map<string, Node<Target>>();
  const anyHost: Node<Target> = { children: undefined, match: undefined };
  for (const { host, path, target } of routes) {
    let node = host === undefined ? anyHost : hosts.get(host);
    if (node === undefined) {
      node = { children: undefined, match: undefined };
      hosts.set(host ?? '', node);
    }
    for (const segment of path.split('/')) {
      if (segment === '') continue;
      node.children ??= new Map();
      let child: Node<Target> | undefined = node.children.get(segment);
      if (child === undefined) {
        child = { children: undefined, match: undefined };
        node.children.set(segment, child);
      }
      node = child;
    }
    node.match ??= { target, contextPath: path === '/' ? '' : path };
  }
  return {
    match(host, path) {
      const own = hosts.size === 0 ? undefined : hosts.get(host);
      return (own === undefined ? undefined : walk(own, path)) ?? walk(anyHost, path);
    },
  };
}

function walk<Target>(root: Node<Target>, path: string): Match<Target> | undefined {
  let node = root;
  let best = node.match;
  let start = 1;
  while (node.children !== undefined && start < path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const child = node.children.get(path.slice(start, end));
    if (child === undefined) break;
    node = child;
    if (node.match !== undefined) best = node.match;
    start = end + 1;
  }
  return best;
}
