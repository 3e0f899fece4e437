import type { DirectoryPlace } from '../../proto/resources/auth-provider-ldap-resource.ts';
import type { CachePlace } from '../../proto/resources/cache-redis.ts';
import type { ResourceConfig, ResourceId } from '../../proto/resources/catalog.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { PolicyOutbound } from '../policies/policy.ts';
import type { Cache, Credentials, Served, Values } from '../policies/served.ts';
import type { CacheMemory } from './memory-values.ts';

/**
 * The contract of a resource: what a definition names once, and policies or plans use.
 *
 * Its factory runs when a definition is compiled, also by a process that only judges it: it is pure, and opens nothing before `start`.
 * What a resource serves it has as a property; who looks for one asks for that property, never for a type.
 */
export interface Resource extends Partial<Served> {
  /** Opens what requests need, and closes it: where requests run, once each, as of a policy. */
  start?(): void;
  release?(): void;
}

/** What a resource may use of the gateway. */
export interface ResourceHost {
  readonly clock: Clock;
  readonly outbound: PolicyOutbound;
  /** Where connections of its own may lead. */
  readonly guard: Guard;
  readonly caches: CacheGround;
  readonly directories: DirectoryGround;
  /** Names its API among all of all environments. */
  readonly namespace: string;
  /** Digest of the definition that it stands in; costs something. */
  readonly revision: () => string;
}

/** What caches of all APIs of this process share. */
export interface CacheGround {
  /** What bounds each of them. */
  readonly bounds: Pick<Cache, 'bytesMax' | 'captures' | 'fetchWaitMsMax' | 'count'>;
  readonly memory: CacheMemory;
  /** Connects, or joins those who did; without waiting. */
  open(place: CachePlace): OpenValues;
}

/** Values somewhere else. */
export interface OpenValues extends Values {
  close(): void;
}

/** Directories of users, which resources ask. */
export interface DirectoryGround {
  /** Without waiting; nothing is dialled before the first login. */
  open(place: DirectoryPlace): Directory;
}

/** A directory of users. */
export interface Directory {
  /** Asks whether a user's password is his. Never rejects. */
  login(credentials: Credentials): Promise<DirectoryLogin>;
  /** Ends its connections; who waits is told `unavailable`. */
  close(): void;
}

/** What came of asking. */
export type DirectoryLogin =
  /** Attributes by their names in lower case. */
  | {
      readonly kind: 'known';
      readonly dn: string;
      readonly attributes: ReadonlyMap<string, readonly string[]>;
    }
  | { readonly kind: 'refused' }
  /** Nobody knows. why: for the log, without anything of the credentials. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Makes a resource. Errors: Faults that say what of the configuration cannot work on this gateway. */
export type ResourceFactory<Id extends ResourceId> = (
  config: ResourceConfig<Id>,
  /** name: as the definition calls it. */
  host: ResourceHost & { readonly name: string },
) => Resource;

/** The resources of one API, by name. */
export type Resources = ReadonlyMap<string, Resource>;
