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
  /** USER; groups come later. */
  readonly member_type: string;
  readonly member: string;
  readonly role: string;
  readonly created_at_ms: number;
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
  const rows = await db
    .selectFrom('membership')
    .leftJoin('custom_role', withRole)
    .select(heldColumns)
    .where('membership.organization', '=', who.organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.member', '=', who.user)
    .where((where) =>
      where.or(
        objects.map(({ scope, reference }) =>
          where.and([where('membership.scope', '=', scope), where('membership.reference', '=', reference)]),
        ),
      ),
    )
    .execute();
  return rows.map(heldRole);
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
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes away everything that is held on an object, e.g. when it is deleted. */
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
    .select(['user_account.id', 'user_account.display_name', 'membership.role'])
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
export async function removeMember(
  db: Queries,
  { organization, scope, reference, user }: MemberObject & { readonly user: string },
): Promise<void> {
  await db
    .deleteFrom('membership')
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('reference', '=', reference)
    .where('member_type', '=', 'USER')
    .where('member', '=', user)
    .execute();
}

/** The condition of a list: the row's id is among what the user is a member of. */
export function isMemberOf(
  id: Expression<string>,
  scope: Scope,
  visible: Extract<Visible, { kind: 'member' }>,
): Expression<SqlBool> {
  return sql<SqlBool>`exists (select 1 from membership
    where membership.organization = ${visible.organization} and membership.scope = ${scope}
    and membership.reference = ${id} and membership.member_type = 'USER' and membership.member = ${visible.user})`;
}

function heldRole(row: {
  readonly scope: string;
  readonly reference: string;
  readonly role: string;
  readonly rights: string | null;
}): HeldRole {
  const { scope, reference, role: name, rights } = row;
  const held = { scope: scope as Scope, reference, name };
  return rights === null ? held : { ...held, rights: readRights(rights) };
}
