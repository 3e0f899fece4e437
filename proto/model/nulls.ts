/** How deep a value may be nested, and what happens past that. */
interface DepthBound {
  readonly depthMax: number;
  /** Throws. */
  readonly refuse: () => never;
}

/**
 * A JSON value without its nulls: writers of the reference spell "absent" as null, so a key with null is an absent key, and a null in a list
 * is not there. Undefined for a null.
 */
export function withoutNulls(value: unknown, bound: DepthBound, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  if (depth > bound.depthMax) bound.refuse();
  if (Array.isArray(value))
    return value.filter((item) => item !== null).map((item) => withoutNulls(item, bound, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item, bound, depth + 1)]),
  );
}
