import type { EndListener, EngineRefusal, Exchange, ExchangeRequest } from '../../http/exchange.ts';
import type { AccessFacts } from '../../report/facts.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import { transactionIdOf } from './forwarded.ts';
import type { Match } from '../deploy/match.ts';
import { engineRefusalKey } from '../errors/refusals.ts';
import { factsOf, type Recorder, type RecordTarget } from './records.ts';

/** As in the reference: requests of no API are counted for API and application 1. */
const strayPrefix = { api: '1', apiName: 'Unknown', application: '1' } as const;

/**
 * Refused before anything was asked or could be read: counted in the metrics, but no request and no answer for a record. Whoever looks
 * whether the port is open (a load balancer's check, a scan) would count as a caller.
 */
const withoutRequest: ReadonlySet<string> = new Set([
  'tls-handshake',
  'plain-http',
  'client-certificate',
  'too-many-connections',
  'http2-error',
  'http2-flood',
]);

/** Access records of requests that no API took. */
export interface Strays {
  /** A well-formed request whose path nobody serves. */
  onUnrouted(
    exchange: Exchange,
    ids: { readonly requestId: string; readonly transactionId: string; readonly errorKey: string },
  ): EndListener;
  /** What the engine refused: malformed, too large, too slow, too many. Of an API where it is known which. */
  onRefusal(refusal: EngineRefusal): Promise<void> | undefined;
}

/**
 * Makes the recorder of strays.
 *
 * A record has a tenant and a stray has none. A gateway of one environment writes them there; one of several does not, since
 * each tenant would read of the others' callers: there they are counted in the metrics alone.
 */
export function createStrays(options: {
  readonly target: RecordTarget | undefined;
  readonly environments: () => readonly { readonly organization: string; readonly environment: string }[];
  readonly nextRequestId: () => string;
  readonly clientOf: (request: Pick<ExchangeRequest, 'headers' | 'remoteAddress'>) => string;
  /** Finds the API of a request that the engine refused although its head was in order. Default: there is none. */
  readonly match?: ((host: string, path: string) => Match<DeployedApi> | undefined) | undefined;
}): Strays {
  const { target, environments, nextRequestId, clientOf, match } = options;
  const recorders = new Map<string, Recorder>();
  const recorder = (): Recorder | undefined => {
    const [only, ...others] = environments();
    if (target === undefined || only === undefined || others.length > 0) return undefined;
    const known = recorders.get(only.environment) ?? target.recorder({ ...only, ...strayPrefix });
    recorders.set(only.environment, known);
    return known;
  };
  return {
    onUnrouted(exchange, ids) {
      const { request } = exchange;
      return {
        onEnd(outcome) {
          const call = {
            ...ids,
            exchange,
            request: { remoteAddress: clientOf(request) },
            keyHash8: undefined,
            receivedMethod: request.method,
            receivedPathInfo: request.path,
            mappedPath: undefined,
            endpointUrl: undefined,
            userAgent: request.headers.get('user-agent'),
            errorMessage: undefined,
            warnings: undefined,
            customMetrics: undefined,
          };
          return recorder()?.write(factsOf(call, outcome));
        },
      };
    },
    onRefusal(refusal) {
      if (refusal.hasExchange === true || withoutRequest.has(refusal.reason)) return undefined;
      const { head, path = '' } = refusal.request ?? {};
      const found = head === undefined ? undefined : match?.(head.host, path);
      if (found?.target.compiled?.isRecorded === false) return undefined;
      const facts = factsOfRefusal(refusal, found, {
        requestId: nextRequestId(),
        client:
          head === undefined
            ? refusal.remoteAddress
            : clientOf({ headers: head.headers, remoteAddress: refusal.remoteAddress }),
      });
      return (found?.target.recorders?.of(undefined, undefined) ?? recorder())?.write(facts);
    },
  };
}

/** What is known of a request that the engine refused: of one that could not be read its first line at most. */
function factsOfRefusal(
  { request, ...refusal }: EngineRefusal,
  found: Match<DeployedApi> | undefined,
  { requestId, client }: { readonly requestId: string; readonly client: string },
): AccessFacts {
  const { path = '', query, head } = request ?? {};
  const pathInfo = request === undefined ? undefined : path.slice(found?.contextPath.length ?? 0);
  return {
    timestampMs: refusal.startedAtMs,
    requestId,
    transactionId: head === undefined ? requestId : transactionIdOf(head.headers, requestId),
    keyHash8: undefined,
    method: request?.method ?? '',
    host: head?.authority ?? '',
    uri: query === undefined ? path : `${path}?${query}`,
    pathInfo,
    mappedPath: pathInfo === undefined ? undefined : found?.target.compiled?.mapPath?.(pathInfo),
    status: refusal.status,
    requestBytes: 0,
    responseBytes: 0,
    totalUs: 0,
    endpoint: undefined,
    endpointUs: 0,
    endpointConnectUs: 0,
    endpointTtfbUs: 0,
    remoteAddress: client,
    localAddress: '',
    userAgent: head?.headers.get('user-agent'),
    errorKey: engineRefusalKey(refusal.reason),
    errorMessage: refusal.reason,
    warnings: undefined,
    customMetrics: undefined,
    steps: undefined,
    outcome: 'refused',
  };
}
