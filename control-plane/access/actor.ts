import { Fault } from '../../proto/faults/fault.ts';

/** What a user may do in an organization; finer roles come with the console. */
export const roles = ['ADMIN', 'USER'] as const;
/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** Who asks: a signed-in user of one organization. Whoever has not signed in is `undefined`. */
export interface Actor {
  readonly id: string;
  readonly organization: string;
  readonly username: string;
  readonly displayName: string;
  readonly role: Role;
}

/** What somebody wants to do with a resource; every operation is one of these, verbs such as _accept are updates. */
export type Action = 'read' | 'create' | 'update' | 'delete';

/**
 * What is asked for: its kind, its tenant, and what the rules need to know of it.
 *
 * A field that is absent means "one of them, not yet known": a listing, which then filters by the same rule.
 */
export type Resource =
  | { readonly kind: 'organization' | 'environment'; readonly organization: string }
  | { readonly kind: 'api' | 'plan'; readonly organization: string; readonly isPublic?: boolean }
  | {
      readonly kind: 'application' | 'subscription' | 'api-key' | 'token' | 'user';
      readonly organization: string;
      readonly ownerId?: string | undefined;
    }
  | { readonly kind: 'fleet' | 'analytics' | 'audit'; readonly organization: string };

type Rule = (actor: Actor, resource: Resource) => boolean;

const always: Rule = () => true;
const whenPublic: Rule = (_actor, resource) => !('isPublic' in resource) || resource.isPublic === true;
const whenOwn: Rule = (actor, resource) => !('ownerId' in resource) || resource.ownerId === actor.id;

// What a USER may do; what is not here is refused. An ADMIN may do everything inside the own organization.
const userRules: Readonly<Partial<Record<`${Resource['kind']}.${Action}`, Rule>>> = {
  'organization.read': always,
  'environment.read': always,
  'api.read': whenPublic,
  'plan.read': whenPublic,
  'application.create': always,
  'application.read': whenOwn,
  'application.update': whenOwn,
  'application.delete': whenOwn,
  'subscription.create': whenOwn,
  'subscription.read': whenOwn,
  'subscription.delete': whenOwn,
  'api-key.read': whenOwn,
  'api-key.create': whenOwn,
  'api-key.delete': whenOwn,
  'token.create': whenOwn,
  'token.read': whenOwn,
  'token.delete': whenOwn,
  'user.read': whenOwn,
};

/** Says whether the actor may do that to the resource. Nobody may do anything in another organization. */
export function can(actor: Actor, action: Action, resource: Resource): boolean {
  if (actor.organization !== resource.organization) return false;
  if (actor.role === 'ADMIN') return true;
  return userRules[`${resource.kind}.${action}`]?.(actor, resource) ?? false;
}

/**
 * Refuses what `can` denies.
 *
 * Errors: request.not_found across organizations, so that no tenant learns what another one has;
 * request.forbidden inside the own one.
 */
export function authorize(actor: Actor, action: Action, resource: Resource): void {
  if (can(actor, action, resource)) return;
  if (actor.organization !== resource.organization) throw new Fault('request.not_found');
  throw new Fault('request.forbidden', {
    internal: `${actor.username} (${actor.role}) may not ${action} ${resource.kind}`,
  });
}
