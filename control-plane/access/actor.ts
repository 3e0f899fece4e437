import { Fault } from '../../proto/faults/fault.ts';
import { type Action, actions, partsOf, permissions, type Right, type Scope } from './permissions.ts';
import { letters, type Permitting, roleMay } from './roles.ts';

/** A role that somebody holds somewhere: `reference` is the id of the organization, environment, API or application. */
export interface HeldRole {
  readonly scope: Scope;
  readonly reference: string;
  readonly name: string;
  /** Letters by permission, of a role that people made; those of the system have theirs in `roles.ts`. */
  readonly rights?: ReadonlyMap<string, string> | undefined;
  /** The group by which it is held; absent for who holds it himself. */
  readonly group?: string | undefined;
  /** The identity provider whose mapping gave it; absent for what people gave. */
  readonly source?: string | undefined;
}

/** Who asks: a signed-in user of one organization. Whoever has not signed in is `undefined`. */
export interface Actor {
  readonly id: string;
  readonly organization: string;
  readonly username: string;
  readonly displayName: string;
  /**
   * Read once per request: all that is held in the organization and its environments, and what is held on the objects that the request
   * is about (`Access.withObjects`).
   */
  readonly roles: readonly HeldRole[];
  /** What the token is narrowed to, whatever the roles say; absent without such a token. */
  readonly scopes?: readonly string[] | undefined;
  /** When the token ends that he came with; absent without a token, and with one that does not end. */
  readonly tokenExpiresAtMs?: number | undefined;
  /** What his password was when he came in, as {@link passwordMark} has it; absent for who came through no door. */
  readonly passwordMark?: string | undefined;
  /** Id of the session that he came with. */
  readonly session?: string | undefined;
  /** He came with a session that leads to a second factor and nowhere else. */
  readonly isEnrolling?: boolean;
  /** Where he came from, and by what; absent for who came through no door. */
  readonly from?: Whence | undefined;
}

/** Where a change comes from: an address, and the console (a session), a script (a password), automation (a token) or the command line, which says that it is. */
export interface Whence {
  readonly address?: string | undefined;
  readonly origin: 'console' | 'script' | 'automation' | 'cli';
}

/** What is asked for, as a chain of scopes from the organization down to the object; e.g. `{ organization, environment, api }`. */
export type Resource = { readonly organization: string } & {
  readonly [S in Exclude<Scope, 'organization'>]?: string | undefined;
};

/**
 * Says whether the actor may do that to the resource.
 *
 * Nobody may do anything in another organization. An ADMIN of the organization may do everything in it, an ADMIN of an environment everything
 * in that; else a role held in the right's own scope decides. A token that is narrowed opens nothing beyond its scopes.
 */
export function can(actor: Actor, right: Right, resource: Resource): boolean {
  if (actor.organization !== resource.organization) return false;
  if (actor.scopes !== undefined && !actor.scopes.includes(right)) return false;
  if (isAdmin(actor, 'organization', resource.organization)) return true;
  const { scope, name, action } = partsOf(right);
  if (scope !== 'organization' && isAdmin(actor, 'environment', resource.environment)) return true;
  const reference = resource[scope];
  return actor.roles.some(
    (role) => role.scope === scope && role.reference === reference && roleMay(role, name, action),
  );
}

/**
 * Refuses somebody who has none of the rights.
 *
 * Errors: request.not_found across organizations, so that no tenant learns what another one has;
 * request.forbidden inside the own one.
 */
export function authorize(actor: Actor, rights: readonly Right[], resource: Resource): void {
  if (rights.some((right) => can(actor, right, resource))) return;
  if (actor.organization !== resource.organization) throw new Fault('request.not_found');
  const wanted = rights.join(' or ');
  const isNarrowed = actor.scopes !== undefined && !rights.some((right) => actor.scopes?.includes(right));
  const detail = isNarrowed
    ? `Your token is not for this: it would need the scope ${wanted}.`
    : `You do not have the permission for this: it needs ${wanted}.`;
  throw new Fault('request.forbidden', { detail, internal: `${actor.username} lacks ${wanted}` });
}

/** Everything that the actor may do in one scope of a resource, as the reference spells it: `{ GATEWAY_DEFINITION: ['C', 'R'] }`. */
export function heldRights(
  actor: Actor,
  scope: Scope,
  resource: Resource,
): Readonly<Record<string, readonly string[]>> {
  const held = permissions[scope].map((name) => {
    const may = (action: Action): boolean => can(actor, `${scope}-${name}:${action}` as Right, resource);
    return [
      name.toUpperCase().replaceAll('-', '_'),
      actions.filter(may).map((action) => letters[action]),
    ] as const;
  });
  return Object.fromEntries(held.filter(([, letters]) => letters.length > 0));
}

/** Whose objects a list may show: everybody's, or those that this user is a member of. Stores turn it into SQL. */
export type Visible =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'member';
      readonly organization: string;
      readonly user: string;
      /** By these roles alone; whatever he holds when absent. */
      readonly roles?: readonly string[];
    };

/** What of an environment's APIs or applications the actor sees in lists. */
export function visible(actor: Actor, resource: Resource): Visible {
  const seesAll =
    isAdmin(actor, 'organization', resource.organization) ||
    isAdmin(actor, 'environment', resource.environment);
  return seesAll ? { kind: 'all' } : { kind: 'member', organization: actor.organization, user: actor.id };
}

/**
 * With which of an environment's APIs or applications the actor may do that, for a list or a count: {@link can} as a condition that stores turn
 * into SQL. `roles` are those of the right's scope that there are.
 */
export function visibleWith(
  actor: Actor,
  right: Right,
  { at, roles }: { readonly at: Resource; readonly roles: readonly Permitting[] },
): Visible {
  const { name, action } = partsOf(right);
  const isOpen = actor.scopes === undefined || actor.scopes.includes(right);
  const seen = visible(actor, at);
  if (isOpen && seen.kind === 'all') return seen;
  const may = isOpen ? roles.filter((role) => roleMay(role, name, action)) : [];
  return {
    kind: 'member',
    organization: actor.organization,
    user: actor.id,
    roles: may.map((role) => role.name),
  };
}

/** Whether the actor is an ADMIN of the organization, or of the environment. */
export function isAdmin(
  actor: Actor,
  scope: 'organization' | 'environment',
  reference: string | undefined,
): boolean {
  return (
    reference !== undefined &&
    actor.roles.some((role) => role.scope === scope && role.reference === reference && role.name === 'ADMIN')
  );
}
