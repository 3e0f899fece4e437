import type { Rejection } from '../../policies/policy.ts';
import { BodyAborted, BodyInPart, BodyTooLarge, type UpstreamFailure } from '../../http/exchange.ts';

function reject(key: string, words: { status: number; message: string; parent?: string }): Rejection {
  return { kind: 'reject', key, parent: undefined, parameters: {}, headers: [], ...words };
}

/** What the gateway itself answers; keys and words of the reference, ours where it has none. */
export const refusals = {
  noRoute: reject('NO_CONTEXT_PATH', { status: 404, message: 'No context-path matches the request URI.' }),
  notReady: reject('GATEWAY_NOT_READY', { status: 503, message: 'The gateway has no configuration yet.' }),
  notDeployed: reject('API_DEPLOYMENT_FAILED', {
    status: 503,
    message: 'The API could not be deployed on this gateway.',
  }),
  nullByte: reject('REQUEST_NULL_BYTE_REJECTED', { status: 400, message: 'Bad Request' }),
  invalidRequest: reject('GATEWAY_INVALID_REQUEST', { status: 400, message: 'Bad Request' }),
  preflight: (status: number, message: string) => reject('CORS_PREFLIGHT_FAILED', { status, message }),
  loop: reject('GATEWAY_LOOP_DETECTED', { status: 508, message: 'Loop Detected' }),
  noFlow: reject('NO_FLOW_FOUND', { status: 404, message: 'No flow matches the request.' }),
  /** The last call failed as well, or the circuit is open. */
  failoverExhausted: reject('GATEWAY_CLIENT_CONNECTION_ERROR', { status: 502, message: 'Bad Gateway' }),
  noEndpoint: reject('NO_ENDPOINT_FOUND', { status: 503, message: 'No endpoint available' }),
  policyFailed: reject('GATEWAY_POLICY_INTERNAL_ERROR', { status: 500, message: 'Internal Server Error' }),
  conditionFailed: (message: string) => reject('GATEWAY_POLICY_INTERNAL_ERROR', { status: 500, message }),
  bug: reject('GATEWAY_INTERNAL_ERROR', { status: 500, message: 'Internal Server Error' }),
  requestTimeout: reject('REQUEST_TIMEOUT', { status: 504, message: 'Request timeout' }),
  bodyTooLarge: reject('REQUEST_CONTENT_LIMIT_TOO_LARGE', {
    status: 413,
    message: 'The request body is too large.',
  }),
  responseTooLarge: reject('GATEWAY_INVALID_RESPONSE', { status: 502, message: 'Bad Gateway' }),
} as const;

/** The key whose templates answer for every failed connection that has none of its own. */
export const connectionErrorKey = 'GATEWAY_CLIENT_CONNECTION_ERROR';
const parent = connectionErrorKey;
const badGateway = (key: string): Rejection => reject(key, { status: 502, message: 'Bad Gateway', parent });
const timedOut = (key: string): Rejection => reject(key, { status: 504, message: 'Gateway Timeout', parent });

/** What the client is told when no answer came from the backend; `aborted` reaches nobody. */
export const upstreamRefusals: Readonly<Record<UpstreamFailure, Rejection>> = {
  connectRefused: badGateway('GATEWAY_CLIENT_CONNECTION_REFUSED'),
  connectTimeout: badGateway('GATEWAY_CLIENT_CONNECT_TIMEOUT'),
  dnsFailed: badGateway('GATEWAY_CLIENT_DNS_RESOLUTION_ERROR'),
  tlsFailed: badGateway('GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR'),
  unreachable: badGateway('GATEWAY_CLIENT_UNREACHABLE'),
  reset: badGateway('GATEWAY_CLIENT_CONNECTION_RESET'),
  closed: badGateway('GATEWAY_CLIENT_CONNECTION_CLOSED'),
  readTimeout: timedOut('GATEWAY_CLIENT_READ_TIMEOUT'),
  queueTimeout: timedOut('GATEWAY_CLIENT_CONNECT_TIMEOUT'),
  invalidResponse: reject('GATEWAY_INVALID_RESPONSE', { status: 502, message: 'Bad Gateway' }),
  queueFull: reject(parent, { status: 503, message: 'Service Unavailable' }),
  requestBodyFailed: reject('CLIENT_ABORTED_DURING_REQUEST_ERROR', { status: 400, message: 'Bad Request' }),
  aborted: reject('CLIENT_ABORTED_DURING_RESPONSE_ERROR', { status: 502, message: 'Bad Gateway' }),
};

/**
 * The key of what the engine refuses on its own, for records; the reference has none for overload, so that one is ours. `reason` is the
 * engine's word.
 */
export function engineRefusalKey(reason: string): string {
  switch (reason) {
    case 'overloaded':
    case 'too-many-connections':
      return 'GATEWAY_OVERLOADED';
    case 'body-too-large':
      return refusals.bodyTooLarge.key;
    case 'header-timeout':
    case 'body-too-slow':
    case 'stream-idle':
    case 'request-too-long':
      return refusals.requestTimeout.key;
    default:
      return refusals.invalidRequest.key;
  }
}

/** Whether a request holds what `nullByte` refuses. */
export function hasNullByte(path: string, query: string | undefined): boolean {
  return path.includes('%00') || query?.includes('%00') === true;
}

/** What the client is told of a body that a policy wanted whole and that did not come so; undefined when that is a bug. */
export function refusalOfUnread(
  error: unknown,
  wasSent: boolean,
): { readonly refusal: Rejection; readonly internal: string | undefined } | undefined {
  if (error instanceof BodyTooLarge)
    return { refusal: wasSent ? refusals.responseTooLarge : refusals.bodyTooLarge, internal: undefined };
  if (error instanceof BodyInPart)
    return { refusal: upstreamRefusals.invalidResponse, internal: error.message };
  // The backend's, since a client that breaks off its own has gone.
  if (error instanceof BodyAborted) return { refusal: upstreamRefusals.closed, internal: error.message };
  return undefined;
}
