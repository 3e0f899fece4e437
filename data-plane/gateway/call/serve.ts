import { type Exchange, isGrpc } from '../../http/exchange.ts';
import type { Rejection } from '../../policies/policy.ts';
import { Call } from './call.ts';
import type { CallOptions } from './call-options.ts';
import { writePlainError } from '../errors/error-answer.ts';
import { grpcErrorOf } from '../errors/grpc.ts';
import { setIds, transactionIdOf } from './forwarded.ts';
import { refusals } from '../errors/refusals.ts';
import { start, ways as waysOfThisVersion, type Ways } from './ways.ts';
import type { Strays } from './strays.ts';

/** What serving needs of its surroundings. */
export interface ServeOptions extends CallOptions {
  /** False until a first configuration was applied: then unknown is not "no such path". */
  readonly hasConfiguration: () => boolean;
  readonly strays: Strays;
  /** Counts what had no API. */
  readonly onUnrouted: (() => void) | undefined;
  /** Default: the ways of this version. */
  readonly ways?: Ways | undefined;
}

/** Makes the function that an engine hands every request to. */
export function createServe(options: ServeOptions): (exchange: Exchange) => void {
  const { ways = waysOfThisVersion } = options;
  return (exchange) => {
    const { host, path } = exchange.request;
    const match = options.match(host, path);
    if (match !== undefined) {
      start(new Call(exchange, { deployed: match.target, contextPath: match.contextPath }, options), ways);
      return;
    }
    options.onUnrouted?.();
    answer(exchange, options.hasConfiguration() ? refusals.noRoute : refusals.notReady, options);
  };
}

function answer(exchange: Exchange, refusal: Rejection, options: ServeOptions): void {
  const { headers: asked, body } = exchange.request;
  // Outside of any API the reference answers in plain text whatever is accepted.
  const plain = writePlainError(refusal, refusal === refusals.noRoute ? undefined : asked.get('accept'));
  const error = isGrpc(exchange.request, asked) ? grpcErrorOf(plain, refusal.message) : plain;
  const headers = exchange.createHeaders();
  for (const [name, value] of error.headers) headers.set(name, value);
  const requestId = options.nextRequestId();
  const transactionId = transactionIdOf(asked, requestId);
  setIds(headers, transactionId, requestId);
  exchange.beforeEnd = options.strays.onUnrouted(exchange, {
    requestId,
    transactionId,
    errorKey: refusal.key,
  });
  if (refusal.status >= 500) headers.set('Connection', 'close');
  body.discard();
  options.onAnswer?.(error.status);
  exchange.respond({ status: error.status, headers }, error.body);
}
