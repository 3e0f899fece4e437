import { isJson, type Json } from '../opened.ts';

/** Most references that lead from one to the next; more are a circle. */
const hopsMax = 32;

/** What a value refers to; undefined when it is no reference. */
export function referred(value: unknown): string | undefined {
  return isJson(value) && typeof value['$ref'] === 'string' ? value['$ref'] : undefined;
}

/**
 * What a value stands for: itself, or what it refers to in the same document (`#/components/...`). Nothing outside is asked: undefined for a
 * reference that leads out, to nothing, or in a circle.
 */
export function followed(document: Json, value: unknown): unknown {
  let found = value;
  for (let hops = 0; hops <= hopsMax; hops += 1) {
    const reference = referred(found);
    if (reference === undefined) return found;
    found = pointed(document, reference);
  }
  return undefined;
}

function pointed(document: Json, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined;
  let found: unknown = document;
  for (const part of reference.slice(2).split('/')) {
    const key = unescaped(part);
    if (key === undefined || typeof found !== 'object' || found === null || !Object.hasOwn(found, key))
      return undefined;
    found = (found as Json)[key];
  }
  return found;
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
