import { Fault } from '../../../proto/faults/fault.ts';
import { type ApiDefinition, parseApiDefinition } from '../../../proto/model/api.ts';

/** Where an API wants to be reached. */
export interface Place {
  readonly host: string | undefined;
  readonly path: string;
}

/** Reads the definition inside a published record. Errors: request.invalid. */
export function readDefinition(text: string): ApiDefinition {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Fault('request.invalid', { detail: 'The definition is not JSON.', cause: error });
  }
  return parseApiDefinition(json);
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
    const found: Place[] = [];
    const whole = JSON.parse(text) as Listening & { readonly api?: Listening };
    for (const listener of listOf(whole.listeners ?? whole.api?.listeners)) {
      for (const entry of listOf((listener as { readonly paths?: unknown } | null)?.paths)) {
        const { host, path } = (entry ?? {}) as { readonly host?: unknown; readonly path?: unknown };
        if (typeof path !== 'string' || !path.startsWith('/')) continue;
        const trimmed = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
        found.push({
          host: typeof host === 'string' && host !== '' ? host.toLowerCase() : undefined,
          path: trimmed,
        });
      }
    }
    return found.slice(0, 100);
  } catch {
    return [];
  }
}

interface Listening {
  readonly listeners?: unknown;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
