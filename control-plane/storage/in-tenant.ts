import type { DeleteQueryBuilder, SelectQueryBuilder, UpdateQueryBuilder } from 'kysely';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Database } from './tables.ts';

/** Tables whose rows belong to an environment. */
type TenantTable = {
  [Table in keyof Database]: Database[Table] extends {
    readonly organization: string;
    /** null for what belongs to the whole organization. */
    readonly environment: string | null;
  }
    ? Table
    : never;
}[keyof Database];

interface TenantQuery<Query> {
  where(column: 'organization' | 'environment', operator: '=', value: string): Query;
}

/**
 * Narrows a query to the rows of one environment; a query over a table of something else does not compile.
 *
 * Every query of a tenant's rows goes through here, so that none can forget half of it: the house refuses a store that names the
 * environment itself.
 */
export function inTenant<Table extends TenantTable, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  at: EnvironmentRef,
): SelectQueryBuilder<Database, Table, Row>;
export function inTenant<Table extends TenantTable, Row>(
  query: UpdateQueryBuilder<Database, Table, Table, Row>,
  at: EnvironmentRef,
): UpdateQueryBuilder<Database, Table, Table, Row>;
export function inTenant<Table extends TenantTable, Row>(
  query: DeleteQueryBuilder<Database, Table, Row>,
  at: EnvironmentRef,
): DeleteQueryBuilder<Database, Table, Row>;
export function inTenant<Query extends TenantQuery<Query>>(query: Query, at: EnvironmentRef): Query {
  return query.where('organization', '=', at.organization).where('environment', '=', at.environment);
}

/** Tables whose rows belong to an organization, or to an environment of it. */
type OrganizationTable = {
  [Table in keyof Database]: Database[Table] extends { readonly organization: string } ? Table : never;
}[keyof Database];

interface OrganizationQuery<Query> {
  where(column: 'organization', operator: '=', value: string): Query;
}

/** Narrows a query to the rows of one organization, in all of its environments: what is asked of the whole organization says so. */
export function inOrganization<Table extends OrganizationTable, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  organization: string,
): SelectQueryBuilder<Database, Table, Row>;
export function inOrganization<Table extends OrganizationTable, Row>(
  query: DeleteQueryBuilder<Database, Table, Row>,
  organization: string,
): DeleteQueryBuilder<Database, Table, Row>;
export function inOrganization<Query extends OrganizationQuery<Query>>(
  query: Query,
  organization: string,
): Query {
  return query.where('organization', '=', organization);
}
