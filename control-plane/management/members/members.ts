import { z } from '@hono/zod-openapi';
import { Fault, invariant } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, heldRights } from '../../access/actor.ts';
import {
  addMembership,
  listMembers as listRows,
  type MemberRow,
  primaryOwners,
  removeMember as removeRow,
} from '../../access/memberships.store.ts';
import type { Queries } from '../../storage/storage.ts';
import { type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import { foundApplication, lockedApplication } from '../applications/applications.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { choiceOf, idSchema } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkComesIn, checkRole, type Named, namedUser, primaryOwner } from './assignable.ts';

/*
 * Who holds which role on an API or an application. A user holds one role on an object; one of them is its primary owner, which changes by
 * a transfer and in no other way.
 */

/** A member as v2 answers it. */
export const memberSchema = z
  .object({
    id: z.string(),
    displayName: z.string(),
    roles: z.array(z.object({ name: z.string(), scope: z.enum(['API', 'APPLICATION', 'GROUP']) })),
  })
  .openapi('Member');
/** A member as v1 answers it. */
export const memberV1Schema = z
  .object({ id: z.string(), displayName: z.string(), role: z.string() })
  .openapi('MemberV1');
const roleNameSchema = z.string().min(1).max(64);
/** Body of an addition; `externalReference` is what a search for users gives as `reference`. */
export const newMemberSchema = z
  .strictObject({
    userId: idSchema.optional(),
    externalReference: z.string().max(256).optional(),
    roleName: roleNameSchema,
  })
  .openapi('AddMember');
/** Body of a change. */
export const memberUpdateSchema = z.strictObject({ roleName: roleNameSchema }).openapi('UpdateMember');
/** Body of an addition or change in v1. */
export const memberWishV1Schema = z
  .strictObject({
    id: idSchema.optional(),
    reference: z.string().max(256).optional(),
    role: roleNameSchema,
  })
  .openapi('ApiMembership');
/** Body of a transfer; a group owns nothing yet. */
export const transferSchema = z
  .strictObject({
    userId: idSchema.optional(),
    userReference: z.string().max(256).optional(),
    userType: choiceOf(['USER'], ['GROUP']).default('USER'),
    /** What the former owner becomes; unnamed what members of an API are unless somebody says otherwise. */
    poRole: roleNameSchema.default('USER'),
  })
  .openapi('ApiTransferOwnership');
/** Body of a transfer in v1. */
export const transferV1Schema = z
  .strictObject({
    id: idSchema.optional(),
    reference: z.string().max(256).optional(),
    type: z.enum(['USER']).default('USER'),
    role: roleNameSchema,
  })
  .openapi('TransferOwnership');
/** What the caller may do: letters of C, R, U and D by permission. */
export const rightsSchema = z.record(z.string(), z.array(z.string()));

/** Someone with his role. */
export interface Member {
  readonly id: string;
  readonly displayName: string;
  readonly role: string;
}

/** What somebody is a member of. */
export interface MemberOf {
  readonly at: EnvironmentRef;
  readonly scope: 'api' | 'application';
  readonly id: string;
}

/** As v2 answers it. */
export const memberView = (scope: MemberOf['scope'], { id, displayName, role }: Member) => ({
  id,
  displayName,
  roles: [{ name: role, scope: scope === 'api' ? ('API' as const) : ('APPLICATION' as const) }],
});

/** A page of them, by name. Errors: request.not_found. */
export async function listMembers(
  desk: Desk,
  of: MemberOf & { readonly page: PageWish },
): Promise<{ readonly data: readonly Member[]; readonly total: number }> {
  const { db } = desk.storage;
  await checkThere(db, of);
  const { rows, total } = await listRows(db, object(of), boundsOf(of.page));
  return { data: rows.map(member), total };
}

/** All of them, for v1, which has no pages here: at most {@link membersMax}. Errors: request.not_found. */
export async function allMembers(desk: Desk, of: MemberOf): Promise<readonly Member[]> {
  const { db } = desk.storage;
  await checkThere(db, of);
  const { rows } = await listRows(db, object(of), { limit: membersMax, offset: 0 });
  return rows.map(member);
}

/** Members of one object; past it nobody is added. */
const membersMax = 1_000;

/**
 * Gives a user a role in place of the one that he holds, if any.
 *
 * Errors: request.not_found; user.notFound; role.invalid; members.invalid; primary.owner.removal for the primary owner himself; request.invalid
 * when nobody is named, or one who comes in by nothing, or there are too many.
 */
export function setMember(
  desk: Desk,
  actor: Actor,
  of: MemberOf & { readonly user: Named; readonly role: string; readonly mustBeMember?: boolean },
): Promise<Member> {
  return change(desk, { actor, at: of.at }, async (now) => {
    await lock(now, of);
    if (of.role === primaryOwner) throw new Fault('members.invalid');
    await checkRole(now, of.scope, of.role);
    const user = await namedUser(now, of.user);
    const before = await heldBy(now, of, user.id);
    if (before?.role === primaryOwner) throw new Fault('primary.owner.removal');
    if (before === undefined && of.mustBeMember === true) throw noMember(user.id);
    if (before?.role !== of.role) {
      checkComesIn(user, of.user);
      if (before === undefined) await checkRoom(now, of);
      await give(now, of, { user: user.id, role: of.role });
      await audit(now, of, {
        event: before === undefined ? 'MEMBERSHIP_CREATED' : 'MEMBERSHIP_UPDATED',
        user: user.id,
        role: of.role,
        former: before?.role,
      });
    }
    return { id: user.id, displayName: user.display_name, role: of.role };
  });
}

/** Takes a role away. Errors: request.not_found; primary.owner.removal. */
export function removeMember(
  desk: Desk,
  actor: Actor,
  of: MemberOf & { readonly userId: string },
): Promise<void> {
  return change(desk, { actor, at: of.at }, async (now) => {
    await lock(now, of);
    const held = await heldBy(now, of, of.userId);
    if (held === undefined) throw noMember(of.userId);
    if (held.role === primaryOwner) throw new Fault('primary.owner.removal');
    await removeRow(now.trx, { ...object(of), user: of.userId });
    await audit(now, of, { event: 'MEMBERSHIP_DELETED', user: of.userId, former: held.role });
  });
}

/**
 * Makes a user the primary owner; who was it gets another role.
 *
 * Errors: request.not_found; user.notFound; role.invalid; role.transferNotAllowed; request.invalid when nobody is named, or one who comes in by nothing.
 */
export function transferOwnership(
  desk: Desk,
  actor: Actor,
  of: MemberOf & { readonly user: Named; readonly roleOfFormer: string },
): Promise<void> {
  return change(desk, { actor, at: of.at }, async (now) => {
    await lock(now, of);
    if (of.roleOfFormer === primaryOwner) throw new Fault('role.transferNotAllowed');
    await checkRole(now, of.scope, of.roleOfFormer);
    const user = await namedUser(now, of.user);
    const { rows } = await listRows(now.trx, object(of), {
      limit: membersMax,
      offset: 0,
    });
    const former = rows.find(({ role }) => role === primaryOwner);
    if (former?.id === user.id) return;
    checkComesIn(user, of.user);
    // In this order: an object has one primary owner at any moment.
    if (former !== undefined) await give(now, of, { user: former.id, role: of.roleOfFormer });
    await give(now, of, { user: user.id, role: primaryOwner });
    if (former !== undefined)
      await audit(now, of, {
        event: 'MEMBERSHIP_UPDATED',
        user: former.id,
        role: of.roleOfFormer,
        former: primaryOwner,
      });
    const before = rows.find(({ id }) => id === user.id)?.role;
    const event = before === undefined ? 'MEMBERSHIP_CREATED' : 'MEMBERSHIP_UPDATED';
    await audit(now, of, { event, user: user.id, role: primaryOwner, former: before });
  });
}

/** What the caller may do with the object. Errors: request.not_found. */
export async function ownRights(
  desk: Desk,
  actor: Actor,
  of: MemberOf,
): Promise<Readonly<Record<string, readonly string[]>>> {
  await checkThere(desk.storage.db, of);
  return heldRights(actor, of.scope, { ...of.at, [of.scope]: of.id });
}

async function checkThere(db: Queries, { at, scope, id }: MemberOf): Promise<void> {
  await (scope === 'api' ? foundApi : foundApplication)(db, { at, id });
}

/** Two changes of one object's members wait for each other. Errors: request.not_found, application.archived. */
async function lock(now: Change, { scope, id }: MemberOf): Promise<void> {
  if (scope === 'api') return void (await lockedApi(now, id));
  const { status } = await lockedApplication(now, id);
  if (status === 'ARCHIVED') throw new Fault('application.archived');
}

async function heldBy(now: Change, of: MemberOf, user: string): Promise<MemberRow | undefined> {
  const wanted = { ...object(of), user };
  return (await listRows(now.trx, wanted, { limit: 1, offset: 0 })).rows[0];
}

async function checkRoom(now: Change, of: MemberOf): Promise<void> {
  const { total } = await listRows(now.trx, object(of), { limit: 1, offset: 0 });
  if (total < membersMax) return;
  const message = `would be member ${membersMax + 1}; there are at most ${membersMax}`;
  throw new Fault('request.invalid', { details: [{ path: 'userId', message }] });
}

async function give(
  now: Change,
  of: MemberOf,
  { user, role }: { readonly user: string; readonly role: string },
): Promise<void> {
  await removeRow(now.trx, { ...object(of), user });
  await addMembership(now.trx, { ...object(of), user, name: role, nowMs: now.nowMs });
}

function audit(
  now: Change,
  { scope, id }: MemberOf,
  {
    event,
    user,
    role,
    former,
  }: {
    readonly event: AuditEvent;
    readonly user: string;
    readonly role?: string;
    readonly former?: string | undefined;
  },
): Promise<void> {
  const object = { type: scope === 'api' ? 'API' : 'APPLICATION', id } as const;
  const rows = { before: { role: former }, after: { role } };
  return now.audit(event, { ...object, ...rows }, { USER: user, ROLE: role ?? former ?? '' });
}

const object = ({ at, scope, id }: MemberOf) => ({ organization: at.organization, scope, reference: id });
const member = ({ id, display_name: displayName, role }: MemberRow): Member => ({ id, displayName, role });
const noMember = (id: string): Fault =>
  new Fault('request.not_found', { detail: `There is no member "${id}" here.` });

/** Who the primary owner of an API is. Errors: request.not_found. */
export async function primaryOwnerOf(desk: Desk, { at, id }: ApiRef): Promise<{ readonly id: string }> {
  const { db } = desk.storage;
  const api = await foundApi(db, { at, id });
  const owner = (await primaryOwners(db, at.organization, { scope: 'api', ids: [api.id] })).get(api.id);
  invariant(owner !== undefined, 'an API has a primary owner');
  return { id: owner.id };
}
