import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import {
  countGroupMembers,
  findGroupMember,
  type GroupMember,
  type GroupRef,
  type GroupScope,
  groupScopes,
  listGroupMembers as listRows,
  removeGroupMember as removeRow,
  setGroupMember,
} from '../../access/groups.store.ts';
import { defaultRole } from '../../access/roles.store.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { checkComesIn, checkRole, namedUser } from '../members/assignable.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { groupMembersMax, type GroupMemberWish, settingsOf, spelled } from './group-shape.ts';
import { foundGroup, lockedGroup, writesGroups } from './groups.ts';
import type { GroupRow } from './groups.store.ts';

/** A page of the members of a group, by name. Errors: group.notFound. */
export async function listMembersOfGroup(
  desk: Desk,
  ref: GroupRef & { readonly page: PageWish },
): Promise<{ readonly data: readonly GroupMember[]; readonly total: number }> {
  await foundGroup(desk, ref);
  const { rows, total } = await listRows(desk.storage.db, ref, boundsOf(ref.page));
  return { data: rows, total };
}

/**
 * Gives members roles: those that are named, in place of all that each of them has in the group. All of them or none.
 *
 * Errors: group.notFound; user.notFound; role.invalid; request.invalid when nobody is named, or one who comes in by nothing, or there are too many. For who does no more than
 * administer the group: group.invitation.forbidden, group.invitation.limit.
 */
export function setMembersOfGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly wishes: readonly GroupMemberWish[] },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const group = await lockedGroup(now, ref.id);
    const mayAll = writesGroups(actor, ref.at);
    for (const [index, wish] of ref.wishes.entries()) await setOne(now, group, { wish, index, mayAll });
  });
}

/** Takes a member out of a group. Errors: group.notFound; request.not_found for who is none. */
export function removeMemberOfGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly userId: string },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedGroup(now, ref.id);
    const before = await findGroupMember(now.trx, ref, ref.userId);
    if (before === undefined)
      throw new Fault('request.not_found', { detail: `There is no member "${ref.userId}" in the group.` });
    await removeRow(now.trx, ref, ref.userId);
    const object = { type: 'GROUP', id: ref.id, before: { roles: before.roles } } as const;
    await now.audit('MEMBERSHIP_DELETED', object, { USER: ref.userId });
  });
}

async function setOne(
  now: Change,
  group: GroupRow,
  {
    wish,
    index,
    mayAll,
  }: { readonly wish: GroupMemberWish; readonly index: number; readonly mayAll: boolean },
): Promise<void> {
  const ref = { at: now.at, id: group.id };
  const { id, reference } = wish;
  const named = { id, reference, fields: [`[${index}].id`, `[${index}].reference`] } as const;
  const user = await namedUser(now, named);
  if (wish.roles.length === 0) return;
  const before = await findGroupMember(now.trx, ref, user.id);
  const roles = await wishedRoles(now, group, { wish, mayAll });
  if (before === undefined) await checkRoom(now, group, mayAll);
  // What a mapping gave becomes what people give, and stays.
  const isOurs = before !== undefined && before.source === undefined;
  if (isOurs && groupScopes.every((scope) => before.roles[scope] === roles[scope])) return;
  checkComesIn(user, named);
  const createdAtMs = before?.createdAtMs ?? now.nowMs;
  await setGroupMember(now.trx, ref, { user: user.id, roles, createdAtMs, nowMs: now.nowMs });
  const roleNames = groupScopes.flatMap((scope) => {
    const role = roles[scope];
    return role === undefined ? [] : [`${spelled(scope)}-${role}`];
  });
  const event = before === undefined ? 'MEMBERSHIP_CREATED' : 'MEMBERSHIP_UPDATED';
  const rows = { before: { roles: before?.roles }, after: { roles } };
  const object = { type: 'GROUP', id: group.id, ...rows } as const;
  await now.audit(event, object, { USER: user.id, ROLE: roleNames.join(',') });
}

/** The roles that were named; where they are locked for the actor, those that the group gives. */
async function wishedRoles(
  now: Change,
  group: GroupRow,
  { wish, mayAll }: { readonly wish: GroupMemberWish; readonly mayAll: boolean },
): Promise<GroupMember['roles']> {
  const roles: Partial<Record<GroupScope, string>> = {};
  for (const scope of groupScopes) {
    const named = wish.roles.find((one) => one.scope === spelled(scope))?.name;
    if (named === undefined) continue;
    await checkRole(now, scope, named);
    roles[scope] = named;
  }
  if (mayAll) return roles;
  const { lock_api_role: isApiLocked, lock_application_role: isApplicationLocked } = settingsOf(group);
  const given = (scope: 'api' | 'application') => defaultRole(now.trx, { ...now.at, scope });
  if (isApiLocked) roles.api = group.api_role ?? (await given('api'));
  if (isApplicationLocked) roles.application = group.application_role ?? (await given('application'));
  return roles;
}

async function checkRoom(now: Change, group: GroupRow, mayAll: boolean): Promise<void> {
  const { system_invitation: mayAdd, max_invitation: limit } = settingsOf(group);
  if (!mayAll && !mayAdd) throw new Fault('group.invitation.forbidden');
  const members = await countGroupMembers(now.trx, { at: now.at, id: group.id });
  if (!mayAll && typeof limit === 'number' && members >= limit)
    throw new Fault('group.invitation.limit', {
      detail: `The group may have ${limit} members, and has them.`,
    });
  if (members < groupMembersMax) return;
  const message = `would be member ${groupMembersMax + 1}; there are at most ${groupMembersMax}`;
  throw new Fault('request.invalid', { details: [{ path: 'id', message }] });
}
