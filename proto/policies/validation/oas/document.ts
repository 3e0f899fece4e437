import { isObject } from '../json-schema/copy.ts';

/** A part of a document: an object whose members are looked at one by one. */
export type Part = Readonly<Record<string, unknown>>;

/** Most references that lead from one to the next; more are a circle. */
const hopsMax = 32;

/** A part, and where it stands: a JSON pointer into the document. */
export interface Placed {
  readonly value: unknown;
  readonly at: string;
}

/** Follows references of a part within its document (`#/components/...`); undefined for one that leads out, to nothing, or in a circle. */
export function resolved(document: Part, part: Placed): Placed | undefined {
  let found = part;
  for (let hops = 0; hops <= hopsMax; hops += 1) {
    const { value } = found;
    if (!isObject(value) || typeof value['$ref'] !== 'string') return found;
    const next = pointed(document, value['$ref']);
    if (next === undefined) return undefined;
    found = next;
  }
  return undefined;
}

/** What a reference names; undefined where that is not in the document. */
export function pointed(document: Part, reference: string): Placed | undefined {
  if (!reference.startsWith('#/')) return undefined;
  let at: string;
  try {
    at = decodeURIComponent(reference.slice(1));
  } catch {
    return undefined;
  }
  let value: unknown = document;
  for (const part of at.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Part)[key];
  }
  return { value, at };
}

/** A member of a part, by its name. */
export function memberOf({ value, at }: Placed, name: string): Placed {
  const found = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return { value: found, at: `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` };
}

/** All members of a part but extensions. */
export function membersOf(part: Placed): readonly (readonly [name: string, member: Placed])[] {
  if (!isObject(part.value)) return [];
  return Object.keys(part.value)
    .filter((name) => !name.startsWith('x-'))
    .map((name) => [name, memberOf(part, name)]);
}

/** The elements of a list. */
export function elementsOf({ value, at }: Placed): readonly Placed[] {
  return Array.isArray(value)
    ? value.map((each: unknown, index) => ({ value: each, at: `${at}/${index}` }))
    : [];
}
