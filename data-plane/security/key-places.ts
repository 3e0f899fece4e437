import type { ExchangeRequest, HeaderList } from '../http/exchange.ts';

/** Where API keys are looked for; an empty name switches a place off. */
export interface KeyPlaces {
  /** Lower case. */
  readonly header: string;
  readonly parameter: string;
}

/** Several keys that differ: whoever reads the first and whoever reads the last would take the request for another caller's. */
export const keysDiffer = Symbol('keys that differ');

/** The key that a request presents, in however many places; '' for an empty one, undefined for none. */
export function presentedKey(
  { headers, query }: Pick<ExchangeRequest, 'headers' | 'query'>,
  places: KeyPlaces,
): string | typeof keysDiffer | undefined {
  const inHeader = places.header === '' ? undefined : theOne(headers.getAll(places.header));
  if (query === undefined || places.parameter === '' || !mayHold(query, places.parameter)) return inHeader;
  const inQuery = theOne(valuesOf(query, places.parameter));
  if (inHeader === undefined || inQuery === undefined) return inHeader ?? inQuery;
  return inHeader === inQuery ? inHeader : keysDiffer;
}

/** Takes the key out of headers and query. Returns the query without it. */
export function withoutKey(
  headers: HeaderList,
  query: string | undefined,
  places: KeyPlaces,
): string | undefined {
  if (places.header !== '') headers.delete(places.header);
  if (query === undefined || places.parameter === '' || !mayHold(query, places.parameter)) return query;
  const rest = query.split('&').filter((pair) => nameOf(pair) !== places.parameter);
  return rest.length === 0 ? undefined : rest.join('&');
}

function theOne([first, ...others]: readonly string[]): string | typeof keysDiffer | undefined {
  return others.every((other) => other === first) ? first : keysDiffer;
}

function valuesOf(query: string, name: string): readonly string[] {
  return query
    .split('&')
    .filter((pair) => nameOf(pair) === name)
    .map((pair) => decode(pair.slice(pair.indexOf('=') + 1 || pair.length)));
}

/** Its name may be escaped: `api%2Dkey`. */
function mayHold(query: string, name: string): boolean {
  return query.includes(name) || query.includes('%');
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return decode(equals === -1 ? pair : pair.slice(0, equals));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Not an escape after all; as it stands it is no key of ours.
    return text;
  }
}
