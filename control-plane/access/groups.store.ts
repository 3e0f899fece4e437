import type { Selectable } from 'kysely';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { inTenant } from '../storage/in-tenant.ts';
import type { PageBounds, Rows } from '../storage/read-page.ts';
import type { Queries } from '../storage/storage.ts';
import type { Scope } from './permissions.ts';

/** A role of a member of a group, one in each scope: it is held on everything of the scope that has the group. */
interface UserGroupMemberTable {
  readonly group_id: string;
  readonly organization: string;
  readonly environment: string;
  /** api, application or group. */
  readonly scope: string;
  readonly member: string;
  role: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
  /** The identity provider whose mapping gave it, and takes it again; null for what people gave. */
  readonly source: string | null;
}

/** What has a group: APIs, applications, and the group itself, so that one question finds all that its members hold. */
interface UserGroupObjectTable {
  readonly group_id: string;
  readonly organization: string;
  readonly environment: string;
  readonly scope: string;
  readonly reference: string;
}

declare module '../storage/tables.ts' {
  interface Database {
    user_group_member: UserGroupMemberTable;
    user_group_object: UserGroupObjectTable;
  }
}

/** Scopes of roles that a group gives. */
export const groupScopes = ['api', 'application', 'group'] as const satisfies readonly Scope[];
/** One of {@link groupScopes}. */
export type GroupScope = (typeof groupScopes)[number];

/** Which group. */
export interface GroupRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** A member with his roles in a group. */
export interface GroupMember {
  readonly id: string;
  readonly displayName: string;
  readonly roles: Readonly<Partial<Record<GroupScope, string>>>;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** The identity provider whose mapping made him one; absent where people did. */
  readonly source?: string | undefined;
}

/** What has groups. */
export interface GroupedObject {
  readonly at: EnvironmentRef;
  readonly scope: GroupScope;
  readonly reference: string;
}

type MemberRow = Selectable<UserGroupMemberTable> & { readonly display_name: string };

const memberRows = (db: Queries, at: EnvironmentRef) =>
  db
    .selectFrom('user_group_member')
    .innerJoin('user_account', 'user_account.id', 'user_group_member.member')
    .selectAll('user_group_member')
    .select('user_account.display_name')
    .where('user_group_member.organization', '=', at.organization)
    .where('user_group_member.environment', '=', at.environment);

/** A page of the members of a group, by name. */
export async function listGroupMembers(
  db: Queries,
  { at, id }: GroupRef,
  bounds: PageBounds,
): Promise<Rows<GroupMember>> {
  const page = await db
    .selectFrom('user_group_member')
    .innerJoin('user_account', 'user_account.id', 'user_group_member.member')
    .select(['user_account.id', 'user_account.display_name'])
    .where('user_group_member.organization', '=', at.organization)
    .where('user_group_member.environment', '=', at.environment)
    .where('user_group_member.group_id', '=', id)
    .distinct()
    .orderBy('user_account.display_name')
    .orderBy('user_account.id')
    .limit(bounds.limit)
    .offset(bounds.offset)
    .execute();
  const total = await countGroupMembers(db, { at, id });
  if (page.length === 0) return { rows: [], total };
  const rows = await memberRows(db, at)
    .where('user_group_member.group_id', '=', id)
    .where(
      'user_group_member.member',
      'in',
      page.map((one) => one.id),
    )
    .execute();
  return { rows: page.map((one) => memberOf(rows.filter(({ member }) => member === one.id))), total };
}

/** How many members a group has. */
export async function countGroupMembers(db: Queries, { at, id }: GroupRef): Promise<number> {
  const counted = await inTenant(db.selectFrom('user_group_member'), at)
    .select((select) => select.fn.count<number>('member').distinct().as('total'))
    .where('group_id', '=', id)
    .executeTakeFirstOrThrow();
  return Number(counted.total);
}

/** One member; undefined for who is none. */
export async function findGroupMember(
  db: Queries,
  { at, id }: GroupRef,
  user: string,
): Promise<GroupMember | undefined> {
  const rows = await memberRows(db, at)
    .where('user_group_member.group_id', '=', id)
    .where('user_group_member.member', '=', user)
    .execute();
  return rows.length === 0 ? undefined : memberOf(rows);
}

/** The groups of an environment that somebody is a member of. */
export async function groupsOfMember(
  db: Queries,
  at: EnvironmentRef,
  user: string,
): Promise<ReadonlySet<string>> {
  const rows = await inTenant(db.selectFrom('user_group_member'), at)
    .select('group_id')
    .distinct()
    .where('member', '=', user)
    .execute();
  return new Set(rows.map((row) => row.group_id));
}

/** Gives a member these roles in place of those that he has. */
export async function setGroupMember(
  db: Queries,
  { at, id }: GroupRef,
  wish: {
    readonly user: string;
    readonly roles: GroupMember['roles'];
    readonly createdAtMs: number;
    readonly nowMs: number;
    /** The identity provider whose mapping gives them; absent where people do. */
    readonly source?: string | undefined;
  },
): Promise<void> {
  await removeGroupMember(db, { at, id }, wish.user);
  for (const [scope, role] of Object.entries(wish.roles))
    await db
      .insertInto('user_group_member')
      .values({
        organization: at.organization,
        environment: at.environment,
        group_id: id,
        scope,
        member: wish.user,
        role,
        created_at_ms: wish.createdAtMs,
        updated_at_ms: wish.nowMs,
        source: wish.source ?? null,
      })
      .execute();
}

/** Takes a member out of a group. */
export async function removeGroupMember(db: Queries, { at, id }: GroupRef, user: string): Promise<void> {
  await inTenant(db.deleteFrom('user_group_member'), at)
    .where('group_id', '=', id)
    .where('member', '=', user)
    .execute();
}

/** Groups that the mapping of an identity provider has put somebody in, of all environments. */
export function mappedGroups(
  db: Queries,
  organization: string,
  of: { readonly user: string; readonly source: string },
): Promise<readonly { readonly id: string; readonly environment: string }[]> {
  return db
    .selectFrom('user_group_member')
    .select(['group_id as id', 'environment'])
    .distinct()
    .where('organization', '=', organization)
    .where('member', '=', of.user)
    .where('source', '=', of.source)
    .execute();
}

/** Says that an object has these groups, and no other. */
export async function setGroupsOf(
  db: Queries,
  { at, scope, reference }: GroupedObject,
  groups: readonly string[],
): Promise<void> {
  await inTenant(db.deleteFrom('user_group_object'), at)
    .where('scope', '=', scope)
    .where('reference', '=', reference)
    .execute();
  for (const group of groups)
    await db
      .insertInto('user_group_object')
      .values({ ...at, group_id: group, scope, reference })
      .execute();
}

/** Says that objects have a group too; what has it already stays. */
export async function addGroupTo(
  db: Queries,
  { at, id }: GroupRef,
  { scope, references }: { readonly scope: GroupScope; readonly references: readonly string[] },
): Promise<void> {
  if (references.length === 0) return;
  await db
    .insertInto('user_group_object')
    .values(references.map((reference) => ({ ...at, group_id: id, scope, reference })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Ids of the groups of each of the objects, sorted; what has none is not there. */
export async function groupsOf(
  db: Queries,
  at: EnvironmentRef,
  { scope, references }: { readonly scope: GroupScope; readonly references: readonly string[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const groups = new Map<string, string[]>();
  if (references.length === 0) return groups;
  const rows = await inTenant(db.selectFrom('user_group_object'), at)
    .select(['reference', 'group_id'])
    .where('scope', '=', scope)
    .where('reference', 'in', [...new Set(references)])
    .orderBy('group_id')
    .execute();
  for (const { reference, group_id: group } of rows)
    groups.set(reference, [...(groups.get(reference) ?? []), group]);
  return groups;
}

/** The groups of an organization, of all of its environments. */
export function groupsOfOrganization(db: Queries, organization: string, limit: number) {
  return db
    .selectFrom('user_group')
    .innerJoin('environment', 'environment.id', 'user_group.environment')
    .select(['user_group.id', 'user_group.name', 'environment.id as environmentId'])
    .select('environment.name as environmentName')
    .where('user_group.organization', '=', organization)
    .orderBy('user_group.name_key')
    .orderBy('user_group.id')
    .limit(limit)
    .execute();
}

function memberOf(rows: readonly MemberRow[]): GroupMember {
  const [first] = rows;
  return {
    id: first?.member ?? '',
    displayName: first?.display_name ?? '',
    roles: Object.fromEntries(rows.map(({ scope, role }) => [scope, role])),
    createdAtMs: Math.min(...rows.map((row) => Number(row.created_at_ms))),
    updatedAtMs: Math.max(...rows.map((row) => Number(row.updated_at_ms))),
    ...(typeof first?.source === 'string' && { source: first.source }),
  };
}
