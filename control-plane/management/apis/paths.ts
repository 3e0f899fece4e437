import type { DraftDefinition } from './definition.ts';

/** A host ('' for any) with a context path that ends with a slash, as gateways compare them, on a server ('' for all). */
export interface TakenPath {
  readonly host: string;
  readonly path: string;
  readonly server: string;
}

/** A place that a definition takes, and where in it that stands. */
export interface ClaimedPath extends TakenPath {
  /** E.g. `listeners[0].paths[1]`. */
  readonly location: string;
}

/** Every host and context path that the listeners take, once for each server that they name. */
export function pathsOf(definition: Pick<DraftDefinition, 'listeners'>): readonly ClaimedPath[] {
  return definition.listeners.flatMap((listener, l) => {
    if (listener.type !== 'HTTP') return [];
    const { servers = [] } = listener;
    const on = servers.length === 0 ? [''] : [...new Set(servers)];
    return listener.paths.flatMap(({ host = '', path }, p) =>
      on.map((server) => ({
        host: host.toLowerCase(),
        path: path.endsWith('/') ? path : `${path}/`,
        server,
        location: `listeners[${l}].paths[${p}]`,
      })),
    );
  });
}

/** The first place that two listeners of one definition take, or that one has twice. */
export function repeatedPath(paths: readonly ClaimedPath[]): ClaimedPath | undefined {
  const seen = new Map<string, TakenPath[]>();
  return paths.find((claimed) => {
    const key = JSON.stringify([claimed.host, claimed.path]);
    const before = seen.get(key) ?? [];
    seen.set(key, [...before, claimed]);
    return before.some((other) => isSamePlace(claimed, other));
  });
}

/** Whether a request could be for both: '' is every server, as in {@link shareServer}. */
export function isSamePlace(one: TakenPath, other: TakenPath): boolean {
  return (
    one.host === other.host &&
    one.path === other.path &&
    (one.server === other.server || one.server === '' || other.server === '')
  );
}
