import type { EngineRefusal, Exchange, Outcome } from '../http/exchange.ts';
import type { AccessFacts } from '../report/facts.ts';
import { factsOf, type Recorder, type RecordTarget } from './records.ts';

/** As in the reference: requests of no API are counted for API and application 1. */
const strayPrefix = { api: '1', apiName: 'Unknown', application: '1' } as const;

/** Access records of requests that no API took. */
export interface Strays {
  /** A well-formed request whose path nobody serves. */
  onUnrouted(
    exchange: Exchange,
    ids: { readonly requestId: string; readonly transactionId: string; readonly errorKey: string },
  ): (outcome: Outcome) => Promise<void> | undefined;
  /** What the engine refused: malformed, too large, too slow, too many. */
  onRefusal(refusal: EngineRefusal): void;
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
  readonly clientOf: (exchange: Exchange) => string;
}): Strays {
  const { target, environments, nextRequestId, clientOf } = options;
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
      return (outcome) => {
        const call = {
          ...ids,
          exchange,
          request: { remoteAddress: clientOf(exchange) },
          keyHash8: undefined,
          receivedMethod: request.method,
          receivedPathInfo: request.path,
          mappedPath: undefined,
          endpointUrl: undefined,
          userAgent: request.headers.get('user-agent'),
          errorMessage: undefined,
          warnings: undefined,
        };
        return recorder()?.write(factsOf(call, outcome));
      };
    },
    onRefusal(refusal) {
      // Nobody waits for this record: the answer of a refusal left before it.
      void recorder()?.write(factsOfRefusal(refusal, nextRequestId()));
    },
  };
}

/** Of a request that could not be read nothing is known but who sent it and what is wrong with it. */
function factsOfRefusal(refusal: EngineRefusal, requestId: string): AccessFacts {
  return {
    timestampMs: refusal.startedAtMs,
    requestId,
    transactionId: requestId,
    keyHash8: undefined,
    method: '',
    host: '',
    uri: '',
    pathInfo: undefined,
    mappedPath: undefined,
    status: refusal.status,
    requestBytes: 0,
    responseBytes: 0,
    totalUs: 0,
    endpoint: undefined,
    endpointUs: 0,
    endpointConnectUs: 0,
    endpointTtfbUs: 0,
    remoteAddress: refusal.remoteAddress,
    localAddress: '',
    userAgent: undefined,
    errorKey: 'GATEWAY_INVALID_REQUEST',
    errorMessage: refusal.reason,
    warnings: undefined,
    outcome: 'refused',
  };
}
