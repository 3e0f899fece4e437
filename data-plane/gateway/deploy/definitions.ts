import { Fault } from '../../../proto/faults/fault.ts';
import { glanceAt } from '../../../proto/definition/glance.ts';
import { type ReadApi, readApi } from '../../../proto/definition/read.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';

/** Where an API wants to be reached. */
export interface Place {
  readonly host: string | undefined;
  readonly path: string;
}

/** Reads the definition inside a published record. Errors: request.invalid. */
export function readDefinition(text: string): ReadApi {
  let json: unknown;
  try {
    json = JSON.parse(text);
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

/** The places of a definition, in order. */
export function placesOf(definition: ApiDefinition): readonly Place[] {
  return definition.listeners.flatMap((listener) => listener.paths.map(({ host, path }) => ({ host, path })));
}

/**
 * The places of a definition that was refused, as far as they can be read: an API that cannot be deployed answers 503 there,
 * since 404 would say that it does not exist.
 */
export function placesOfRefused(text: string): readonly Place[] {
  try {
    const { api } = glanceAt(JSON.parse(text) as Readonly<Record<string, unknown>>);
    const { virtual_hosts, virtualHosts, context_path } = holding(api['proxy']);
    const wished = [
      ...listOf(api['listeners']).flatMap((listener) => listOf(holding(listener)['paths'])),
      // Of version 1 and 2.
      ...listOf(virtual_hosts ?? virtualHosts),
      { path: context_path },
    ];
    return wished.flatMap(placeOf).slice(0, 100);
  } catch {
    return [];
  }
}

function placeOf(entry: unknown): readonly Place[] {
  const { host, path } = holding(entry);
  if (typeof path !== 'string' || !path.startsWith('/')) return [];
  const trimmed = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return [{ host: typeof host === 'string' && host !== '' ? host.toLowerCase() : undefined, path: trimmed }];
}

const holding = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
