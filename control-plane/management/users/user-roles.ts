import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { getUser } from '../../access/access.store.ts';
import type { Actor } from '../../access/actor.ts';
import { addMembership, removeRole, tenantRoles } from '../../access/memberships.store.ts';
import { namesOf } from '../../access/object-names.ts';
import { findRole, rightsOfRow } from '../../access/roles.store.ts';
import { groupsOfUser, listHoldings, type UserRef } from '../../access/users.store.ts';
import type { Desk, OrganizationChange } from '../desk.ts';
import { idSchema, present } from '../fields.ts';
import { checkComesIn, checkRole, type Named } from '../members/assignable.ts';
import { resolveEnvironment, resolveOrganization } from '../tenants/tenants.store.ts';
import { checkAdministratorLeft, lackedRight } from './guards.ts';
import { changeUser, tokenWithoutEnd } from './users.ts';

/** Body of a change of the roles of a user on the organization or an environment: these, and no other. */
export const userRolesSchema = z
  .strictObject({
    user: z.string().max(64).optional(),
    referenceType: z
      .string()
      .transform((text) => text.toUpperCase())
      .pipe(z.enum(['ORGANIZATION', 'ENVIRONMENT'])),
    referenceId: idSchema,
    /** Ids of roles, or their names. */
    roles: z.array(z.string().min(1).max(128)).max(20),
  })
  .openapi('UserRoles');

/** What is told of memberships at most, by object. */
const holdingsMax = 1_000;
const kinds = { api: 'API', application: 'APPLICATION', group: 'GROUP' } as const;

/**
 * Gives a user these roles on the organization or an environment in place of those that he has there; it counts from his next request on.
 *
 * Errors: user.notFound; role.invalid; request.invalid for another reference, and for a user who does not come in and would get a role more; user.lastAdministrator; request.forbidden for rights that
 * the actor has not himself, for a user who may do more, and for an ADMIN that a token would make which ends.
 */
export function setUserRoles(
  desk: Desk,
  actor: Actor,
  ref: UserRef & { readonly wish: z.infer<typeof userRolesSchema> },
): Promise<void> {
  const { wish } = ref;
  if (wish.user !== undefined && wish.user !== ref.userId)
    throw invalid('user', 'is another one than the path names');
  const names = wish.roles.map((role) => role.replace(new RegExp(`^${wish.referenceType}-`), ''));
  const field = wish.user === undefined ? 'userId' : 'user';
  const named = { id: ref.userId, fields: [field, field] } as const;
  return changeUserRoles(desk, actor, { ...ref, ...wish, named, wanted: () => names });
}

/** The same; what is wanted may depend on what is held. */
export function changeUserRoles(
  desk: Desk,
  actor: Actor,
  ref: UserRef &
    Reference & {
      /** How the request names the user. */
      readonly named: Named;
      /** Names of roles that are held there, to those that are to be. */
      readonly wanted: (held: readonly string[]) => readonly string[];
    },
): Promise<void> {
  return changeUser({ desk, actor, ref }, async (now, user) => {
    const scope = ref.referenceType === 'ORGANIZATION' ? 'organization' : 'environment';
    const reference = await referenceOf(now, ref);
    const all = await tenantRoles(now.trx, now.organization, user.id);
    const held = all.filter((role) => role.scope === scope && role.reference === reference);
    const before = new Set(held.map(({ name }) => name));
    const wanted = new Set(ref.wanted([...before]));
    if (wanted.difference(before).size > 0) checkComesIn(user, ref.named);
    for (const name of wanted) await checkGiven(now, { scope, reference, name, isHeld: before.has(name) });
    if (scope === 'organization' && before.has('ADMIN') && !wanted.has('ADMIN'))
      await checkAdministratorLeft(now, user.id);
    const object = { organization: now.organization, scope, reference, user: user.id } as const;
    const audited = { type: ref.referenceType, id: reference } as const;
    for (const name of before)
      if (!wanted.has(name)) {
        await removeRole(now.trx, object, name);
        const gone = { ...audited, before: { role: name } };
        await now.audit('MEMBERSHIP_DELETED', gone, { USER: user.id, ROLE: name });
      }
    for (const name of wanted)
      if (!before.has(name)) {
        await addMembership(now.trx, { ...object, name, nowMs: now.nowMs });
        const given = { ...audited, after: { role: name } };
        await now.audit('MEMBERSHIP_CREATED', given, { USER: user.id, ROLE: name });
      }
  });
}

/** Where roles are held. */
interface Reference {
  readonly referenceType: 'ORGANIZATION' | 'ENVIRONMENT';
  readonly referenceId: string;
}

async function referenceOf(
  now: OrganizationChange,
  { referenceType, referenceId }: Reference,
): Promise<string> {
  if (referenceType === 'ORGANIZATION') {
    const found = await resolveOrganization(now.trx, referenceId);
    if (found?.id === now.organization) return found.id;
    throw invalid('referenceId', 'is another organization than that of the path');
  }
  const found = await resolveEnvironment(now.trx, now.organization, referenceId);
  if (found !== undefined) return found.id;
  throw invalid('referenceId', `there is no environment "${referenceId}" in the organization`);
}

async function checkGiven(
  now: OrganizationChange,
  role: {
    readonly scope: 'organization' | 'environment';
    readonly reference: string;
    readonly name: string;
    readonly isHeld: boolean;
  },
): Promise<void> {
  const { scope, name, isHeld } = role;
  await checkRole(now, scope, name);
  if (isHeld) return;
  if (name === 'ADMIN' && now.actor.tokenExpiresAtMs !== undefined)
    throw new Fault('request.forbidden', {
      detail: 'A token that ends makes no ADMIN, who would outlive it.',
      hint: tokenWithoutEnd,
    });
  const custom = await findRole(now.trx, { organization: now.organization, scope, name });
  const rights = custom === undefined ? undefined : rightsOfRow(custom);
  const lacked = lackedRight(now.actor, { ...role, rights });
  if (lacked !== undefined)
    throw new Fault('request.forbidden', { detail: `The role permits more than you may: ${lacked}.` });
}

/** The groups of a user with his roles in each, of one environment or of all. Errors: user.notFound. */
export async function listUserGroups(
  desk: Desk,
  ref: UserRef & { readonly environmentId?: string | undefined },
) {
  return (await groupsWithSource(desk, ref)).map(({ source: _source, ...group }) => group);
}

async function groupsWithSource(desk: Desk, ref: UserRef & { readonly environmentId?: string | undefined }) {
  const { db } = desk.storage;
  await checkThere(desk, ref);
  const environment =
    ref.environmentId === undefined
      ? undefined
      : ((await resolveEnvironment(db, ref.organization, ref.environmentId))?.id ?? 'none');
  const rows = await groupsOfUser(db, ref, { environment, limit: 3 * holdingsMax });
  const groups = new Map<
    string,
    { readonly row: (typeof rows)[number]; readonly roles: Map<string, string> }
  >();
  for (const row of rows) {
    const group = groups.get(row.id) ?? { row, roles: new Map<string, string>() };
    groups.set(row.id, group);
    group.roles.set(row.scope.toUpperCase(), row.role);
  }
  return [...groups.values()].map(({ row: { id, name, source, environment: environmentId }, roles }) => ({
    id,
    name,
    source,
    environmentId,
    roles: Object.fromEntries(roles),
  }));
}

/** What a user holds on APIs, applications or groups, himself and by groups. Errors: user.notFound. */
export async function listMemberships(desk: Desk, ref: UserRef & { readonly type: keyof typeof kinds }) {
  const { db } = desk.storage;
  await checkThere(desk, ref);
  const { type } = ref;
  const scope = kinds[type];
  const held =
    type === 'group'
      ? (await groupsWithSource(desk, ref)).map(({ id, roles, source }) => ({
          reference: id,
          roles,
          group: null,
          source,
        }))
      : (await listHoldings(db, ref, { scope: type, limit: holdingsMax })).map(
          ({ reference, role, group, source }) => ({
            reference,
            roles: { [scope]: role } as Record<string, string>,
            group,
            source,
          }),
        );
  const names = await namesOf(db, ref.organization, { type, ids: held.map(({ reference }) => reference) });
  return {
    memberships: held.map(({ reference, roles, group, source }) =>
      present({ reference, type: scope, roles, source: source ?? 'system', group: group ?? undefined }),
    ),
    metadata: Object.fromEntries(names),
  };
}

async function checkThere(desk: Desk, { organization, userId }: UserRef): Promise<void> {
  const user = await getUser(desk.storage.db, organization, userId);
  if (user === undefined || user.status === 'ARCHIVED') throw new Fault('user.notFound');
}

const invalid = (path: string, message: string): Fault =>
  new Fault('request.invalid', { details: [{ path, message }] });
