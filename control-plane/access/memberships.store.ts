import { sql, type Expression, type JoinBuilder, type SqlBool } from 'kysely';
import { type PageBounds, readPage, type Rows } from '../storage/read-page.ts';
import type { Queries } from '../storage/storage.ts';
import type { Database } from '../storage/tables.ts';
import type { HeldRole, Visible } from './actor.ts';
import type { Scope } from './permissions.ts';
import { readRights } from './roles.ts';

/** A role that a user holds on something. One user is PRIMARY_OWNER of an API or application, no more. */
interface MembershipTable {
  readonly organization: string;
  /** organization, environment, api, application ... */
  readonly scope: string;
  /** Id of the organization, environment, API or application. */
  readonly reference: string;
  /** USER; what members of a group hold stands in user_group_member. */
  readonly member_type: string;
  readonly member: string;
  readonly role: string;
  readonly created_at_ms: number;
  /** The identity provider whose mapping gave it, and takes it again; null for what people gave. */
  readonly source: string | null;
}

declare module '../storage/tables.ts' {
  interface Database {
    membership: MembershipTable;
  }
}

/** Somebody's role on something, to be written. */
export interface NewMembership extends HeldRole {
  readonly organization: string;
  readonly user: string;
  readonly nowMs: number;
}

/** Where what a role of people's own permits is found. */
const withRole = (join: JoinBuilder<Database, 'membership' | 'custom_role'>) =>
  join
    .onRef('custom_role.organization', '=', 'membership.organization')
    .onRef('custom_role.scope', '=', 'membership.scope')
    .onRef('custom_role.name', '=', 'membership.role');
const heldColumns = [
  'membership.scope',
  'membership.reference',
  'membership.role',
  'membership.source',
  'custom_role.rights',
] as const;

/** What a user holds in the organization and its environments. */
export async function tenantRoles(
  db: Queries,
  organization: string,
  user: string,
): Promise<readonly HeldRole[]> {
  const rows = await db
    .selectFrom('membership')
    .leftJoin('custom_role', withRole)
    .select(heldColumns)
    .where('membership.organization', '=', organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.member', '=', user)
    .where('membership.scope', 'in', ['organization', 'environment'])
    .execute();
  return rows.map(heldRole);
}

/** What a user holds on those objects. */
export async function objectRoles(
  db: Queries,
  who: { readonly organization: string; readonly user: string },
  objects: readonly { readonly scope: Scope; readonly reference: string }[],
): Promise<readonly HeldRole[]> {
  if (objects.length === 0) return [];
  const own = db
    .selectFrom('membership')
    .leftJoin('custom_role', withRole)
    .select([...heldColumns, sql<string | null>`null`.as('group')])
    .where('membership.organization', '=', who.organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.member', '=', who.user)
    .where((where) =>
      where.or(
        referencesByScope(objects).map(([scope, references]) =>
          where.and([where('membership.scope', '=', scope), where('membership.reference', 'in', references)]),
        ),
      ),
    );
  // One question, so that what a request may do costs one, however it is held.
  const rows = await own.unionAll(heldByGroups(db, who, objects)).execute();
  return rows.map(heldRole);
}

/** What a user holds on all objects of a scope, e.g. on which APIs he may do what. */
export async function scopeRoles(
  db: Queries,
  who: { readonly organization: string; readonly user: string },
  scope: 'api' | 'application',
): Promise<readonly HeldRole[]> {
  const own = db
    .selectFrom('membership')
    .leftJoin('custom_role', withRole)
    .select([...heldColumns, sql<string | null>`null`.as('group')])
    .where('membership.organization', '=', who.organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.member', '=', who.user)
    .where('membership.scope', '=', scope);
  const byGroups = allByGroups(db, who).where('user_group_object.scope', '=', scope);
  const rows = await own.unionAll(byGroups).execute();
  return rows.map(heldRole);
}

/** A list asks of a thousand objects: as so many alternatives they cost both databases more to read than to answer. */
function referencesByScope(
  objects: readonly { readonly scope: Scope; readonly reference: string }[],
): readonly (readonly [Scope, readonly string[]])[] {
  const groups = Map.groupBy(objects, ({ scope }) => scope);
  return [...groups].map(([scope, ofScope]) => [scope, ofScope.map(({ reference }) => reference)]);
}

/** What a user holds on objects by the groups that they have. */
function heldByGroups(
  db: Queries,
  who: { readonly organization: string; readonly user: string },
  objects: readonly { readonly scope: Scope; readonly reference: string }[],
) {
  return allByGroups(db, who).where((where) =>
    where.or(
      referencesByScope(objects).map(([scope, references]) =>
        where.and([
          where('user_group_object.scope', '=', scope),
          where('user_group_object.reference', 'in', references),
        ]),
      ),
    ),
  );
}

/** What a user holds by groups, on whatever has one. */
function allByGroups(db: Queries, who: { readonly organization: string; readonly user: string }) {
  return db
    .selectFrom('user_group_member')
    .innerJoin('user_group_object', (join) =>
      join
        .onRef('user_group_object.group_id', '=', 'user_group_member.group_id')
        .onRef('user_group_object.scope', '=', 'user_group_member.scope'),
    )
    .leftJoin('custom_role', (join) =>
      join
        .onRef('custom_role.organization', '=', 'user_group_member.organization')
        .onRef('custom_role.scope', '=', 'user_group_member.scope')
        .onRef('custom_role.name', '=', 'user_group_member.role'),
    )
    .select([
      'user_group_object.scope',
      'user_group_object.reference',
      'user_group_member.role',
      'user_group_member.source',
      'custom_role.rights',
      sql<string | null>`user_group_member.group_id`.as('group'),
    ])
    .where('user_group_member.organization', '=', who.organization)
    .where('user_group_member.member', '=', who.user);
}

/** Gives a role; one that is held already stays. */
export async function addMembership(db: Queries, membership: NewMembership): Promise<void> {
  await db
    .insertInto('membership')
    .values({
      organization: membership.organization,
      scope: membership.scope,
      reference: membership.reference,
      member_type: 'USER',
      member: membership.user,
      role: membership.name,
      created_at_ms: membership.nowMs,
      source: membership.source ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes away everything that is held on an object, also by groups, e.g. when it is deleted. */
export async function removeMemberships(
  db: Queries,
  organization: string,
  object: { readonly scope: Scope; readonly reference: string },
): Promise<void> {
  await db
    .deleteFrom('membership')
    .where('organization', '=', organization)
    .where('scope', '=', object.scope)
    .where('reference', '=', object.reference)
    .execute();
  await db
    .deleteFrom('user_group_object')
    .where('organization', '=', organization)
    .where('scope', '=', object.scope)
    .where('reference', '=', object.reference)
    .execute();
}

/** A user as the owner of something. */
export interface Owner {
  readonly id: string;
  readonly displayName: string;
}

/** Who owns each of the objects. */
export async function primaryOwners(
  db: Queries,
  organization: string,
  objects: { readonly scope: 'api' | 'application'; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, Owner>> {
  if (objects.ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('membership')
    .innerJoin('user_account', 'user_account.id', 'membership.member')
    .select(['membership.reference', 'user_account.id', 'user_account.display_name'])
    .where('membership.organization', '=', organization)
    .where('membership.scope', '=', objects.scope)
    .where('membership.role', '=', 'PRIMARY_OWNER')
    .where('membership.reference', 'in', [...new Set(objects.ids)])
    .execute();
  return new Map(rows.map((row) => [row.reference, { id: row.id, displayName: row.display_name }]));
}

/** A user with the role that he holds on an object. */
export interface MemberRow {
  readonly id: string;
  /** As the table of accounts has it; see `UserAccountTable`. */
  readonly status: string;
  readonly display_name: string;
  readonly role: string;
}

/** Who holds a role on an object, by name. */
export function listMembers(
  db: Queries,
  { organization, scope, reference, user }: MemberObject & { readonly user?: string },
  bounds: PageBounds,
): Promise<Rows<MemberRow>> {
  let query = db
    .selectFrom('membership')
    .innerJoin('user_account', 'user_account.id', 'membership.member')
    .select(['user_account.id', 'user_account.display_name', 'user_account.status', 'membership.role'])
    .where('membership.organization', '=', organization)
    .where('membership.scope', '=', scope)
    .where('membership.reference', '=', reference)
    .where('membership.member_type', '=', 'USER');
  if (user !== undefined) query = query.where('membership.member', '=', user);
  return readPage(query.orderBy('user_account.display_name').orderBy('user_account.id'), bounds);
}

/** What roles are held on. */
export interface MemberObject {
  readonly organization: string;
  readonly scope: Scope;
  readonly reference: string;
}

/** Takes from a user whatever he holds on an object. */
export async function removeMember(db: Queries, held: HeldOn): Promise<void> {
  await takeAway(db, held).execute();
}

/** Takes one role on an object from a user. */
export async function removeRole(db: Queries, held: HeldOn, role: string): Promise<void> {
  await takeAway(db, held).where('role', '=', role).execute();
}

type HeldOn = MemberObject & { readonly user: string };

function takeAway(db: Queries, { organization, scope, reference, user }: HeldOn) {
  return db
    .deleteFrom('membership')
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('reference', '=', reference)
    .where('member_type', '=', 'USER')
    .where('member', '=', user);
}

/** Who holds a role of the organization, by name. */
export function listHolders(
  db: Queries,
  {
    organization,
    role,
    limit,
  }: { readonly organization: string; readonly role: string; readonly limit: number },
) {
  return db
    .selectFrom('membership')
    .innerJoin('user_account', 'user_account.id', 'membership.member')
    .select(['user_account.id', 'user_account.display_name'])
    .where('membership.organization', '=', organization)
    .where('membership.scope', '=', 'organization')
    .where('membership.reference', '=', organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.role', '=', role)
    .orderBy('user_account.display_name')
    .orderBy('user_account.id')
    .limit(limit)
    .execute();
}

/** The condition of a list: the row's id is among what the user is a member of, himself or by a group. */
export function isMemberOf(
  id: Expression<string>,
  scope: Scope,
  visible: Extract<Visible, { kind: 'member' }>,
): Expression<SqlBool> {
  const { organization, user, roles } = visible;
  if (roles?.length === 0) return sql<SqlBool>`1 = 0`;
  const by = (column: string) =>
    roles === undefined ? sql`` : sql` and ${sql.ref(column)} in (${sql.join(roles)})`;
  // Asked once for a list; with the object in the question SQLite read all that the user holds for each of 10,000 rows.
  return sql<SqlBool>`(${id} in (select membership.reference from membership
    where membership.organization = ${organization} and membership.scope = ${scope}
    and membership.member_type = 'USER' and membership.member = ${user}${by('membership.role')})
    or ${id} in (select object.reference from user_group_member held join user_group_object object
    on object.group_id = held.group_id and object.scope = held.scope
    where held.organization = ${organization} and held.scope = ${scope} and held.member = ${user}${by('held.role')}))`;
}

function heldRole(row: {
  readonly scope: string;
  readonly reference: string;
  readonly role: string;
  readonly rights: string | null;
  readonly source: string | null;
  readonly group?: string | null;
}): HeldRole {
  const { scope, reference, role: name, rights, group, source } = row;
  return {
    scope: scope as Scope,
    reference,
    name,
    ...(rights !== null && { rights: readRights(rights) }),
    ...(typeof group === 'string' && { group }),
    ...(source !== null && { source }),
  };
}
