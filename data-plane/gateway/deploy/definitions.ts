import { Fault } from '../../../proto/faults/fault.ts';
import { glanceAt } from '../../../proto/definition/glance.ts';
import { type Note, type ReadApi, readApi } from '../../../proto/definition/read.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import { plainJson } from '../../../proto/process/json-text.ts';

/** Where an API wants to be reached. */
export interface Place {
  /** Id of a server of this gateway. */
  readonly server: string;
  readonly host: string | undefined;
  readonly path: string;
}

/** Reads the definition inside a published record. Errors: request.invalid. */
export function readDefinition(text: string): ReadApi {
  let json: unknown;
  try {
    json = plainJson(text);
  } catch (error) {
    throw new Fault('request.invalid', { detail: 'The definition is not JSON.', cause: error });
  }
  const read = readApi(json);
  // Whoever published it has taken this out.
  if (read.api.services !== undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'services.dynamicProperty',
          message:
            'is fetched by a control plane, and a gateway of files has none; allowed: enabled: false, with what it fetches as properties',
        },
      ],
    });
  return read;
}

/** Does what is done with a definition after it was read; what it finds wrong is told by the places in the text, not by those in the model. */
export function withPlacesOf<Made>(placesOf: () => (path: string) => string, work: () => Made): Made {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Fault) || error.details.length === 0) throw error;
    const placeOf = placesOf();
    throw new Fault(error.code, {
      detail: error.detail,
      details: error.details.map(({ path, message }) => ({ path: placeOf(path), message })),
      ...(error.internal !== undefined && { internal: error.internal }),
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    });
  }
}

/** The places of a definition on the servers that a gateway has, in order. */
export function placesOf(definition: ApiDefinition, servers: readonly string[]): readonly Place[] {
  return definition.listeners.flatMap((listener) =>
    chosen(servers, listener.servers).flatMap((server) =>
      listener.paths.map(({ host, path }) => ({ server, host, path })),
    ),
  );
}

/** Servers that a definition names and a gateway does not have: there it is not served, as in the reference. */
export function missingServers(definition: ApiDefinition, servers: readonly string[]): readonly Note[] {
  return definition.listeners.flatMap((listener, index) => {
    const missing = listener.servers.filter((id) => !servers.includes(id));
    if (missing.length === 0) return [];
    const message = `names ${missing.join(', ')}, which this gateway does not have (servers): not served there; it has ${servers.join(', ')}`;
    return [{ kind: 'doubt', path: `listeners[${index}].servers`, message }];
  });
}

/** None is all. */
const chosen = (servers: readonly string[], wanted: readonly unknown[]): readonly string[] =>
  wanted.length === 0 ? servers : servers.filter((id) => wanted.includes(id));

/**
 * The places of a definition that was refused, as far as they can be read: an API that cannot be deployed answers 503 there,
 * since 404 would say that it does not exist.
 */
export function placesOfRefused(text: string, servers: readonly string[]): readonly Place[] {
  try {
    const { api } = glanceAt(JSON.parse(text) as Readonly<Record<string, unknown>>);
    const proxy = holding(api['proxy']);
    const { virtual_hosts, virtualHosts, context_path } = proxy;
    // Of version 1 and 2.
    const old = { paths: [...listOf(virtual_hosts ?? virtualHosts), { path: context_path }] };
    return [...listOf(api['listeners']).map(holding), { ...old, servers: proxy['servers'] }]
      .flatMap(({ paths, servers: wanted }) => {
        const places = listOf(paths).flatMap(placeOf);
        return chosen(servers, listOf(wanted)).flatMap((server) =>
          places.map((place) => ({ server, ...place })),
        );
      })
      .slice(0, refusedPlacesMax);
  } catch {
    return [];
  }
}

const refusedPlacesMax = 100;

function placeOf(entry: unknown): readonly Omit<Place, 'server'>[] {
  const { host, path } = holding(entry);
  if (typeof path !== 'string' || !path.startsWith('/')) return [];
  const trimmed = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return [{ host: typeof host === 'string' && host !== '' ? host.toLowerCase() : undefined, path: trimmed }];
}

const holding = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
