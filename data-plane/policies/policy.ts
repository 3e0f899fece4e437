import type { KeyObject } from 'node:crypto';

import type { ExpressionScope, ScopeAttributes, ScopeConnection } from '../../proto/expression/scope.ts';
import type { JudgePieces } from '../../proto/expression/template.ts';
import type { ChosenHost } from '../../proto/model/api.ts';
import type { catalog, PolicyConfig, PolicyId } from '../../proto/policies/catalog.ts';
import type { ErrorKey } from '../../proto/policies/policy-schema.ts';
import type { ResourceUse } from '../../proto/resources/resource-schema.ts';
import type { Outbound } from '../../proto/process/outbound/outbound.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type {
  ClientCertificate,
  HeaderList,
  Outcome,
  TransformMaker,
  UpstreamResult,
} from '../http/exchange.ts';
import type { Counters } from '../limits/limiter.ts';
import type { Scripts } from '../script/script.ts';
import type { Served } from './served.ts';
import type { Refuse } from './refuse.ts';

/**
 * The contract of a policy.
 *
 * A policy is a factory: configuration in (already parsed by its schema), hooks out. The factory runs once per step when a definition
 * is compiled, also by a process that only judges it: it is pure, and opens nothing that has to be closed. `start` runs where requests
 * run, before the first of them, and `release` when the revision is replaced: once each. The other hooks run per request and answer with
 * a verdict, synchronously where they can: the pipeline stays synchronous until one returns a promise. They do not throw for expected
 * refusals; a throw is a bug and becomes 500 GATEWAY_POLICY_INTERNAL_ERROR.
 *
 * All hooks of a step run, wherever it stands, so a factory that works in both phases looks at `place.phase`:
 *
 *   request   in the order of the steps
 *   around    when the backend is called: what comes later in the flows is further outside. Not run when a step answers instead
 *   response  of a step in the response phase in its order; of a step in the request phase after those of its flow, the last first
 *   end       when the exchange is over, aborted ones too: once for each step that was reached, the last first
 */
export interface Hooks<Slot> {
  readonly request?: Hook<PolicyCall, Slot> | undefined;
  readonly response?: Hook<AnsweredCall, Slot> | undefined;
  readonly around?: Around<Slot> | undefined;
  /** What is hidden in the logs of calls for which the step stands; nothing runs for it. */
  readonly masks?: LogMasks | undefined;
  /** For APIs of messages, which this version does not run: a policy that has it is refused in a PROXY API. */
  readonly message?: MessageHook | undefined;
  /**
   * Gives back what the request held. Runs after the other hooks of its step, one that came too late for the answer included, so that
   * nothing is taken that nobody gives back. The answer waits for nobody here.
   */
  end?(call: PolicyCall, outcome: Outcome, slot: Slot): void;
  /** Opens what the step needs: timers, sockets. A throw refuses the revision, and what started before is released. */
  start?(): void;
  /** Closes what `start` opened. Requests that began before go on, and their hooks with them. */
  release?(): void;
}

/**
 * What a hook needs of the body of its phase: nothing (`head`), the whole of it in `content` (`buffered`), or to transform it while it
 * passes (`stream`). The configuration may decide.
 */
export type Hook<Call extends PolicyCall, Slot> = ContentHook<Call, Slot> | StreamHook<Call, Slot>;

/** What is hidden in the log of a call, in one direction on both sides of the gateway. */
export interface LogMasks {
  readonly of: PolicyPlace['phase'];
  /** What stands in place of a header's values, by its name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bodies: readonly {
    /** Of JSON, or of XML where it begins with a slash; undefined for the whole text. */
    readonly path: string | undefined;
    readonly regex: string | undefined;
    readonly named: 'CREDIT_CARD' | 'EMAIL' | 'IP' | 'URI' | undefined;
    readonly replacer: string;
  }[];
}

/** What a hook may need that does not transform the body on its way. */
export type Needs = 'head' | 'buffered';

/** What a step does in one phase. A body is read at the first step that needs it: whoever stands before may refuse without it. */
export interface ContentHook<Call extends PolicyCall, Slot> {
  readonly needs: Needs;
  /**
   * Asked before a body is read that it needs: where it says no, the step is passed by, and the body goes on as it comes; where it says `unread`,
   * the step runs without it; a refusal refuses it unread. Default: yes.
   */
  concerns?(call: Call): boolean | 'unread' | Rejection;
  run(call: Call, slot: Slot): Verdict | Promise<Verdict>;
}

/** What a step does in one phase with a body that it does not wait for. */
export interface StreamHook<Call extends PolicyCall, Slot> {
  readonly needs: 'stream';
  /** Runs before a byte of the body has passed; what it says of the headers (Content-Encoding, ETag) is true of what comes out. */
  run(call: Call, slot: Slot, passing: PassingBody): Verdict | Promise<Verdict>;
}

/** The body of a phase, which passes the steps in their order while it goes on. */
export interface PassingBody {
  /** Bytes when they are known, as it comes to this step. */
  readonly length: number | undefined;
  /** There is none, known beforehand. */
  readonly isEmpty: boolean;
  /**
   * Lets it pass through a transform. That is made when the body begins to flow: never where none is sent (HEAD, 204, 304, a refusal) and
   * none where it is empty. A step behind that needs the body buffered gets what came out. What the transform throws, or says by
   * `to.onBroken`, is a bug of its step and breaks the message: 500 before an answer's head has left, then a reset.
   *
   * length: bytes that come out, when they are known; a byte more or less is a bug too. Default: unknown, which is sent chunked.
   */
  through(make: TransformMaker, length?: number): void;
  /**
   * Lets it pass unchanged under the eyes of a check, which sees every byte before it goes on; the hook returns what comes of it. What fits
   * in 64 KiB is held back until it is whole and checked, so that nothing of what is refused goes on. Of a longer one what was checked goes on
   * while it comes; what is refused then breaks off: the client has the refusal (a reset where an answer has begun), the backend no whole
   * request. A body that is empty is not checked. What a check throws is a bug of its step.
   */
  check(check: BodyCheck): Verdict | Promise<Verdict>;
}

/** Looks at a body piece by piece and says at which byte it is not to go on. */
export interface BodyCheck {
  /** Looks at bytes[start..end), which are valid during the call. */
  onPiece(bytes: Buffer, start: number, end: number): Rejection | undefined;
  /** All of it was seen; asked before its last byte goes on, or before its end where its length was not said. */
  onEnd?(): Rejection | undefined;
}

/** What a step does around the call of the backend. */
export interface Around<Slot> {
  /** Of the request's body; who may call `next` more than once needs it buffered. */
  readonly needs: Needs;
  /**
   * Asks the backend by `next`, any number of times, one after another, and says what goes on to the client: of an answer its body, or
   * what comes of that through `transformBody`. An answer that is not returned is let go. When the request is over, `next` answers with the failure `aborted`.
   */
  run(call: PolicyCall, next: () => Promise<BackendAnswer>, slot: Slot): Promise<BackendAnswer>;
}

/** Place of the hook that messages will have. */
export interface MessageHook {
  readonly needs: Needs;
}

/** What came of calling the backend: its answer, an upgrade, a failure, or what a step says instead. */
export type BackendAnswer = UpstreamResult | Rejection | Answer;

/** A policy as the pipeline holds it. */
export type Policy = Hooks<unknown> & {
  /** Makes what the step remembers of a request, when it is reached; each of its hooks gets it. Costs nothing where it is absent. */
  readonly slot?: (() => unknown) | undefined;
};

/** A policy as it is written: with a slot there is a maker, without there is none. */
export type PolicyOf<Slot> = Hooks<Slot> &
  ([Slot] extends [undefined] ? { readonly slot?: undefined } : { readonly slot: () => Slot });

/** Builds a policy from its configuration; throws a Fault when the configuration cannot work on this gateway. */
export type PolicyFactory<Id extends PolicyId, Slot = undefined> = (
  config: PolicyConfig<Id>,
  tools: PolicyTools<Id>,
) => PolicyOf<Slot>;

/** What a factory is given. */
export interface PolicyTools<Id extends PolicyId> {
  /** Makes the refusals that the schema declares, and no others. */
  readonly refuse: Refuse<ErrorKey<(typeof catalog)[Id]>>;
  readonly host: PolicyHost;
  readonly place: PolicyPlace;
}

/** What a hook says: go on, stop with an error key, or answer in place of the backend. */
export type Verdict = undefined | Rejection | Answer;

/** An answer in place of the backend's. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array;
}

/** A refusal; `refuse` makes it. The key is the code: declared in the policy's schema, found by response templates. */
export interface Rejection {
  readonly kind: 'reject';
  readonly key: string;
  readonly status: number;
  readonly message: string;
  /** Whose response templates are used where there are none for the key. */
  readonly parent: string | undefined;
  /** For response templates: `#parameters['limit']`. */
  readonly parameters: RefusalParameters | ReadonlyMap<string, string>;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What goes out where no template answers, whatever the client accepts. Default: the message, as text or JSON. */
  readonly content?: { readonly type: string; readonly body: string } | undefined;
}

/** Of a policy's own refusals, by names that its schema says. */
export type RefusalParameters = Readonly<Record<string, string | number>>;

/** Go on. */
export const CONTINUE: undefined = undefined;

/** A step as logs name it. */
export interface StepPlace {
  /** Id of its policy, or what else of a definition is at work: `flow`, `plan`, `endpoint`, `response-template`. */
  readonly kind: string;
  /** Its place in the definition, e.g. flows[0].request[1]. */
  readonly at: string;
}

/** Whose a warning is; by default that of the step in hand, and of whoever runs the gateway or wrote the definition. */
export interface Blame {
  /** For who warns when his hook has ended, or beside other calls of the backend. */
  readonly step?: StepPlace | undefined;
  /** The caller sent what the step is there to refuse: nothing that an operator has to look at. */
  readonly isCallers?: boolean | undefined;
}

/** The reference's context attributes, in the order in which they came. */
export interface Attributes extends ScopeAttributes, Iterable<[name: string, value: unknown]> {
  set(name: string, value: unknown): void;
  delete(name: string): void;
}

/** What a hook sees of the request in hand. */
export interface PolicyCall extends ExpressionScope {
  readonly request: PolicyRequest;
  /** Undefined until there is an answer. */
  readonly response: PolicyResponse | undefined;
  /** api, plan, application, user-id, context-path, resolved-path ... and custom ones. */
  readonly attributes: Attributes;
  readonly connection: PolicyConnection;
  /** Wall clock at the request's head, ms since the epoch. */
  readonly startedAtMs: number;
  /**
   * Aborts when the request is over, for hooks that wait: whoever left gives his place in a queue back. Made for the first who asks. That a
   * client has left whose body waits unread, and is more than fits into its socket, shows at the request's deadline.
   */
  readonly over: AbortSignal;
  /** Adds an execution warning to the access record, e.g. RATE_LIMIT_NOT_APPLIED, and tells the operator. */
  warn(key: string, message: string, blame?: Blame): void;
  /** Metrics of the API's own for the access record; `custom-metrics.ts` sets them. */
  customMetrics: Map<string, string> | undefined;
  /** Sets a header on whatever is answered, a refusal included; for policies that act before there is an answer. */
  setAnswerHeader(name: string, value: string): void;
}

/** The client's connection as a policy may see it. */
export interface PolicyConnection extends ScopeConnection {
  /** Address of the peer itself, whatever it says of whom it forwards for. */
  readonly remoteAddress: string;
  /** What the peer has shown in its handshake. */
  readonly clientCertificate: ClientCertificate | undefined;
}

/** ... in the response phase. */
export interface AnsweredCall extends PolicyCall {
  readonly response: PolicyResponse;
}

/** The request as a policy may read and change it; changes go to the backend. */
export interface PolicyRequest {
  readonly id: string;
  /** The caller's, when it sent one. */
  readonly transactionId: string;
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
  /**
   * The whole body from the first step on that needs it buffered, until one transforms it; else undefined. Assign to replace it, read
   * or not.
   */
  content: Uint8Array | undefined;
  /** It came with a body. */
  readonly hasBody: boolean;
}

/** The answer as a policy may read and change it. */
export interface PolicyResponse {
  status: number;
  reason: string | undefined;
  readonly headers: HeaderList;
  /** As PolicyRequest.content. */
  content: Uint8Array | undefined;
}

/** What settings of the gateway give to policies; the same for all APIs. */
export interface PolicyGround {
  readonly names: PolicyNames;
  /** Whether a peer is a proxy of ours, which may speak for its clients (`listen.trustedProxies`). */
  readonly isTrustedPeer: (address: string) => boolean;
  /** Setting `policy.rbac.rolesAttribute`. */
  readonly rolesAttribute: string;
  /** Public keys of RSA by their names: setting `policy.jws.keys`. */
  readonly jwsKeys: ReadonlyMap<string, KeyObject>;
  /** Setting `policy.geoip`; undefined without a database. */
  readonly geoPlaces: GeoPlaces | undefined;
  /** Hosts that a request may choose itself: setting `upstream.chosenByRequests`. */
  readonly mayBeChosen: (chosen: ChosenHost) => boolean;
}

/** Where addresses are. */
export interface GeoPlaces {
  /** Of an address in its short spelling; undefined where nothing is known. */
  placeOf(address: string): GeoPlace | undefined;
  /** Why the file cannot be read any more; undefined while it can. */
  readonly fault: string | undefined;
}

/** What is known of a place; names in English. */
export interface GeoPlace {
  readonly countryCode: string | undefined;
  readonly countryName: string | undefined;
  readonly regionName: string | undefined;
  readonly cityName: string | undefined;
  readonly timezone: string | undefined;
  /** In degrees. */
  readonly latitude: number | undefined;
  readonly longitude: number | undefined;
}

/** Addresses of names. */
export interface PolicyNames {
  /** Of one family; undefined where nobody knows, an empty list where there are none. At once where they are known already. Never rejects. */
  addressesOf(name: string, family: 4 | 6): NamedAddresses | Promise<NamedAddresses>;
}

/** See {@link PolicyNames.addressesOf}. */
export type NamedAddresses = readonly string[] | undefined;

/** See {@link PolicyHost.quotaMode}. */
export type QuotaMode = 'strict' | 'round';

/** Calls of other servers, guarded as endpoints are; bounds and errors as {@link Outbound}. A hook waits for them at most to the request's deadline. */
export type PolicyOutbound = Pick<Outbound, 'request'>;

/**
 * What a policy may use of the gateway, one per API; everything with I/O is here, so that tests need no network. Secrets come here with the
 * first policy that uses them.
 */
export interface PolicyHost {
  readonly api: { readonly id: string; readonly name: string };
  readonly clock: Clock;
  /** Counters for rate, quota and spike arrest: memory, or Redis. */
  readonly counters: Counters;
  /** Setting `policy.quota.mode`: whether quotas count from their first request, or with the calendar's units. */
  readonly quotaMode: QuotaMode;
  /** By the rules of the engine: a header whose value fails is left as it is, instead of ending the request. */
  readonly leavesBrokenHeaders: boolean;
  /** By the rules of the engine: what a step removes of headers is removed before it sets any. */
  readonly removesHeadersFirst: boolean;
  readonly outbound: PolicyOutbound;
  readonly ground: PolicyGround;
  /** Runs scripts of the definition in threads of their own. */
  readonly scripts: Scripts;
  /** The API's properties by name. */
  readonly properties: ReadonlyMap<string, string>;
  /** Where its endpoints are, by name; those whose target is the same for every request. */
  readonly targets: ReadonlyMap<string, string>;
  /** Asked of every address that an expression writes; see `judgeOfTargets`. */
  readonly judgeTarget: JudgePieces;
  /**
   * What a resource of the API serves, by its name; asked when the step is made. It starts before the steps that use it.
   *
   * at: the field that names it, for the refusal. Errors: request.invalid when there is none, it is off, or serves something else.
   */
  resource<Use extends ResourceUse>(use: Use, name: string, at: string): Served[Use];
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
