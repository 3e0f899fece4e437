import type { ExchangeRequest } from './exchange.ts';

/** What is known of a request that was refused before there was an exchange. */
export interface RefusedRequest {
  readonly method: string;
  /** As it would be routed when the head could be read, else as received. */
  readonly path: string;
  readonly query: string | undefined;
  /** Of a head that could be read; undefined when more than its first line is not known for sure. */
  readonly head: Pick<ExchangeRequest, 'authority' | 'host' | 'headers'> | undefined;
}

/** A request that the engine refused on its own: malformed, too large, too slow. */
export interface EngineRefusal {
  readonly status: number;
  /** Why, in the words of the engine's table, e.g. `content-length-and-transfer-encoding`. */
  readonly reason: string;
  readonly remoteAddress: string;
  readonly startedAtMs: number;
  /** Undefined when not even a request line could be read. */
  readonly request?: RefusedRequest | undefined;
  /** There was an exchange, and its `beforeEnd` is told with this reason: it is not to be recorded twice. */
  readonly hasExchange?: boolean | undefined;
}
