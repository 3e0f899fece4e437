import { type Change, listOf, mapOf, type Store, wordOf } from './maps.ts';

/** Several values by name, in order; what is changed is noted. Names of headers are told apart without case. */
export function createLines(
  written: readonly (readonly [string, string])[],
  { changes, ignoresCase }: { readonly changes: Change[]; readonly ignoresCase: boolean },
) {
  let lines = [...written];
  const keyOf = (name: unknown): string => (ignoresCase ? String(name).toLowerCase() : String(name));
  const is =
    (name: unknown) =>
    ([key]: readonly [string, string]): boolean =>
      keyOf(key) === keyOf(name);
  const all = (name: unknown): string[] => lines.filter(is(name)).map(([, value]) => value);
  const remove = (name: unknown): void => {
    lines = lines.filter((line) => !is(name)(line));
    changes.push(['remove', String(name)]);
  };
  const add = (name: unknown, value: unknown): void => {
    lines.push([String(name), String(value)]);
    changes.push(['add', String(name), String(value)]);
  };
  const set = (name: unknown, value: unknown): void => {
    if (value === null || value === undefined) return remove(name);
    const [first, ...others]: unknown[] = Array.isArray(value) ? value : [value];
    lines = lines.filter((line) => !is(name)(line));
    if (first === undefined) return remove(name);
    lines.push([String(name), wordOf(first)]);
    changes.push(['set', String(name), wordOf(first)]);
    for (const other of others) add(name, other);
  };
  const names = (): string[] => {
    const seen = new Map(lines.map(([name]) => [keyOf(name), name]));
    return [...seen.values()];
  };
  return { all, remove, add, set, names, text: () => lines };
}

/** See {@link createLines}. */
export type Lines = ReturnType<typeof createLines>;

/** Headers and parameters of both dialects. */
export function linesObject(lines: Lines, isMap: boolean): unknown {
  const { all, names } = lines;
  const lists = (): Store => new Map(names().map((name) => [name, listOf(all(name))]));
  const methods: (readonly [string, unknown])[] = [
    ['get', (name: unknown) => all(name)[0] ?? null],
    ['getFirst', (name: unknown) => all(name)[0] ?? null],
    ['getAll', (name: unknown) => listOf(all(name))],
    ['contains', (name: unknown) => all(name).length > 0],
    ['containsKey', (name: unknown) => all(name).length > 0],
    ['containsAllKeys', (wanted: readonly unknown[]) => wanted.every((name) => all(name).length > 0)],
    ['names', () => names()],
    ['keySet', () => names()],
    ['size', () => names().length],
    ['isEmpty', () => names().length === 0],
    ['toSingleValueMap', () => mapOf(new Map(names().map((name) => [name, all(name)[0]])), new Map())],
    ['toListValuesMap', () => mapOf(lists(), new Map())],
    [
      'entrySet',
      () => [...lists()].map(([key, value]) => ({ key, value, getKey: () => key, getValue: () => value })),
    ],
    ['forEach', (visit: (entry: unknown) => void) => lists().forEach((value, key) => visit({ key, value }))],
    ['toJSON', () => Object.fromEntries(lists())],
  ];
  const changing = (change: (name: unknown, value: unknown) => void) => (name: unknown, value: unknown) => {
    change(name, value);
    return self;
  };
  methods.push(
    ['set', changing(lines.set)],
    ['add', changing(lines.add)],
    ['remove', changing(lines.remove)],
    ['clear', () => names().forEach((name) => lines.remove(name))],
    [
      'put',
      (name: unknown, value: unknown) => {
        const before = listOf(all(name));
        lines.set(name, value);
        return before;
      },
    ],
    ['setAll', (others: object) => Object.entries(others).forEach(([name, value]) => lines.set(name, value))],
  );
  const self: unknown = isMap
    ? new Proxy(Object.create(null) as object, {
        get: (_, name) => {
          if (typeof name === 'symbol') return undefined;
          const method = methods.find(([each]) => each === name);
          if (method !== undefined) return method[1];
          return all(name).length > 0 ? listOf(all(name)) : undefined;
        },
        has: (_, name) => typeof name === 'string' && all(name).length > 0,
        ownKeys: () => names(),
        getOwnPropertyDescriptor: (_, name) =>
          typeof name === 'string' && all(name).length > 0
            ? { value: listOf(all(name)), enumerable: true, configurable: true, writable: true }
            : undefined,
        set: (_, name, value) => {
          lines.set(name, value);
          return true;
        },
        deleteProperty: (_, name) => {
          lines.remove(name);
          return true;
        },
      })
    : Object.freeze(Object.fromEntries(methods));
  return self;
}
