import type { Insertable, Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** One deployment with what it published; written once. */
interface ApiDeploymentTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** 1, 2, 3 ... per API. */
  readonly number: number;
  readonly label: string | null;
  /** The canonical definition (proto/model/api.ts), JSON; its secrets are sealed. */
  definition: string;
  readonly tags: string;
  readonly user_id: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_deployment: ApiDeploymentTable;
  }
}

/** A row of api_deployment. */
export type DeploymentRow = Selectable<ApiDeploymentTable>;

/** One deployment of an API. */
export function findDeployment(
  db: Queries,
  at: EnvironmentRef,
  { api, number }: { readonly api: string; readonly number: number },
): Promise<DeploymentRow | undefined> {
  return inTenant(db.selectFrom('api_deployment'), at)
    .selectAll()
    .where('api_id', '=', api)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** Adds a deployment to the history. */
export async function insertDeployment(trx: Trx, row: Insertable<ApiDeploymentTable>): Promise<void> {
  await trx.insertInto('api_deployment').values(row).execute();
}
