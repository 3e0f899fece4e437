import { hash } from 'node:crypto';

import type { PolicyCall, PolicyRequest } from '../policy.ts';

/** What a caller wants of the cache. */
export type Action = 'BY_PASS' | 'REFRESH' | undefined;

const headerName = 'x-gravitee-cache';
const parameterName = 'cache';

/**
 * Reads what a caller wants of the cache, and takes it out of the request whatever it says, since it is nothing for the backend. The header
 * goes before the parameter, as in the reference.
 */
export function takeAction(request: PolicyRequest): Action {
  const said = request.headers.get(headerName);
  if (said !== undefined) {
    request.headers.delete(headerName);
    return actionOf(said);
  }
  const { query } = request;
  if (query === undefined || !query.includes(parameterName)) return undefined;
  const parts = query.split('&');
  const kept = parts.filter((part) => nameOf(part) !== parameterName);
  const taken = parts.find((part) => nameOf(part) === parameterName);
  if (taken === undefined) return undefined;
  request.query = kept.length === 0 ? undefined : kept.join('&');
  return actionOf(taken.slice(parameterName.length + 1));
}

function actionOf(said: string): Action {
  const word = said.trim().toUpperCase();
  return word === 'BY_PASS' || word === 'REFRESH' ? word : undefined;
}

/** Who shares an answer. */
export type Scope = 'APPLICATION' | 'API';

/**
 * Headers, besides those of which every cache knows, by which a backend may take a request for another one or its caller for somebody: another
 * method, path, host or scheme, a key. Whoever sends one gets no answer that others get, and they get none of his.
 */
const choosing: ReadonlySet<string> = new Set(
  (
    'x-http-method x-http-method-override x-method-override x-original-url x-original-uri x-rewrite-url x-http-destinationurl ' +
    'x-host x-original-host x-http-host-override x-forwarded-host x-forwarded-proto x-forwarded-protocol x-forwarded-scheme x-forwarded-ssl ' +
    'x-forwarded-port x-forwarded-prefix x-forwarded-path x-forwarded-uri x-forwarded-server x-url-scheme front-end-https ' +
    'proxy-authorization x-api-key x-gravitee-api-key x-auth-token x-access-token'
  ).split(' '),
);

/** CGI reads `X_Name` as X-Name. */
function choosingIn(
  headers: PolicyRequest['headers'],
): readonly (readonly [name: string, values: readonly string[]])[] {
  const found = new Map<string, readonly string[]>();
  headers.forEachName((name) => {
    const first = name.charCodeAt(0) | 0x20;
    if (first !== 0x78 && first !== 0x66 && first !== 0x70) return;
    const lowerName = name.toLowerCase();
    if (!choosing.has(lowerName.replaceAll('_', '-'))) return;
    const values = headers.getAll(lowerName);
    // Names of hosts are the same in whatever case.
    found.set(lowerName, lowerName.endsWith('host') ? values.map((value) => value.toLowerCase()) : values);
  });
  return [...found].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/**
 * The key of what a request asks for: a digest of everything of it that the backend may see and that chooses the answer; of headers those
 * that choose whatever an answer says, while others are asked about where it names them.
 *
 * Each text is read as it goes to the backend and in no other way: two requests that a backend may tell apart never have one key.
 */
export function keyOf(
  call: PolicyCall,
  { scope, own }: { readonly scope: Scope; readonly own: string },
): string {
  const { request, attributes, subscription } = call;
  const { method, scheme, host, headers, contextPath, pathInfo, query } = request;
  const caller =
    scope === 'API'
      ? []
      : [attributes.get('plan'), attributes.get('application'), subscription?.id].map(textOf);
  return digestOf([
    caller,
    method === 'HEAD' ? 'GET' : method,
    scheme,
    (headers.get('host') ?? host).toLowerCase(),
    contextPath,
    pathInfo,
    query === undefined ? null : sorted(query),
    textOf(attributes.get('request.endpoint')),
    headers.getAll('authorization'),
    headers.getAll('cookie'),
    choosingIn(headers),
    own,
  ]);
}

/** The key of an answer that varies by headers: of what there is under a key, the one for these values. */
export function variantKeyOf(key: string, names: readonly string[], { headers }: PolicyRequest): string {
  return digestOf([key, names.map((name) => [name, headers.getAll(name)])]);
}

/** JSON keeps each text apart from the next, whatever is in it. */
function digestOf(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

/** By name; values of one name stay in their order, which may mean something. */
function sorted(query: string): string {
  if (!query.includes('&')) return query;
  return query
    .split('&')
    .map((part) => ({ name: nameOf(part), part }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ part }) => part)
    .join('&');
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return equals === -1 ? part : part.slice(0, equals);
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
