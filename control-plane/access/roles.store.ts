import type { Insertable, Selectable } from 'kysely';
import type { Queries } from '../storage/storage.ts';
import { type Letters, type Permitting, readRights, systemRoleNames } from './roles.ts';
import type { Scope } from './permissions.ts';

/** A role that people made. */
interface CustomRoleTable {
  readonly organization: string;
  /** organization, environment, api ... */
  readonly scope: string;
  readonly name: string;
  readonly description: string;
  /** 1 for the one that is given where none is named; at most one of a scope, else it is the system's USER. */
  readonly is_default: number;
  /** JSON: letters by permission, `{"plan":"CR"}`. */
  readonly rights: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    custom_role: CustomRoleTable;
  }
}

/** A row of it. */
export type CustomRoleRow = Selectable<CustomRoleTable>;

/** Which one is meant. */
export interface RoleRef {
  readonly organization: string;
  readonly scope: Scope;
  readonly name: string;
}

/** Those of a scope, by name. */
export function listRoles(
  db: Queries,
  { organization, scope }: Pick<RoleRef, 'organization' | 'scope'>,
): Promise<CustomRoleRow[]> {
  return db
    .selectFrom('custom_role')
    .selectAll()
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .orderBy('name')
    .execute();
}

/** All roles of a scope with what they permit: the system's, and those that people made. */
export async function permittingRoles(
  db: Queries,
  { organization, scope }: Pick<RoleRef, 'organization' | 'scope'>,
): Promise<readonly Permitting[]> {
  const made = await listRoles(db, { organization, scope });
  return [
    ...systemRoleNames(scope).map((name) => ({ scope, name })),
    ...made.map((row) => ({ scope, name: row.name, rights: rightsOfRow(row) })),
  ];
}

/** One of them. */
export function findRole(
  db: Queries,
  { organization, scope, name }: RoleRef,
): Promise<CustomRoleRow | undefined> {
  return db
    .selectFrom('custom_role')
    .selectAll()
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** Adds one. */
export async function insertRole(db: Queries, row: Insertable<CustomRoleTable>): Promise<void> {
  await db.insertInto('custom_role').values(row).execute();
}

/** Replaces what can be changed. */
export async function updateRole(
  db: Queries,
  { organization, scope, name, ...values }: Omit<CustomRoleRow, 'created_at_ms'>,
): Promise<void> {
  await db
    .updateTable('custom_role')
    .set(values)
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('name', '=', name)
    .execute();
}

/** No role of the scope but that one is given where none is named. */
export async function clearDefaults(db: Queries, { organization, scope, name }: RoleRef): Promise<void> {
  await db
    .updateTable('custom_role')
    .set({ is_default: 0 })
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('name', '!=', name)
    .execute();
}

/** Takes a role away; who holds it gets another one, unless he holds that already. */
export async function deleteRole(db: Queries, role: RoleRef, successor: string): Promise<void> {
  const { organization, scope, name } = role;
  await db
    .deleteFrom('membership as held')
    .where('held.organization', '=', organization)
    .where('held.scope', '=', scope)
    .where('held.role', '=', name)
    .where((where) =>
      where.exists(
        where
          .selectFrom('membership as other')
          .select('other.role')
          .whereRef('other.scope', '=', 'held.scope')
          .whereRef('other.reference', '=', 'held.reference')
          .whereRef('other.member_type', '=', 'held.member_type')
          .whereRef('other.member', '=', 'held.member')
          .where('other.role', '=', successor),
      ),
    )
    .execute();
  await db
    .updateTable('membership')
    .set({ role: successor })
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('role', '=', name)
    .execute();
  // A group that gave it gives what is given where none is named.
  const given = { api: 'api_role', application: 'application_role' } as const;
  if (scope === 'api' || scope === 'application')
    await db
      .updateTable('user_group')
      .set({ [given[scope]]: null })
      .where('organization', '=', organization)
      .where(given[scope], '=', name)
      .execute();
  await db
    .updateTable('user_group_member')
    .set({ role: successor })
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('role', '=', name)
    .execute();
  await db
    .deleteFrom('custom_role')
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('name', '=', name)
    .execute();
}

/** Name of the role that is given where none is named. */
export async function defaultRole(db: Queries, of: Pick<RoleRef, 'organization' | 'scope'>): Promise<string> {
  return (await listRoles(db, of)).find(({ is_default: isDefault }) => isDefault === 1)?.name ?? 'USER';
}

/** What a row permits. */
export const rightsOfRow = ({ rights }: Pick<CustomRoleRow, 'rights'>): ReadonlyMap<string, Letters> =>
  readRights(rights);
