import type { ConditionScope } from '../../../proto/expression/condition.ts';
import type { Endpoint } from '../../endpoints/group.ts';
import type { Body, HeaderList, UpstreamResult } from '../../http/exchange.ts';
import type { CallLog } from '../logs/call-log.ts';
import type { Sendable } from '../steps/around.ts';

/** The Host that a step has set; undefined when it is as it came. Asked before the first send, since each send sets one. */
export function hostOfSteps({ exchange, request }: Sendable): string | undefined {
  const host = request.headers.get('host');
  return host === undefined || host === '' || host === exchange.request.authority ? undefined : host;
}

/** What a request tells of its way. */
export interface Trail {
  /** `Via` as it came; undefined when it came without. */
  readonly received: string | undefined;
  /** This gateway's member of it. */
  readonly own: string;
}

/** Whom a request goes to, and with what. */
export interface SendingTo {
  readonly endpoint: Endpoint;
  readonly host: string | undefined;
  readonly trail: Trail;
  readonly scope: ConditionScope;
  /** Takes down what is said. */
  readonly log: CallLog | undefined;
}

/**
 * Sends a request to an endpoint, as its steps left it.
 *
 * Host is what the endpoint's headers say, else what a step has set, else the client's or the target's; the target is dialled whatever
 * it is. Source: the reference.
 */
export function sendTo(
  { endpoint, host, trail, scope, log }: SendingTo,
  { exchange, request, body }: Sendable,
  receive: (result: UpstreamResult) => void,
): void {
  const { headers } = request;
  headers.set(
    'Host',
    host ?? (endpoint.propagatesHost ? exchange.request.authority : endpoint.target.authority),
  );
  if (!endpoint.propagatesEncodings) headers.delete('accept-encoding');
  setHeaders(headers, endpoint, scope);
  extendVia(headers, trail);
  const { isUpgrade } = exchange.request;
  const { method } = request;
  const target = lineOf(endpoint, request);
  const content = isUpgrade ? undefined : contentOr(body, request.content);
  if (log === undefined)
    return endpoint.upstream.send({ method, target, headers, body: content, exchange, isUpgrade }, receive);
  const sent = log.sends({ method, uri: endpoint.target.urlOf(target), headers }, content);
  endpoint.upstream.send({ method, target, headers, body: sent, exchange, isUpgrade }, (result) =>
    receive(log.hears(result)),
  );
}

/** Path and query, as an endpoint is asked for them. */
export function lineOf(
  { target, path, query }: Endpoint,
  request: { readonly pathInfo: string; readonly query: string | undefined },
): string {
  return target.line(
    path ?? request.pathInfo,
    query === undefined ? request.query : [query, request.query ?? []].flat().join('&'),
  );
}

/** One that fails or comes to nothing is left as it is. */
function setHeaders(headers: HeaderList, endpoint: Endpoint, scope: ConditionScope): void {
  for (const { name, value } of endpoint.headers) {
    const rendered = value.render(scope);
    if (rendered.kind === 'value') headers.set(name, rendered.value);
    else if (rendered.kind === 'failed')
      scope.warn('EXPRESSION_EVALUATION_ERROR', `${endpoint.name}: ${name}: ${rendered.why}`);
  }
}

/** A gateway has to say that it was here (RFC 9110 section 7.6.3). What others said stays, though a policy or an endpoint's header took it out. */
function extendVia(headers: HeaderList, { received, own }: Trail): void {
  if (received !== undefined) {
    const now = headers.getAll('via').join(', ');
    if (!now.includes(received)) headers.set('Via', now === '' ? received : `${received}, ${now}`);
  }
  headers.append('Via', own);
}

/** Who had no body has none because somebody looked. */
function contentOr(body: Body, content: Uint8Array | undefined): Body | Uint8Array {
  return content === undefined || (content.length === 0 && body.isEmpty) ? body : content;
}
