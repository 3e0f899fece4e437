import type { ExchangeRequest, HeaderList } from '../http/exchange.ts';

/** Where API keys are looked for; an empty name switches a place off. */
export interface KeyPlaces {
  /** Lower case. */
  readonly header: string;
  readonly parameter: string;
}

/** The key that a request presents, '' for an empty one, undefined for none. The header comes before the query. */
export function presentedKey(
  { headers, query }: Pick<ExchangeRequest, 'headers' | 'query'>,
  places: KeyPlaces,
) {
  const inHeader = places.header === '' ? undefined : headers.get(places.header);
  if (inHeader !== undefined) return inHeader;
  return places.parameter === '' || query === undefined ? undefined : parameterOf(query, places.parameter);
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

function parameterOf(query: string, name: string): string | undefined {
  if (!mayHold(query, name)) return undefined;
  for (const pair of query.split('&')) {
    if (nameOf(pair) === name) return decode(pair.slice(pair.indexOf('=') + 1 || pair.length));
  }
  return undefined;
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
