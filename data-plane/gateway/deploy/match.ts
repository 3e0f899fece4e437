import { invariant } from '../../../proto/faults/fault.ts';
import type { Place } from './definitions.ts';

/** Who serves, and where its context path ends. */
export interface Match<Target> {
  readonly target: Target;
  /** Context path as registered, without trailing slash; empty for the root. */
  readonly contextPath: string;
}

interface Node<Target> {
  children: Map<string, Node<Target>> | undefined;
  match: Match<Target> | undefined;
}

/**
 * Finds who serves a request: by virtual host, then by the longest context path on a segment boundary.
 *
 * A tree of path segments per host: a look-up walks as many segments as are registered along that path, and so does a change, so that
 * neither grows with the number of APIs. It changes in place, within one turn of the event loop.
 */
export class Router<Target> {
  readonly #hosts = new Map<string, Node<Target>>();
  readonly #anyHost: Node<Target> = createNode();

  /** host is in lower case without port; path starts with `/`. */
  match(host: string, path: string): Match<Target> | undefined {
    const own = this.#hosts.size === 0 ? undefined : this.#hosts.get(host);
    return (own === undefined ? undefined : walk(own, path)) ?? walk(this.#anyHost, path);
  }

  /** host: undefined takes every host that has no such path of its own. Who was there before is there no more. */
  set(host: string | undefined, path: string, target: Target): void {
    let node = host === undefined ? this.#anyHost : this.#hosts.get(host);
    if (node === undefined) {
      node = createNode();
      this.#hosts.set(host ?? '', node);
    }
    for (const segment of segmentsOf(path)) {
      node.children ??= new Map();
      let child: Node<Target> | undefined = node.children.get(segment);
      if (child === undefined) {
        child = createNode();
        node.children.set(segment, child);
      }
      node = child;
    }
    node.match = { target, contextPath: path === '/' ? '' : path };
  }

  /** Takes a place out, and what of the tree leads nowhere then. */
  delete(host: string | undefined, path: string): void {
    const root = host === undefined ? this.#anyHost : this.#hosts.get(host);
    if (root === undefined) return;
    prune(root, segmentsOf(path), 0);
    if (host !== undefined && isEmpty(root)) this.#hosts.delete(host);
  }
}

/** Who serves what on each server of a gateway. */
export class Routers<Target> {
  readonly #byServer: ReadonlyMap<string, Router<Target>>;

  constructor(servers: readonly string[]) {
    this.#byServer = new Map(servers.map((id) => [id, new Router<Target>()]));
  }

  /** What requests of one server are matched by; undefined is the first. */
  on(server: string | undefined): Router<Target> {
    const [first] = this.#byServer.values();
    const router = server === undefined ? first : this.#byServer.get(server);
    invariant(router !== undefined, 'a gateway listens on the servers that it has');
    return router;
  }

  set({ server, host, path }: Place, target: Target): void {
    this.#byServer.get(server)?.set(host, path, target);
  }

  delete({ server, host, path }: Place): void {
    this.#byServer.get(server)?.delete(host, path);
  }
}

function createNode<Target>(): Node<Target> {
  return { children: undefined, match: undefined };
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function isEmpty<Target>({ children, match }: Node<Target>): boolean {
  return match === undefined && children === undefined;
}

function prune<Target>(node: Node<Target>, segments: readonly string[], depth: number): void {
  const segment = segments[depth];
  if (segment === undefined) {
    node.match = undefined;
    return;
  }
  const child = node.children?.get(segment);
  if (child === undefined) return;
  prune(child, segments, depth + 1);
  if (!isEmpty(child)) return;
  node.children?.delete(segment);
  if (node.children?.size === 0) node.children = undefined;
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
