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
 * The key of what a request asks for: a digest of everything of it that the backend may see and that chooses the answer, but for headers,
 * which are asked about where an answer names them.
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
