import { type ExpressionBuilder, sql, type Updateable } from 'kysely';
import { type PageBounds, readPage, type Rows } from '../storage/read-page.ts';
import type { Queries, Trx } from '../storage/storage.ts';
import type { Database } from '../storage/tables.ts';
import type { UserAccountTable, UserRow } from './access.store.ts';
import type { Scope } from './permissions.ts';

/** Names of users of an organization, by id. */
export async function displayNames(
  db: Queries,
  organization: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('user_account')
    .select(['id', 'display_name'])
    .where('organization', '=', organization)
    .where('id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row.display_name]));
}

/** A user as lists tell of him; counts come as numbers or text, by the database. */
export interface UserListRow extends UserRow {
  readonly admin_roles: number | string | null;
  readonly owned: number | string | null;
  readonly tokens: number | string | null;
}

/** Whose account. */
export interface UserRef {
  readonly organization: string;
  readonly userId: string;
}

/**
 * A page of an organization's users by name; those who were deleted are left out. `pattern` is one of LIKE, in lower case. What they hold is counted
 * of the page alone: a database counts it of every row that it passes on its way there.
 */
export async function listUsers(
  db: Queries,
  organization: string,
  { pattern, bounds }: { readonly pattern?: string | undefined; readonly bounds: PageBounds },
): Promise<Rows<UserListRow>> {
  let selected = db
    .selectFrom('user_account')
    .where('user_account.organization', '=', organization)
    .where('user_account.status', '!=', 'ARCHIVED');
  if (pattern !== undefined)
    selected = selected.where(
      sql<boolean>`(lower(username) like ${pattern} escape '\\' or lower(display_name) like ${pattern} escape '\\'
        or lower(coalesce(email, '')) like ${pattern} escape '\\')`,
    );
  const page = await readPage(selected.select('id').orderBy('username').orderBy('id'), bounds);
  if (page.rows.length === 0) return { rows: [], total: page.total };
  const ids = page.rows.map(({ id }) => id);
  const rows = await counted(db, organization)
    .where('user_account.id', 'in', ids)
    .orderBy('username')
    .orderBy('user_account.id')
    .execute();
  return { rows, total: page.total };
}

/** One of them; also one who was deleted. */
export function findUserWithCounts(
  db: Queries,
  { organization, userId }: UserRef,
): Promise<UserListRow | undefined> {
  return counted(db, organization).where('user_account.id', '=', userId).executeTakeFirst();
}

/** Users of an organization with what they hold. */
function counted(db: Queries, organization: string) {
  return db
    .selectFrom('user_account')
    .selectAll('user_account')
    .select(countsOf)
    .where('user_account.organization', '=', organization);
}

function countsOf(select: ExpressionBuilder<Database, 'user_account'>) {
  const held = select
    .selectFrom('membership')
    .select((count) => count.fn.countAll<number>().as('held'))
    .whereRef('membership.organization', '=', 'user_account.organization')
    .whereRef('membership.member', '=', 'user_account.id')
    .where('membership.member_type', '=', 'USER');
  return [
    held
      .whereRef('membership.reference', '=', 'user_account.organization')
      .where('membership.scope', '=', 'organization')
      .where('membership.role', '=', 'ADMIN')
      .as('admin_roles'),
    held.where('membership.role', '=', 'PRIMARY_OWNER').as('owned'),
    select
      .selectFrom('personal_token')
      .select((count) => count.fn.countAll<number>().as('made'))
      .whereRef('personal_token.user_id', '=', 'user_account.id')
      .as('tokens'),
  ] as const;
}

/** Changes what is known of a user. */
export function updateUser(
  trx: Trx,
  { organization, userId }: UserRef,
  set: Updateable<UserAccountTable>,
): Promise<UserRow> {
  return trx
    .updateTable('user_account')
    .set(set)
    .where('organization', '=', organization)
    .where('id', '=', userId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The user who has administered the organization longest, of those who can sign in, but not that one. */
export function firstAdministrator(
  db: Queries,
  organization: string,
  but?: string,
): Promise<UserRow | undefined> {
  let query = db
    .selectFrom('user_account')
    .innerJoin('membership', 'membership.member', 'user_account.id')
    .selectAll('user_account')
    .where('user_account.organization', '=', organization)
    .where('user_account.status', '=', 'ACTIVE')
    .where('user_account.is_service', '=', 0)
    .where('membership.organization', '=', organization)
    .where('membership.scope', '=', 'organization')
    .where('membership.reference', '=', organization)
    .where('membership.role', '=', 'ADMIN');
  if (but !== undefined) query = query.where('user_account.id', '!=', but);
  return query.orderBy('membership.created_at_ms').orderBy('user_account.id').executeTakeFirst();
}

/** How many APIs and applications a user is primary owner of. */
export async function countOwned(
  db: Queries,
  { organization, userId }: UserRef,
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('membership')
    .select((select) => ['scope', select.fn.countAll<number>().as('total')])
    .where('organization', '=', organization)
    .where('member_type', '=', 'USER')
    .where('member', '=', userId)
    .where('role', '=', 'PRIMARY_OWNER')
    .groupBy('scope')
    .execute();
  return new Map(rows.map(({ scope, total }) => [scope, Number(total)]));
}

/** Takes from a user all that he holds, himself and by groups. */
export async function removeHeld(db: Queries, { organization, userId }: UserRef): Promise<void> {
  await db
    .deleteFrom('membership')
    .where('organization', '=', organization)
    .where('member_type', '=', 'USER')
    .where('member', '=', userId)
    .execute();
  await db
    .deleteFrom('user_group_member')
    .where('organization', '=', organization)
    .where('member', '=', userId)
    .execute();
}

/** What a user holds in one scope: on which object, which role, by which group if by one. */
export interface Holding {
  readonly reference: string;
  readonly role: string;
  readonly group: string | null;
  /** The identity provider whose mapping gave it. */
  readonly source: string | null;
}

/** What a user holds on APIs or applications, himself and by groups; at most `limit`, by object. */
export async function listHoldings(
  db: Queries,
  { organization, userId }: UserRef,
  { scope, limit, reference }: { readonly scope: Scope; readonly limit: number; readonly reference?: string },
): Promise<readonly Holding[]> {
  let own = db
    .selectFrom('membership')
    .select(['membership.reference', 'membership.role', 'membership.source'])
    .select(sql<string | null>`null`.as('group'))
    .where('membership.organization', '=', organization)
    .where('membership.member_type', '=', 'USER')
    .where('membership.member', '=', userId)
    .where('membership.scope', '=', scope);
  let byGroup = db
    .selectFrom('user_group_member')
    .innerJoin('user_group_object', (join) =>
      join
        .onRef('user_group_object.group_id', '=', 'user_group_member.group_id')
        .onRef('user_group_object.scope', '=', 'user_group_member.scope'),
    )
    .select([
      'user_group_object.reference',
      'user_group_member.role',
      'user_group_member.source',
      sql<string | null>`user_group_member.group_id`.as('group'),
    ])
    .where('user_group_member.organization', '=', organization)
    .where('user_group_member.member', '=', userId)
    .where('user_group_member.scope', '=', scope);
  if (reference !== undefined) {
    own = own.where('membership.reference', '=', reference);
    byGroup = byGroup.where('user_group_object.reference', '=', reference);
  }
  return own.unionAll(byGroup).orderBy('reference').orderBy('role').limit(limit).execute();
}

/** The groups of a user, of all environments or of one, with his roles in each. */
export async function groupsOfUser(
  db: Queries,
  { organization, userId }: UserRef,
  { environment, limit }: { readonly environment?: string | undefined; readonly limit: number },
) {
  let query = db
    .selectFrom('user_group_member')
    .innerJoin('user_group', 'user_group.id', 'user_group_member.group_id')
    .select(['user_group.id', 'user_group.name', 'user_group.environment'])
    .select(['user_group_member.scope', 'user_group_member.role', 'user_group_member.source'])
    .where('user_group_member.organization', '=', organization)
    .where('user_group_member.member', '=', userId);
  if (environment !== undefined) query = query.where('user_group.environment', '=', environment);
  return query
    .orderBy('user_group.name_key')
    .orderBy('user_group.id')
    .orderBy('user_group_member.scope')
    .limit(limit)
    .execute();
}
