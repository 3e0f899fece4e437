import type { PolicyConfig, PolicyId } from '../../proto/policies/catalog.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { HeaderList } from '../http/exchange.ts';
import type { Counters } from '../limits/limiter.ts';

/**
 * The contract of a policy.
 *
 * A policy is a factory: configuration in (already parsed by its schema), hooks out. The factory runs once per step
 * when a definition is compiled, the hooks once per request. Hooks answer with a verdict, synchronously where they
 * can: the pipeline stays synchronous until one returns a promise. They do not throw for expected refusals; a throw
 * is a bug and becomes 500 GATEWAY_POLICY_INTERNAL_ERROR.
 *
 * A new policy is: its schema in proto/policies, its file and test here, and a line in catalog.ts and in index.ts.
 */
export interface Policy {
  readonly onRequest?: (context: PolicyContext) => Verdict | Promise<Verdict>;
  readonly onResponse?: (context: PolicyContext) => Verdict | Promise<Verdict>;
}

/** Builds a policy from its configuration; throws a Fault when the configuration cannot work on this gateway. */
export type PolicyFactory<Id extends PolicyId> = (
  config: PolicyConfig<Id>,
  host: PolicyHost,
  place: PolicyPlace,
) => Policy;

/** What a hook says: go on, stop with an error key, or answer in place of the backend. */
export type Verdict =
  | undefined
  | Rejection
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string | Uint8Array;
    };

/** A refusal. The key is the code: declared in the policy's schema with its status, found by response templates. */
export interface Rejection {
  readonly kind: 'reject';
  readonly key: string;
  readonly status: number;
  readonly message: string;
  /** For response templates: `#parameters['limit']`. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Go on. */
export const CONTINUE: undefined = undefined;

/** Refuses the request; see {@link Rejection}. */
export function reject(
  key: string,
  refusal: {
    status: number;
    message: string;
    parameters?: Rejection['parameters'];
    headers?: Rejection['headers'];
  },
): Rejection {
  return {
    kind: 'reject',
    key,
    status: refusal.status,
    message: refusal.message,
    parameters: refusal.parameters ?? {},
    headers: refusal.headers ?? [],
  };
}

/** What a hook sees of the request in hand. */
export interface PolicyContext {
  readonly request: PolicyRequest;
  /** Undefined in the request phase. */
  readonly response: PolicyResponse | undefined;
  /** The reference's context attributes: api, plan, application, user-id, context-path, resolved-path ... and custom ones. */
  readonly attributes: Map<string, unknown>;
  /** Wall clock at the request's head, ms since the epoch. */
  readonly startedAtMs: number;
  /** Adds an execution warning to the access record, e.g. RATE_LIMIT_NOT_APPLIED. */
  warn(key: string, message: string): void;
  /** Sets a header on whatever is answered, a refusal included; for policies that act before there is an answer. */
  setAnswerHeader(name: string, value: string): void;
}

/** The request as a policy may read and change it; changes go to the backend. */
export interface PolicyRequest {
  method: string;
  /** Whole path as routed on, context path included. */
  readonly path: string;
  /** Path below the context path; starts with `/` or is empty. */
  pathInfo: string;
  /** Raw, without `?`. */
  query: string | undefined;
  readonly headers: HeaderList;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly remoteAddress: string;
  readonly contextPath: string;
  /** Whole body when a policy of this phase declares needsBody 'buffered', else undefined. Assign to replace it. */
  content: Uint8Array | undefined;
}

/** The answer as a policy may read and change it. */
export interface PolicyResponse {
  status: number;
  reason: string | undefined;
  readonly headers: HeaderList;
  /** As PolicyRequest.content. */
  content: Uint8Array | undefined;
}

/** Everything with I/O that a policy may use; so its tests need no network. */
export interface PolicyHost {
  readonly clock: Clock;
  /** Counters for rate, quota and spike arrest: memory, or Redis. */
  readonly counters: Counters;
}

/** Where a step stands; part of counter keys, messages and metrics. */
export interface PolicyPlace {
  readonly api: string;
  /** Undefined for a flow of the API itself. */
  readonly plan: string | undefined;
  /** The flow's path as written in its selector. */
  readonly flowPath: string;
  readonly phase: 'request' | 'response';
  /** Path in the definition for messages, e.g. flows[0].request[1]. */
  readonly at: string;
}
