import type { Condition } from '../../proto/expression/condition.ts';
import type { PlanDefinition } from '../../proto/model/api.ts';
import type { PolicyConfig } from '../../proto/policies/catalog.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { ExchangeRequest } from '../http/exchange.ts';
import type { PolicyOutbound, PolicyRequest, Rejection } from '../policies/policy.ts';
import type { Resources } from '../resources/resource.ts';
import type { KeyPlaces } from './key-places.ts';
import type { PresentedCertificates } from './presented-certificate.ts';
import type { GatewayKeys } from './tokens/gateway-keys.ts';
import type { KeySets } from './tokens/key-sets.ts';
import type { TokenMemory } from './tokens/seen-tokens.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';

/** Id of a kind of plan security, as definitions have it. */
export type SecurityId = PlanDefinition['security']['type'];

/**
 * The contract of a plan's security.
 *
 * It is made once per plan when a definition is compiled, also by a process that only judges it: making it is pure, and opens nothing.
 * All plans of an API are asked together, by `selectPlan`: what they share (their order, that a presented credential keeps strangers out,
 * which refusal counts) stands there and nowhere else.
 */
export interface PlanSecurity<Credential = unknown, Proof = unknown> {
  /**
   * What a request presents of this kind, a wrong or an empty one too; undefined when it presents nothing, then the plan is passed over.
   * It reads and does not judge.
   */
  present(request: PresentingRequest): Credential | undefined;
  /**
   * Whom a credential lets in to the plan, synchronously where it can. It asks the plan's rule (`isChosen`) once it knows what that may read. Does not throw for what is expected: what cannot be looked up is
   * a refusal of 503, never one of 401.
   */
  admit<Plan extends AskedPlan>(
    credential: Credential,
    plan: Plan,
    knock: Knock,
  ): Admission<Plan, Proof> | Promise<Admission<Plan, Proof>>;
  /**
   * Until when what let a request in still does, for an answer that flows on (wall clock, ms; Infinity for ever); why not, when it no
   * longer does. The plan and the subscription were looked at before.
   */
  review(proof: Proof, ground: ReviewGround): number | LostProof;
  /**
   * What steps find of the credential as attributes of the request, under the reference's names. Asked when one of them may be meant; a value
   * that is dear to make is a {@link Later}.
   */
  attributes?(proof: Proof): Iterable<readonly [name: string, value: unknown]>;
  /** Takes the credential out of what the backend gets; absent where the backend may see it. */
  hide?(request: PolicyRequest): void;
  /** Headers that it reads credentials from beside those that everybody knows, in lower case: log lines mask them. */
  readonly secretHeaders?: readonly string[] | undefined;
  /** Opens what requests need (keys that are fetched again and again), and closes it: where requests run, once each, as of a policy. */
  start?(): void;
  release?(): void;
  /** What is said when nothing was presented, or when what it stood for is gone; absent where nothing has to be. */
  readonly refusals?:
    | {
        readonly missing: Rejection | ((request: PresentingRequest) => Rejection);
        readonly invalid: Rejection;
      }
    | undefined;
}

/** An attribute that is made whenever somebody asks for it. */
export class Later {
  readonly read: () => unknown;

  constructor(read: () => unknown) {
    this.read = read;
  }
}

/** What of a request may hold a credential. */
export type PresentingRequest = Pick<
  ExchangeRequest,
  'headers' | 'query' | 'clientCertificate' | 'remoteAddress' | 'scheme' | 'server'
>;

/** Who asks for which API, and what is known of those who may. */
export interface Knock {
  readonly request: PresentingRequest;
  readonly api: string;
  readonly subscriptions: Subscriptions;
  /** Wall clock. */
  readonly nowMs: number;
  /** Whether a rule holds for the request, with these attributes beside those that it has. */
  holds(rule: Condition, attributes: Iterable<readonly [name: string, value: unknown]>): boolean;
  /** Whether a rule that was asked could not be told: it did not hold, and nobody knows whether it should have. */
  hasBrokenRule(): boolean;
}

/** What a kind knows of the plan that it is asked for. */
export interface AskedPlan {
  readonly id: string;
  /** Undefined for a plan that is for everybody. */
  readonly rule: Condition | undefined;
}

/** Says whether a plan is for the request; attributes: what the credential says, verified or not. */
export function isChosen(
  { rule }: AskedPlan,
  knock: Knock,
  attributes: () => Iterable<readonly [name: string, value: unknown]>,
): boolean {
  return rule === undefined || knock.holds(rule, attributes());
}

/** Who calls: the plan that took the request, and whose subscription pays for it. */
export type Admission<Plan, Proof = unknown> =
  | {
      readonly kind: 'admitted';
      readonly plan: Plan;
      /** Undefined for a plan without. */
      readonly subscription: Subscription | undefined;
      /** What `review` needs to know of the credential. */
      readonly proof: Proof;
      /** First 8 hex digits of the hash of what was presented; all that a record may hold of it. */
      readonly keyHash8: string | undefined;
    }
  | RefusedAdmission
  | PassedAdmission;

/** The plan's rule does not hold: it is as if what was presented had not been for it. */
export interface PassedAdmission {
  readonly kind: 'passed';
}

/** See {@link PassedAdmission}. */
export const passed: PassedAdmission = { kind: 'passed' };

/** Why a plan does not take a request. */
export interface RefusedAdmission {
  readonly kind: 'refused';
  readonly refusal: Rejection;
  readonly keyHash8: string | undefined;
  /** The subscription was found, so that no other plan is asked: what is presented for it is not good. */
  readonly isFinal: boolean;
}

/** What is known when a flowing answer is looked at again. */
export interface ReviewGround {
  readonly subscription: { readonly id: string } | undefined;
  readonly subscriptions: Subscriptions;
  readonly nowMs: number;
}

/** Why a credential lets in no more. */
export interface LostProof {
  readonly reason: string;
  /** What a new request would be refused with. */
  readonly errorKey: string;
}

/** What kinds of security may use of the gateway. */
export interface SecurityHost {
  readonly keyPlaces: KeyPlaces;
  /** Keys of tokens by issuer and name, as the settings have them. */
  readonly gatewayKeys: GatewayKeys;
  /** Those that are fetched. */
  readonly keySets: KeySets;
  /** Tokens that a plan remembers as verified. */
  readonly tokensSeenMax: number;
  /** What all plans' take together. */
  readonly tokenMemory: TokenMemory;
  /** Those that clients show, where the settings say. */
  readonly certificates: PresentedCertificates;
  /** Whether a peer may speak for its clients. */
  readonly isTrusted: (address: string) => boolean;
  /** Of the API, by name. */
  readonly resources: Resources;
  readonly clock: Clock;
  readonly outbound: PolicyOutbound;
  readonly log: Log;
}

/** What is the same for all APIs of a gateway. */
export type GatewaySecurity = Omit<SecurityHost, 'resources'>;

/** A plan as far as letting callers in is concerned. */
export interface SecuredPlan extends AskedPlan {
  /** As access records call it. */
  readonly securityType: string;
  /** See {@link SecurityKind}. */
  readonly order: number;
  readonly isOpen: boolean;
  readonly challenge: string | undefined;
  readonly security: PlanSecurity;
}

/** One kind of plan security. */
export interface SecurityKind<Id extends SecurityId> {
  /** Plans of a lower one are asked first, those of the same in the definition's order. */
  readonly order: number;
  /** As access records call it. */
  readonly recordedAs: string;
  /** Takes callers who present nothing: beside other plans it is closed to whoever presents anything. */
  readonly isOpen: boolean;
  /** What a 401 says in WWW-Authenticate. */
  readonly challenge?: string;
  /** Errors: Faults that say what of the configuration cannot work on this gateway. */
  create(config: PolicyConfig<Id>, host: SecurityHost): PlanSecurity;
}
