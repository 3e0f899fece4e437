import type { Narrowing, TrafficSearch } from './search.ts';
import { toggled, valuesOf } from './search.ts';

/** What is typed above a list of calls: words of a path, and tokens such as `status:500`, `api:orders` or `plan:"Partner key"`. */

/** What a token can name; `path` and `id` stand beside what calls are narrowed by. */
export type TokenKey = Exclude<Narrowing, 'group'> | 'path' | 'id';

/** Each with what it looks like. */
export const tokenKeys: readonly (readonly [key: TokenKey, example: string])[] = [
  ['status', 'status:500 or status:5xx'],
  ['api', 'api:orders'],
  ['application', 'application:"Nightly export"'],
  ['plan', 'plan:"Partner key"'],
  ['method', 'method:POST'],
  ['error', 'error:API_KEY_INVALID'],
  ['gateway', 'gateway:ham-01'],
  ['path', 'path:/orders/7'],
  ['id', 'id of a request or transaction'],
];
const shortened: ReadonlyMap<string, TokenKey> = new Map([
  ['app', 'application'],
  ['uri', 'path'],
]);

const keyOf = (word: string): TokenKey | undefined =>
  shortened.get(word.toLowerCase()) ?? tokenKeys.find(([key]) => key === word.toLowerCase())?.[0];

/** A token that stands complete. */
export interface Token {
  readonly key: TokenKey;
  readonly value: string;
}

/** What a text says: its tokens, and what is left of it. */
export interface Typed {
  readonly tokens: readonly Token[];
  readonly rest: string;
}

/** A word and its value, quoted where it holds spaces; nothing stands before it but a space. */
const tokenPattern = /(?<=^|\s)([A-Za-z]+):(?:"([^"]*)"?|(\S*))/g;

/** Reads a text; what names none of {@link tokenKeys} is a part of a path like any other word. */
export function typedIn(text: string): Typed {
  const tokens: Token[] = [];
  let rest = text;
  for (const [whole, word = '', inQuotes, plain = ''] of text.matchAll(tokenPattern)) {
    const key = keyOf(word);
    if (key === undefined) continue;
    const value = (inQuotes ?? plain).trim();
    if (value !== '') tokens.push({ key, value });
    rest = rest.replace(whole, '');
  }
  return { tokens, rest: rest.replace(/\s+/g, ' ').trim() };
}

/** The word that is being typed at the end of a text: the beginning of a key, or a value behind one. */
export type Typing =
  | { readonly kind: 'key'; readonly start: string; readonly before: string }
  | { readonly kind: 'value'; readonly key: TokenKey; readonly start: string; readonly before: string };

export function typingIn(text: string): Typing | undefined {
  const value = /^(.*?)([A-Za-z]+):(?:"([^"]*)|([^"\s]*))$/s.exec(text);
  const key = value === null ? undefined : keyOf(value[2] ?? '');
  const before = value?.[1] ?? '';
  if (value !== null && key !== undefined && /(^|\s)$/.test(before))
    return { kind: 'value', key, start: value[3] ?? value[4] ?? '', before };
  const word = /^(.*\s|)([A-Za-z]*)$/s.exec(text);
  return word === null ? undefined : { kind: 'key', start: word[2] ?? '', before: word[1] ?? '' };
}

/** What can be called by a name, with the id that searches name it by. */
export interface Value {
  readonly id: string;
  readonly name: string;
}

/** The value that a text means among some: the one of this id or name, else the only one that holds it; undefined for none or several. */
export function meant(values: readonly Value[], text: string): Value | undefined {
  const wanted = text.toLowerCase();
  const same = values.find(({ id, name }) => id.toLowerCase() === wanted || name.toLowerCase() === wanted);
  if (same !== undefined) return same;
  const holding = values.filter(({ name }) => name.toLowerCase().includes(wanted));
  return holding.length === 1 ? holding[0] : undefined;
}

/** The search with a token more, whose value is an id where it is called by a name; from its first page. */
export function withToken(search: TrafficSearch, { key, value }: Token): TrafficSearch {
  const { page: _page, ...rest } = search;
  switch (key) {
    case 'path':
      return { ...rest, q: value };
    case 'id':
      return { ...rest, id: value };
    case 'status':
      return added(rest, /^[1-5]xx$/i.test(value) ? 'group' : 'status', value.toLowerCase());
    case 'method':
      return added(rest, 'method', value.toUpperCase());
    default:
      return added(rest, key, value);
  }
}

const added = (search: TrafficSearch, name: Narrowing, value: string): TrafficSearch =>
  valuesOf(search, name).includes(value) ? search : toggled(search, name, value);

/** A value as a token holds it. */
export const quoted = (value: string): string => (/\s/.test(value) ? `"${value}"` : value);
