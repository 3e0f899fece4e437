/** The objects that everything of the language inherits from; those without a name are reached through what has one. */
function builtInPrototypes(): readonly object[] {
  const constructors = [
    [Object, Function, Array, String, Number, Boolean, BigInt, Symbol, Date, RegExp, Promise],
    [Map, Set, WeakMap, WeakSet, WeakRef, FinalizationRegistry, ArrayBuffer, SharedArrayBuffer, DataView],
    [Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
    [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    [Float32Array, Float64Array, BigInt64Array, BigUint64Array, Iterator, Buffer],
  ];
  const nameless = [
    Uint8Array.prototype,
    [].values(),
    ''[Symbol.iterator](),
    new Map().values(),
    new Set().values(),
    'a'.matchAll(/a/g),
    async () => undefined,
    function* () {},
    async function* () {},
    // Each generator function has a prototype of its own, below the one that all share.
    function* () {}.prototype as object,
    async function* () {}.prototype as object,
  ];
  const prototypes = constructors.flat().map(({ prototype }) => prototype as object);
  return [...prototypes, ...nameless.flatMap(above)];
}

/** What an object inherits from, nearest first. */
function above(one: object): readonly object[] {
  const next = Object.getPrototypeOf(one) as object | null;
  return next === null ? [] : [next, ...above(next)];
}

/**
 * Closes the built-in prototypes of this process (or thread): from now on nobody can add to what every object inherits.
 *
 * The second wall against `__proto__` and its like; the first is that no object of ours is keyed by a foreign name. Not frozen: a
 * frozen `Object.prototype.toString` forbids every object, libraries' too, to have a `toString` by assignment.
 *
 * Errors: whoever adds to one afterwards gets a TypeError (sloppy code: nothing happens).
 */
export function closeBuiltIns(): void {
  for (const prototype of builtInPrototypes()) Object.preventExtensions(prototype);
}

/** Says whether {@link closeBuiltIns} has run here. */
export function areBuiltInsClosed(): boolean {
  return builtInPrototypes().every((prototype) => !Object.isExtensible(prototype));
}
