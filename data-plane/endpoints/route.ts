import { LRUCache } from 'lru-cache';

import { targetSchema } from '../../proto/model/api.ts';
import { type CalledUrl, calledUrlOf } from './called-url.ts';

/** Where a step routes a request. */
export type Route =
  | { readonly kind: 'url'; readonly url: CalledUrl }
  /** An endpoint or a group of them; `path` stands in place of the request's. */
  | {
      readonly kind: 'named';
      readonly name: string;
      readonly path: string;
      readonly query: string | undefined;
    };

/** What cannot stand in a path or a query (RFC 3986 section 3.3) is escaped: no text ends the request's line. */
const unsafe = /[^\w!$%&'()*+,\-./:;=?@[\]~]/gu;

/** Texts that were read last: most requests of an API are routed to the same few. Longer ones are read each time. */
const readMax = 256;
const readCharsMax = 1_024;
const known = new LRUCache<string, { readonly route: Route | undefined }>({ max: readMax });

/** Reads `https://host/path`, `name:` or `name:/path`; undefined for what is neither. */
export function readRoute(text: string): Route | undefined {
  if (text.length > readCharsMax) return read(text);
  const found = known.get(text);
  if (found !== undefined) return found.route;
  const route = read(text);
  known.set(text, { route });
  return route;
}

function read(text: string): Route | undefined {
  if (targetSchema.safeParse(text).success) return { kind: 'url', url: calledUrlOf(text) };
  const [, name, path = ''] = /^(?!(?:https?|grpcs?):\/\/)([^:]+):(.*)$/is.exec(text) ?? [];
  if (name === undefined) return undefined;
  const safe = path.toWellFormed().replaceAll(unsafe, encodeURIComponent);
  const mark = safe.indexOf('?');
  const before = mark === -1 ? safe : safe.slice(0, mark);
  return {
    kind: 'named',
    name,
    path: before === '' || before.startsWith('/') ? before : `/${before}`,
    query: mark === -1 ? undefined : safe.slice(mark + 1),
  };
}
