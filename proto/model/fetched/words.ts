/** Words by their keys, in the order in which they came. */
export type Words = ReadonlyMap<string, string>;

/** How many words there may be, and how long. */
export interface WordBounds {
  readonly wordsMax: number;
  readonly keyCharsMax: number;
  readonly valueCharsMax: number;
}

/**
 * Reads `[{"key": "a", "value": 1}, ...]`. A value that is no text is kept as its JSON, one that is null or absent is none; of two with
 * one key the last counts. Returns what is wrong with anything else.
 */
export function readWords(answer: unknown, bounds: WordBounds): Words | string {
  if (!Array.isArray(answer))
    return 'the answer, transformed, must be a list of objects with key and value: [{"key": "a", "value": "b"}]';
  const words = new Map<string, string>();
  for (const [index, item] of (answer as readonly unknown[]).entries()) {
    if (typeof item !== 'object' || item === null || !('key' in item))
      return `item ${index} of the answer, transformed, has no key`;
    const { key } = item;
    if (typeof key !== 'string' && typeof key !== 'number')
      return `the key of item ${index} of the answer, transformed, is no text`;
    const value = 'value' in item ? item.value : undefined;
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (String(key).length === 0 || String(key).length > bounds.keyCharsMax)
      return `the key of item ${index} must have 1 to ${bounds.keyCharsMax} characters`;
    if (text.length > bounds.valueCharsMax)
      return `the value of item ${index} is longer than ${bounds.valueCharsMax} characters`;
    words.set(String(key), text);
    if (words.size > bounds.wordsMax) return `there are more than ${bounds.wordsMax} words`;
  }
  return words;
}

/** Words as JSON text: pairs, since their keys are foreign. */
export const textOfWords = (words: Words): string => JSON.stringify([...words]);

/** The words that {@link textOfWords} wrote. */
export const wordsOfText = (text: string): Words => new Map(JSON.parse(text) as [string, string][]);
