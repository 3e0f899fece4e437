import type { EnvironmentRef } from '../../proto/wire/published.ts';

/** A query over a table whose rows belong to an environment; one over another table does not compile. */
export interface TenantQuery<Query> {
  where(column: 'organization' | 'environment', operator: '=', value: string): Query;
}

/**
 * Narrows a query to the rows of one environment.
 *
 * Every query of a tenant's rows goes through here, so that none can forget half of it: the house refuses a store that names the
 * environment itself.
 */
export function inTenant<Query extends TenantQuery<Query>>(query: Query, at: EnvironmentRef): Query {
  return query.where('organization', '=', at.organization).where('environment', '=', at.environment);
}
