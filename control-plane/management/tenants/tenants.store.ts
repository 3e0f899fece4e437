import type { Selectable, Updateable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { EnvironmentTable, OrganizationTable } from '../../storage/tables.ts';

/** A row of organization. */
export type OrganizationRow = Selectable<OrganizationTable>;
/** A row of environment. */
export type EnvironmentRow = Selectable<EnvironmentTable>;

/** The organization with that id or human-readable id. */
export async function resolveOrganization(
  db: Queries,
  idOrHrid: string,
): Promise<OrganizationRow | undefined> {
  const rows = await db
    .selectFrom('organization')
    .selectAll()
    .where((where) => where.or([where('id', '=', idOrHrid), where('hrid', '=', idOrHrid)]))
    .orderBy('id')
    .execute();
  // A generated id always means itself, whatever somebody chose as a human-readable one.
  return rows.find((row) => row.id === idOrHrid) ?? rows[0];
}

/** The environment of the organization with that id or human-readable id. */
export async function resolveEnvironment(
  db: Queries,
  organization: string,
  idOrHrid: string,
): Promise<EnvironmentRow | undefined> {
  const rows = await db
    .selectFrom('environment')
    .selectAll()
    .where('organization', '=', organization)
    .where((where) => where.or([where('id', '=', idOrHrid), where('hrid', '=', idOrHrid)]))
    .orderBy('id')
    .execute();
  return rows.find((row) => row.id === idOrHrid) ?? rows[0];
}

/** The organization that an environment with that generated id belongs to. */
export async function organizationOfEnvironment(db: Queries, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('environment')
    .select('organization')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.organization;
}

/** The environments of an organization by name. */
export function listEnvironmentRows(db: Queries, organization: string): Promise<EnvironmentRow[]> {
  return db
    .selectFrom('environment')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('name')
    .orderBy('id')
    .limit(1_000)
    .execute();
}

/** The ids of all of an organization's environments. */
export async function environmentIds(db: Queries, organization: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('environment')
    .select('id')
    .where('organization', '=', organization)
    .execute();
  return rows.map(({ id }) => id);
}

/** Changes an organization. */
export function updateOrganizationRow(
  trx: Trx,
  id: string,
  set: Updateable<OrganizationTable>,
): Promise<OrganizationRow> {
  return trx
    .updateTable('organization')
    .set(set)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
