import { Fault } from '../../../proto/faults/fault.ts';
import { getUser, type UserRow } from '../../access/access.store.ts';
import type { Scope } from '../../access/permissions.ts';
import { listRoles } from '../../access/roles.store.ts';
import { systemRoleNames } from '../../access/roles.ts';
import type { OrganizationChange } from '../desk.ts';

/** The role that an object has one holder of; nobody gets it as a member, nor by a group. */
export const primaryOwner = 'PRIMARY_OWNER';

/** Whom a request means: by id, or by the reference that a search gave; and the fields that say so, in this order. */
export interface Named {
  readonly id?: string | undefined;
  readonly reference?: string | undefined;
  readonly fields: readonly [id: string, reference: string];
}

/** Checks that the role can be given in the scope. Errors: role.invalid with those that there are. */
export async function checkRole(
  now: Pick<OrganizationChange, 'trx' | 'organization'>,
  scope: Scope,
  role: string,
): Promise<void> {
  await checkRoles(now, scope, [role]);
}

/** The same of several, by one look at those that there are. Errors: role.invalid. */
export async function checkRoles(
  now: Pick<OrganizationChange, 'trx' | 'organization'>,
  scope: Scope,
  roles: readonly string[],
): Promise<void> {
  if (roles.length === 0) return;
  const custom = await listRoles(now.trx, { organization: now.organization, scope });
  const names = [...systemRoleNames(scope), ...custom.map(({ name }) => name)];
  const given = names.filter((name) => name !== primaryOwner);
  const role = roles.find((name) => !given.includes(name));
  if (role === undefined) return;
  throw new Fault('role.invalid', {
    detail: `There is no role "${role}" for an ${scope === 'api' ? 'API' : scope}.`,
    hint: `There are ${given.join(', ')}.`,
  });
}

/** The user, who may be one who comes in by nothing. Errors: user.notFound; request.invalid when nobody is named. */
export async function namedUser(
  now: Pick<OrganizationChange, 'trx' | 'organization'>,
  { id, reference, fields }: Named,
): Promise<UserRow> {
  const wanted = id ?? reference;
  if (wanted === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: fields[0], message: 'is required, or the reference that a search for users gives' }],
    });
  const user = await getUser(now.trx, now.organization, wanted);
  if (user === undefined || user.status === 'ARCHIVED') throw new Fault('user.notFound');
  return user;
}

/**
 * Checks that the user can be given a role: what nobody can sign in to use has an owner whom no message reaches, and would be open at once
 * to who is let in later for something else. What he holds already he keeps, and it can be taken from him. Errors: request.invalid.
 */
export function checkComesIn({ status }: UserRow, { id, fields }: Named): void {
  if (status === 'ACTIVE') return;
  const why = notIn.get(status) ?? 'may not sign in';
  throw new Fault('request.invalid', {
    details: [{ path: fields[id === undefined ? 1 : 0], message: `is of a user who ${why}` }],
  });
}

const notIn: ReadonlyMap<string, string> = new Map([
  ['PENDING', 'has registered and was not let in yet'],
  ['REJECTED', 'has registered and was refused'],
  ['DISABLED', 'is disabled'],
]);
