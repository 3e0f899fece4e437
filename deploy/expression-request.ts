import { z } from 'zod';

import { resolvedProperties } from '../data-plane/gateway/compile/surroundings.ts';
import type { ExpressionScope, ScopeHeaders } from '../proto/expression/scope.ts';

const lines = z
  .record(z.string(), z.union([z.string(), z.array(z.string())]))
  .default({})
  .transform((headers) =>
    Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((line): readonly [string, string] => [name, line]),
    ),
  );
const words = z.record(z.string(), z.coerce.string()).default({});
const body = z.string().optional();

/** An object of these keys and no others, which an unknown one is told. */
const form = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `is unknown; allowed: ${Object.keys(shape).join(', ')}` : undefined,
  });

/** A request as a file describes it, for `isthmus el`. */
export const requestSchema = form({
  request: form({
    method: z.string().default('GET'),
    path: z.string().startsWith('/').default('/'),
    contextPath: z.string().default('/'),
    query: z.string().optional(),
    host: z.string().default('localhost'),
    scheme: z.enum(['http', 'https']).default('http'),
    remoteAddress: z.string().default('127.0.0.1'),
    headers: lines,
    body,
  }).prefault({}),
  response: form({ status: z.int().default(200), headers: lines, body }).optional(),
  attributes: z.record(z.string(), z.unknown()).default({}),
  properties: words,
  dictionaries: z.record(z.string(), words).default({}),
  pathParams: words,
  subscription: form({
    id: z.string(),
    clientId: z.string().optional(),
    applicationName: z.string().optional(),
    metadata: words,
  }).optional(),
});

/** The same as expressions see it; secrets are not read. */
export function scopeOf(of: z.output<typeof requestSchema>): ExpressionScope {
  const { request, response, attributes, properties, dictionaries, pathParams, subscription } = of;
  const contextPath = request.contextPath.replace(/\/$/, '');
  const isBelow = request.path.startsWith(contextPath);
  return {
    request: {
      ...request,
      id: 'request',
      transactionId: 'request',
      contextPath,
      pathInfo: isBelow ? request.path.slice(contextPath.length) : request.path,
      query: request.query,
      headers: headersOf(request.headers),
      content: Buffer.from(request.body ?? ''),
    },
    response: response && {
      status: response.status,
      headers: headersOf(response.headers),
      content: Buffer.from(response.body ?? ''),
    },
    attributes: new Map(Object.entries(attributes)),
    startedAtMs: 0,
    connection: {
      httpVersion: '1.1',
      localAddress: '127.0.0.1',
      remotePort: 0,
      clientCertificate: undefined,
    },
    pathParams: new Map(Object.entries(pathParams).map(([name, value]) => [name, [value]])),
    subscription,
    surroundings: {
      api: {
        id: 'api',
        name: 'api',
        version: '1.0',
        properties: resolvedProperties(new Map(Object.entries(properties))),
      },
      endpoints: new Map(),
      dictionaries: new Map(
        Object.entries(dictionaries).map(([name, entries]) => [name, new Map(Object.entries(entries))]),
      ),
      node: { id: 'node', version: '0', tenant: undefined, zone: undefined, shardingTags: [] },
      secrets: { get: () => ({ why: 'a secret is read by a gateway alone' }) },
    },
  };
}

function headersOf(headers: readonly (readonly [name: string, value: string])[]): ScopeHeaders {
  const all = (lowerName: string): readonly string[] =>
    headers.filter(([name]) => name.toLowerCase() === lowerName).map(([, value]) => value);
  return {
    get: (name) => all(name)[0],
    getAll: all,
    forEach: (visit) => headers.forEach(([name]) => visit(name)),
  };
}
