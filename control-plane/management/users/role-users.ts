import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { listHolders } from '../../access/memberships.store.ts';
import type { Desk } from '../desk.ts';
import type { Named } from '../members/assignable.ts';
import { changeUserRoles } from './user-roles.ts';

/** A role of the organization, in the words of a path. */
interface RoleOf {
  readonly organization: string;
  readonly scope: string;
  readonly name: string;
}

const holdersMax = 1_000;

/** Who holds a role of the organization, by name; of another scope nobody, as in the reference. */
export async function listRoleUsers(desk: Desk, { organization, scope, name }: RoleOf) {
  if (scope.toUpperCase() !== 'ORGANIZATION') return [];
  const rows = await listHolders(desk.storage.db, { organization, role: name, limit: holdersMax });
  return rows.map(({ id, display_name: displayName }) => ({ id, displayName }));
}

/** Gives a user a role of the organization, or takes it. Errors: as {@link changeUserRoles}; request.invalid for another scope. */
export async function changeRoleUser(
  desk: Desk,
  actor: Actor,
  wish: RoleOf & { readonly user: Omit<Named, 'fields'>; readonly isGiven: boolean },
): Promise<void> {
  const { organization, scope, name, isGiven } = wish;
  const userId = wish.user.id ?? wish.user.reference;
  const details = [
    ...(scope.toUpperCase() === 'ORGANIZATION'
      ? []
      : [
          {
            path: 'scope',
            message: 'must be ORGANIZATION; roles of another scope are given where they are held',
          },
        ]),
    ...(userId === undefined
      ? [{ path: 'id', message: 'is required, or the reference that a search for users gives' }]
      : []),
  ];
  if (details.length > 0 || userId === undefined) throw new Fault('request.invalid', { details });
  await changeUserRoles(desk, actor, {
    organization,
    userId,
    named: { ...wish.user, fields: ['id', 'reference'] },
    referenceType: 'ORGANIZATION',
    referenceId: organization,
    wanted: (held) => [...held.filter((role) => role !== name), ...(isGiven ? [name] : [])],
  });
}
