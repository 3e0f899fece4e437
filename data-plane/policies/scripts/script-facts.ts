import type { HeaderList } from '../../http/exchange.ts';
import type { ScriptFacts } from '../../script/facts.ts';
import type { PolicyCall } from '../policy.ts';
import type { ScriptPart, ScriptStep } from './script-step.ts';

const versions = { '1.0': 'HTTP_1_0', '1.1': 'HTTP_1_1', '2': 'HTTP_2' } as const;

/** What a script is told of a request: what it does not name costs nothing. */
export function factsOf(call: PolicyCall, part: ScriptPart, { host, phase }: ScriptStep): ScriptFacts {
  const { request, response } = call;
  const { script } = part;
  const content = part.readsContent ? (phase === 'request' ? request : response)?.content : undefined;
  const bytes =
    content === undefined ? undefined : Buffer.from(content.buffer, content.byteOffset, content.length);
  return {
    phase,
    request: {
      id: request.id,
      transactionId: request.transactionId,
      clientIdentifier: textOf(call.attributes.get('user-id')),
      uri: request.query === undefined ? request.path : `${request.path}?${request.query}`,
      host: request.host,
      contextPath: request.contextPath,
      pathInfo: request.pathInfo,
      path: request.path,
      method: request.method,
      scheme: request.scheme,
      version: versions[call.connection.httpVersion],
      timestamp: call.startedAtMs,
      remoteAddress: request.remoteAddress,
      localAddress: call.connection.localAddress,
      query: request.query ?? '',
      headers: linesOf(request.headers),
      pathParameters: script.names('pathParameter') ? [...call.pathParams] : [],
    },
    response:
      response === undefined
        ? null
        : { status: response.status, reason: response.reason ?? null, headers: linesOf(response.headers) },
    attributes: script.names('context')
      ? [...call.attributes].flatMap(([name, value]) =>
          value === undefined ? [] : [[name, plain(value)] as const],
        )
      : [],
    properties: script.names('properties') ? [...host.properties] : [],
    dictionaries: script.names('dictionaries')
      ? [...call.surroundings.dictionaries]
          .filter(([name]) => script.names(name))
          .map(([name, entries]) => [name, [...entries]] as const)
      : [],
    content: bytes === undefined ? null : bytes.toString(),
    contentAsBase64: bytes !== undefined && script.names('contentAsBase64') ? bytes.toString('base64') : null,
    overrides: part.overrides,
  };
}

function linesOf(headers: HeaderList): (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  headers.forEach((name, value) => void lines.push([name, value]));
  return lines;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An attribute as JSON has it: maps are objects. */
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, each]) => [String(name), plain(each)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'bigint' ? Number(value) : value;
}
