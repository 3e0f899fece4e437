import type { BodyRule } from './body-rules.ts';

/** A body as far as it passed and was kept. */
export interface LoggedBody {
  readonly bytes: Uint8Array;
  /** How many passed. */
  readonly total: number;
  /** Which bound cut it; undefined when all of what passed is here. */
  readonly cutBy: 'body' | 'memory' | undefined;
}

/** Headers in order, as they stood at one time. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** One of the two sides of a call, or its answer; undefined where the API's definition leaves it out. */
export interface LoggedMessage {
  /** Of a request. */
  readonly method?: string | undefined;
  readonly uri?: string | undefined;
  /** Of an answer. */
  readonly status?: number | undefined;
  readonly headers: HeaderLines | undefined;
  readonly body: LoggedBody | undefined;
}

/** What steps of the API hide of one direction of a call. */
export interface MaskRules {
  readonly of: 'request' | 'response';
  /** What stands in place of a header's values, by its name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bodies: readonly BodyRule[];
}

/** What was said in a call, as it was said: it is masked where the line is written, and nowhere kept before. */
export interface LogFacts {
  readonly timestampMs: number;
  readonly requestId: string;
  readonly transactionId: string;
  readonly traceId: string | undefined;
  readonly errorKey: string | undefined;
  readonly errorMessage: string | undefined;
  readonly entrypointRequest: LoggedMessage | undefined;
  readonly entrypointResponse: LoggedMessage | undefined;
  readonly endpointRequest: LoggedMessage | undefined;
  readonly endpointResponse: LoggedMessage | undefined;
  /** All header lists of the call, also those that the line does not show: what was secret in them is masked wherever it is repeated. */
  readonly heads: readonly HeaderLines[];
  /** Headers of this API that carry keys, in lower case. */
  readonly secretHeaders: ReadonlySet<string>;
  readonly rules: readonly MaskRules[];
  /** The line is written, or never will be: gives the memory of the bodies back. */
  release(): void;
}
