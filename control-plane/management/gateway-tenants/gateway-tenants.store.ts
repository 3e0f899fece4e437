import type { Insertable, Selectable } from 'kysely';
import { inOrganization } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A place of gateways, for which endpoints may be kept. */
interface GatewayTenantTable {
  readonly organization: string;
  /** What fleets and endpoints name. */
  readonly key: string;
  name: string;
  description: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    gateway_tenant: GatewayTenantTable;
  }
}

/** A row of gateway_tenant. */
export type TenantRow = Selectable<GatewayTenantTable>;

/** All tenants of an organization, by name. */
export function tenantsOf(db: Queries, organization: string): Promise<TenantRow[]> {
  return db
    .selectFrom('gateway_tenant')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('name')
    .orderBy('key')
    .execute();
}

/** Adds a tenant. */
export async function insertTenant(trx: Trx, row: Insertable<GatewayTenantTable>): Promise<void> {
  await trx.insertInto('gateway_tenant').values(row).execute();
}

/** Changes a tenant. */
export async function updateTenantRow(trx: Trx, row: TenantRow): Promise<void> {
  const { name, description } = row;
  await trx
    .updateTable('gateway_tenant')
    .set({ name, description })
    .where('organization', '=', row.organization)
    .where('key', '=', row.key)
    .execute();
}

/** Removes a tenant. */
export async function deleteTenantRow(trx: Trx, row: TenantRow): Promise<void> {
  await trx
    .deleteFrom('gateway_tenant')
    .where('organization', '=', row.organization)
    .where('key', '=', row.key)
    .execute();
}

/** The name of a fleet whose gateways say that they stand there. */
export async function fleetIn(trx: Trx, { organization, key }: TenantRow): Promise<string | undefined> {
  const row = await trx
    .selectFrom('fleet')
    .select('name')
    .where('organization', '=', organization)
    .where('tenant', '=', key)
    .limit(1)
    .executeTakeFirst();
  return row?.name;
}

/** What is asked of a definition here. */
interface Kept {
  readonly endpointGroups?: readonly {
    readonly endpoints?: readonly { readonly tenants?: readonly string[] }[];
  }[];
}

/** The name of an API that keeps an endpoint for a tenant. The pattern finds what may: `_` stands for any character. */
export async function apiWithTenant(trx: Trx, { organization, key }: TenantRow): Promise<string | undefined> {
  const rows = await inOrganization(trx.selectFrom('api'), organization)
    .select(['name', 'definition'])
    .where('definition', 'like', `%"tenants"%"${key}"%`)
    .execute();
  const api = rows.find(({ definition }) => {
    const { endpointGroups = [] } = JSON.parse(definition) as Kept;
    return endpointGroups.some(({ endpoints = [] }) =>
      endpoints.some(({ tenants = [] }) => tenants.includes(key)),
    );
  });
  return api?.name;
}
