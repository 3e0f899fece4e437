/** Values by name, in order. */
export type Store = Map<string, unknown>;

/** One change that a script has made: `set`, `add` or `remove`. */
export type Change = readonly [how: string, name: string, value?: unknown];

/** Properties and methods of one object, as a map that is also read by property: Java's maps in scripts. */
export function mapOf(
  store: Store,
  methods: Map<string, unknown>,
  change?: (name: string, value: unknown) => void,
): unknown {
  const all = new Map<string, unknown>([
    ['get', (name: unknown) => store.get(String(name)) ?? null],
    ['containsKey', (name: unknown) => store.has(String(name))],
    ['containsValue', (value: unknown) => [...store.values()].includes(value)],
    ['keySet', () => [...store.keys()]],
    ['values', () => [...store.values()]],
    [
      'entrySet',
      () => [...store].map(([key, value]) => ({ key, value, getKey: () => key, getValue: () => value })),
    ],
    [
      'forEach',
      (visit: (name: string, value: unknown) => void) => store.forEach((value, name) => visit(name, value)),
    ],
    ['size', () => store.size],
    ['isEmpty', () => store.size === 0],
    ['toString', () => JSON.stringify(Object.fromEntries(store))],
    ['toJSON', () => Object.fromEntries(store)],
    ...methods,
  ]);
  const readOnly = (): never => {
    throw new TypeError('this map is read-only');
  };
  return new Proxy(Object.create(null) as object, {
    get: (_, name) =>
      typeof name === 'symbol' ? undefined : all.has(name) ? all.get(name) : store.get(name),
    has: (_, name) => typeof name === 'string' && store.has(name),
    ownKeys: () => [...store.keys()],
    getOwnPropertyDescriptor: (_, name) =>
      typeof name === 'string' && store.has(name)
        ? { value: store.get(name), enumerable: true, configurable: true, writable: true }
        : undefined,
    set: (_, name, value) => {
      (change ?? readOnly)(String(name), value);
      return true;
    },
    deleteProperty: (_, name) => {
      (change ?? readOnly)(String(name), undefined);
      return true;
    },
    setPrototypeOf: () => false,
  });
}

/** Any value as a text, as scripts make one of it. */
export function wordOf(value: unknown): string {
  return `${value as string}`;
}

/** A list as scripts of both dialects read it: by number, or as Java's. */
export function listOf(values: readonly unknown[]): unknown {
  const list = [...values];
  const methods: readonly (readonly [string, unknown])[] = [
    ['get', (index: number) => list[index] ?? null],
    ['size', () => list.length],
    ['isEmpty', () => list.length === 0],
    ['contains', (value: unknown) => list.includes(value)],
  ];
  for (const [name, value] of methods) Object.defineProperty(list, name, { value });
  return list;
}
