import type { JsonObject } from '../../../kit/schema-form/shape.ts';

/** How many lines without a key are named; the first are enough to mend. */
const strangeMax = 5;

/** What lines of `key=value` say, the last of a key; `strange` are the numbers of lines that say nothing. */
export function importedLines(text: string): {
  readonly found: ReadonlyMap<string, string>;
  readonly strange: readonly number[];
} {
  const found = new Map<string, string>();
  const strange: number[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const cut = trimmed.indexOf('=');
    const key = trimmed.slice(0, cut).trim();
    if (cut > 0 && key !== '') found.set(key, trimmed.slice(cut + 1).trim());
    else if (strange.length < strangeMax) strange.push(at + 1);
  }
  return { found, strange };
}

/** The properties with those that were imported: of a key that was there the value is another, what is new stands first. */
export function withImported(
  properties: readonly JsonObject[],
  found: ReadonlyMap<string, string>,
  isSecret: boolean,
): readonly JsonObject[] {
  const known = new Set<unknown>();
  const kept = properties.map((property) => {
    const { key } = property;
    const value = typeof key === 'string' && property['dynamic'] !== true ? found.get(key) : undefined;
    if (value === undefined) return property;
    known.add(key);
    return { ...property, value, ...(isSecret && { encrypted: true }) };
  });
  const added = [...found]
    .filter(([key]) => !known.has(key))
    .map(([key, value]) => ({ key, value, ...(isSecret && { encrypted: true }) }));
  return [...added, ...kept];
}
