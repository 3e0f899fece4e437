/** How deep a value from outside may be nested. */
export const depthMax = 64;
/** Says of a value that it is nested deeper. */
export const tooDeepWords = `is nested deeper than ${depthMax} levels`;

/** What of a JSON value no database can keep, or is nested too deep. Walks without recursion: 1 MiB of brackets would overflow the stack of any schema. */
export function firstUnkeepable(
  root: unknown,
): { readonly path: string; readonly message: string } | undefined {
  const open: { readonly value: unknown; readonly path: string; readonly depth: number }[] = [
    { value: root, path: '', depth: 0 },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, path, depth } = at;
    if (typeof value === 'string' && !isKeepable(value))
      return { path, message: 'must not hold NUL or half a surrogate pair' };
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= depthMax) return { path: '', message: tooDeepWords };
    for (const [key, item] of Object.entries(value)) {
      const below = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
      // Copying an object by its keys would set the prototype instead of a field.
      if (key === '__proto__' || !isKeepable(key)) return { path: below, message: 'is not a possible name' };
      open.push({ value: item, path: below, depth: depth + 1 });
    }
  }
  return undefined;
}

function isKeepable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
