import { type Expression, type Selectable, sql, type SqlBool, type Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
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
    .where('archived_at_ms', 'is', null)
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
    .where('archived_at_ms', 'is', null)
    .executeTakeFirst();
  return row?.organization;
}

/** Whether an environment is not archived, in a query over rows of many. */
export const isInUse = (environment: Expression<string>): Expression<SqlBool> =>
  sql<SqlBool>`exists (select 1 from environment where environment.id = ${environment} and environment.archived_at_ms is null)`;

/** The environments of an organization by name, without those that are archived. */
export function listEnvironmentRows(db: Queries, organization: string): Promise<EnvironmentRow[]> {
  return db
    .selectFrom('environment')
    .selectAll()
    .where('organization', '=', organization)
    .where('archived_at_ms', 'is', null)
    .orderBy('name')
    .orderBy('id')
    .limit(1_000)
    .execute();
}

/** The ids of all of an organization's environments, archived ones too. */
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

/** Changes an environment. */
export function updateEnvironmentRow(
  trx: Trx,
  { organization, id }: Pick<EnvironmentRow, 'organization' | 'id'>,
  set: Updateable<EnvironmentTable>,
): Promise<EnvironmentRow> {
  return trx
    .updateTable('environment')
    .set(set)
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** How many APIs and applications in use an environment has. */
export async function heldInEnvironment(
  db: Queries,
  at: EnvironmentRef,
): Promise<{ readonly apis: number; readonly applications: number }> {
  const apis = inTenant(db.selectFrom('api'), at);
  const applications = inTenant(db.selectFrom('application'), at).where('status', '=', 'ACTIVE');
  const count = sql<number | string>`count(*)`.as('total');
  const [api, application] = [
    await apis.select(count).executeTakeFirstOrThrow(),
    await applications.select(count).executeTakeFirstOrThrow(),
  ];
  return { apis: Number(api.total), applications: Number(application.total) };
}

/** Names of the fleets that serve an environment. */
export async function fleetsOfEnvironment(
  trx: Trx,
  { organization, environment }: EnvironmentRef,
): Promise<readonly string[]> {
  const rows = await trx
    .selectFrom('fleet')
    .select(['name', 'environments'])
    .where('organization', '=', organization)
    .orderBy('name')
    .execute();
  return rows.flatMap(({ name, environments }) =>
    (JSON.parse(environments) as readonly string[]).includes(environment) ? [name] : [],
  );
}

/** Users of the organization who hold nothing in one of its environments. */
export async function usersWithoutRole(
  trx: Trx,
  { organization, environment }: EnvironmentRef,
): Promise<readonly string[]> {
  const rows = await trx
    .selectFrom('user_account')
    .select('id')
    .where('organization', '=', organization)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('membership')
            .select('membership.role')
            .where('membership.organization', '=', organization)
            .where('membership.scope', '=', 'environment')
            .where('membership.reference', '=', environment)
            .whereRef('membership.member', '=', 'user_account.id'),
        ),
      ),
    )
    .execute();
  return rows.map(({ id }) => id);
}
