import type { ResourceConfig, ResourceId } from '../../proto/resources/catalog.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { PolicyOutbound } from '../policies/policy.ts';

/**
 * The contract of a resource: what a definition names once, and policies or plans use.
 *
 * Its factory runs when a definition is compiled, also by a process that only judges it: it is pure, and opens nothing before `start`.
 * What a resource serves it has as a property; who looks for one asks for that property, never for a type.
 */
export interface Resource {
  /** Says what tokens stand for. */
  readonly introspection?: Introspection;
  /** Opens what requests need, and closes it: where requests run, once each, as of a policy. */
  start?(): void;
  release?(): void;
}

/** Asks an authorization server. */
export interface Introspection {
  /** In the payload, the claim that names the user. */
  readonly userClaim: string;
  /** Between the scopes of a payload that are one text. */
  readonly scopeSeparator: string;
  /** Never rejects. */
  introspect(token: string, signal?: AbortSignal): Promise<Introspected>;
}

/** What came of asking. */
export type Introspected =
  /** As the server said it. */
  | { readonly kind: 'active'; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly kind: 'inactive' }
  /** Nobody knows: no answer, or none of 200. */
  | { readonly kind: 'unavailable' }
  /** An answer that nobody understands. */
  | { readonly kind: 'unclear' };

/** What a resource may use of the gateway. */
export interface ResourceHost {
  readonly clock: Clock;
  readonly outbound: PolicyOutbound;
}

/** Makes a resource. Errors: Faults that say what of the configuration cannot work on this gateway. */
export type ResourceFactory<Id extends ResourceId> = (
  config: ResourceConfig<Id>,
  host: ResourceHost,
) => Resource;

/** The resources of one API, by name. */
export type Resources = ReadonlyMap<string, Resource>;
