import { isJson, type Json } from './opened.ts';

/** Says what an item of a list is called; undefined when it has no such name. */
type Identity = (item: Json) => string | undefined;

const text =
  (name: string): Identity =>
  (item) =>
    typeof item[name] === 'string' && item[name] !== '' ? item[name] : undefined;

const json =
  (...names: readonly string[]): Identity =>
  (item) =>
    JSON.stringify(names.map((name) => item[name] ?? ''));

/** The path and methods of a flow. */
const requests: Identity = ({ selectors }) =>
  Array.isArray(selectors)
    ? JSON.stringify(selectors.filter(isJson).map((one) => [one['path'], one['methods']]))
    : undefined;

/** By what items of a list are known again, the surest first; lists that are not here are compared as a whole. */
const identities: ReadonlyMap<string, readonly Identity[]> = new Map<string, readonly Identity[]>([
  ['plans', [text('id'), text('crossId'), text('name')]],
  ['pages', [text('id'), text('crossId'), text('name')]],
  ['flows', [text('id'), (flow) => joined(text('name')(flow), requests(flow)), text('name'), requests]],
  ['endpointGroups', [text('name')]],
  ['endpoints', [text('name')]],
  ['resources', [text('name')]],
  ['properties', [text('key')]],
  ['metadata', [text('key')]],
  ['listeners', [text('type')]],
  ['paths', [json('host', 'path')]],
  ['entrypoints', [text('type')]],
  ['headers', [text('name')]],
]);

const joined = (one: string | undefined, other: string | undefined): string | undefined =>
  one === undefined || other === undefined ? undefined : `${one}\0${other}`;

/** Longest list whose items are looked for one by one; a longer one is compared as a whole. */
const itemsMax = 2_000;

/** The items of a list under keys that are the same for the same item in each of the lists. */
export type Aligned = ReadonlyMap<string, unknown>;

/**
 * Finds out which items of several lists are the same one, by what items of such a list are called.
 *
 * Returns undefined when items of such a list have no names, or are too many, so that only the whole can be compared.
 */
export function align(name: string, lists: readonly (readonly unknown[])[]): readonly Aligned[] | undefined {
  if (lists.some((list) => list.length > itemsMax)) return undefined;
  const ways = identities.get(name);
  if (lists.every((list) => list.every((item) => typeof item === 'string')))
    return lists.map((list) => new Map(list.map((item) => [String(item), item])));
  if (ways === undefined || !lists.every((list) => list.every(isJson))) return undefined;
  const keys = lists.map(() => new Map<number, string>());
  let count = 0;
  for (const identity of [...ways, JSON.stringify]) {
    for (const places of placesByName(lists, identity).values()) {
      // What only one list has may be known by another name.
      if (new Set(places.map(({ list }) => list)).size < 2) continue;
      const known = places.map(({ list, item }) => keys[list]?.get(item)).find((key) => key !== undefined);
      const key = known ?? `same ${(count += 1)}`;
      for (const { list, item } of places) {
        const own = keys[list];
        if (own?.has(item) === false && ![...own.values()].includes(key)) own.set(item, key);
      }
    }
  }
  return lists.map(
    (list, l) => new Map(list.map((item, i) => [keys[l]?.get(i) ?? `only ${l}/${i}`, item] as const)),
  );
}

interface Place {
  readonly list: number;
  readonly item: number;
}

/** Where items of a name stand; the second of that name in its list has another one. */
function placesByName(
  lists: readonly (readonly unknown[])[],
  identity: Identity,
): ReadonlyMap<string, readonly Place[]> {
  const byName = new Map<string, Place[]>();
  lists.forEach((items, list) => {
    const seen = new Map<string, number>();
    items.forEach((content, item) => {
      const called = isJson(content) ? identity(content) : undefined;
      if (called === undefined) return;
      const count = (seen.get(called) ?? 0) + 1;
      seen.set(called, count);
      const name = `${count} ${called}`;
      const places = byName.get(name);
      if (places === undefined) byName.set(name, [{ list, item }]);
      else places.push({ list, item });
    });
  });
  return byName;
}

/**
 * Two orders as one: the first stays, and what only the second has comes behind what it stands behind there.
 */
export function interleaved(first: readonly string[], second: readonly string[]): readonly string[] {
  const order = [...first];
  second.forEach((key, index) => {
    if (order.includes(key)) return;
    const before = second.slice(0, index).findLast((other) => order.includes(other));
    order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, key);
  });
  return order;
}
