import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inOrganization, inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { GroupRef } from '../../access/groups.store.ts';
import { likePattern } from '../pages.ts';

/** Users of an environment: by their roles in the group each API and application that has it is open to them. */
interface UserGroupTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** Unique in the environment. */
  name: string;
  /** Lower case, for search. */
  name_key: string;
  /** JSON list: what has the group as soon as it is created. */
  event_rules: string;
  /** The role of members who may not choose one; null for the default of the scope. */
  api_role: string | null;
  application_role: string | null;
  /** JSON: what those who do no more than administer the group may not decide. */
  settings: string;
  readonly created_at_ms: number;
  /** Rises with every change, so it is the ETag. */
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    user_group: UserGroupTable;
  }
}

/** A row of user_group. */
export type GroupRow = Selectable<UserGroupTable>;

/** A page of the groups of an environment, by name. */
export function listGroupRows(
  db: Queries,
  at: EnvironmentRef,
  wish: {
    readonly query?: string | undefined;
    readonly ids?: readonly string[] | undefined;
    readonly bounds: PageBounds;
  },
): Promise<Rows<GroupRow>> {
  const { query, ids, bounds } = wish;
  let selected = inTenant(db.selectFrom('user_group'), at);
  if (query !== undefined && query !== '')
    selected = selected.where(sql<boolean>`name_key like ${likePattern(query)} escape '\\'`);
  if (ids !== undefined && ids.length > 0) selected = selected.where('id', 'in', ids);
  return readPage(selected.selectAll().orderBy('name_key').orderBy('id'), bounds);
}

/** The group in its environment. */
export function findGroup(db: Queries, { at, id }: GroupRef): Promise<GroupRow | undefined> {
  return inTenant(db.selectFrom('user_group'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/** The group with its row locked until the transaction ends. */
export function lockGroup(trx: Trx, { at, id }: GroupRef): Promise<GroupRow | undefined> {
  return inTenant(trx.updateTable('user_group'), at)
    .set((row) => ({ name: row.ref('name') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Adds a group; a taken name is a unique violation. */
export async function insertGroup(trx: Trx, row: Insertable<UserGroupTable>): Promise<void> {
  await trx.insertInto('user_group').values(row).execute();
}

/** Changes a group; a taken name is a unique violation. */
export function updateGroupRow(
  trx: Trx,
  { at, id }: GroupRef,
  set: Updateable<UserGroupTable>,
): Promise<GroupRow> {
  return inTenant(trx.updateTable('user_group'), at)
    .set(set)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a group with its members; nothing has it any more. */
export async function deleteGroupRow(trx: Trx, { at, id }: GroupRef): Promise<void> {
  await inTenant(trx.deleteFrom('user_group'), at).where('id', '=', id).execute();
}

/** Ids of the groups that a new object of the kind has. */
export async function groupsByRule(trx: Trx, at: EnvironmentRef, rule: string): Promise<readonly string[]> {
  const rows = await inTenant(trx.selectFrom('user_group'), at)
    .select(['id', 'event_rules'])
    .where('event_rules', '!=', '[]')
    .orderBy('id')
    .execute();
  return rows
    .filter(({ event_rules: rules }) => (JSON.parse(rules) as string[]).includes(rule))
    .map(({ id }) => id);
}

/** The groups that have one of the words as id or name. */
export async function groupsByWord(
  db: Queries,
  at: EnvironmentRef,
  words: readonly string[],
): Promise<readonly Pick<GroupRow, 'id' | 'name'>[]> {
  if (words.length === 0) return [];
  return inTenant(db.selectFrom('user_group'), at)
    .select(['id', 'name'])
    .where((where) => where.or([where('id', 'in', words), where('name', 'in', words)]))
    .execute();
}

/** The groups of which somebody is a member. */
export function groupsOfMember(
  db: Queries,
  at: EnvironmentRef,
  user: string,
): Promise<readonly Pick<GroupRow, 'id' | 'name'>[]> {
  const memberships = inTenant(db.selectFrom('user_group_member'), at)
    .select('group_id')
    .where('member', '=', user);
  return inTenant(db.selectFrom('user_group'), at)
    .select(['id', 'name'])
    .where('id', 'in', memberships)
    .execute();
}

/** Ids of the groups of which somebody is a member, in all environments of the organization. */
export async function groupIdsOfMember(
  db: Queries,
  organization: string,
  user: string,
): Promise<ReadonlySet<string>> {
  const rows = await inOrganization(db.selectFrom('user_group_member'), organization)
    .select('group_id')
    .where('member', '=', user)
    .execute();
  return new Set(rows.map((row) => row.group_id));
}

/** Those of some ids that are groups of the organization, in whichever environment. */
export async function knownGroups(
  db: Queries,
  organization: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await inOrganization(db.selectFrom('user_group'), organization)
    .select('id')
    .where('id', 'in', ids)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** An API or application that has a group. */
export interface ReferenceRow {
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  readonly api_version?: string | undefined;
  readonly visibility?: string | undefined;
}

/** APIs or applications that have a group, or with `isWithout` those that have not, by id. */
export async function referencesOf(
  db: Queries,
  { at, id }: GroupRef,
  wish: { readonly scope: 'api' | 'application'; readonly limit: number; readonly isWithout?: boolean },
): Promise<readonly ReferenceRow[]> {
  const has = inTenant(db.selectFrom('user_group_object'), at)
    .select('reference')
    .where('group_id', '=', id)
    .where('user_group_object.scope', '=', wish.scope);
  const operator = wish.isWithout === true ? 'not in' : 'in';
  if (wish.scope === 'api')
    return inTenant(db.selectFrom('api'), at)
      .select(['id', 'name', 'environment', 'api_version', 'visibility'])
      .where('id', operator, has)
      .orderBy('id')
      .limit(wish.limit)
      .execute();
  return inTenant(db.selectFrom('application'), at)
    .select(['id', 'name', 'environment'])
    .where('status', '=', 'ACTIVE')
    .where('id', operator, has)
    .orderBy('id')
    .limit(wish.limit)
    .execute();
}
