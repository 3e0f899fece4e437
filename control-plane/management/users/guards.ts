import { Fault } from '../../../proto/faults/fault.ts';
import type { UserRow } from '../../access/access.store.ts';
import { type Actor, can, type HeldRole, isAdmin } from '../../access/actor.ts';
import { tenantRoles } from '../../access/memberships.store.ts';
import type { Right } from '../../access/permissions.ts';
import { eachRight } from '../../access/roles.ts';
import { firstAdministrator } from '../../access/users.store.ts';
import type { OrganizationChange } from '../desk.ts';

/*
 * What holds for whoever changes users: nobody gives a right in the organization or an environment that he has not, nobody takes hold of
 * somebody who has more, and one administrator who can sign in is always left. Who makes such a change holds the organization (`lockOrganization`).
 */

/** The first right of a role that the actor has not where it is held. */
export function lackedRight(actor: Actor, role: HeldRole): Right | undefined {
  const at = { organization: actor.organization };
  const resource = role.scope === 'organization' ? at : { ...at, [role.scope]: role.reference };
  return eachRight(role).find((right) => !can(actor, right, resource));
}

/** Refuses to take hold of a user who may do more than the actor in the organization or an environment. Errors: request.forbidden. */
export async function checkNotAbove(now: OrganizationChange, user: UserRow): Promise<void> {
  if (user.id === now.actor.id) return;
  const roles = await tenantRoles(now.trx, now.organization, user.id);
  for (const role of roles) {
    const lacked = lackedRight(now.actor, role);
    if (lacked !== undefined)
      throw new Fault('request.forbidden', {
        detail: `The user may do more than you: ${role.name} has ${lacked}.`,
      });
  }
}

/**
 * Refuses whoever is no ADMIN of the organization, or came with a token that ends or is narrowed: for what makes one as strong as anybody.
 *
 * Errors: request.forbidden.
 */
export function demandAdministrator(actor: Actor): void {
  const isNarrowed = actor.scopes !== undefined || actor.tokenExpiresAtMs !== undefined;
  if (!isNarrowed && isAdmin(actor, 'organization', actor.organization)) return;
  throw new Fault('request.forbidden', {
    detail: 'This is for an ADMIN of the organization, with no token that ends or is narrowed.',
  });
}

/** Refuses to leave the organization without an administrator who can sign in. Errors: user.lastAdministrator. */
export async function checkAdministratorLeft(now: OrganizationChange, but: string): Promise<void> {
  if ((await firstAdministrator(now.trx, now.organization, but)) === undefined)
    throw new Fault('user.lastAdministrator');
}
