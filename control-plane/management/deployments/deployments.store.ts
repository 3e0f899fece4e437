import type { Insertable, Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';

/** One deployment with what it published; written once. */
interface ApiDeploymentTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** 1, 2, 3 ... per API. */
  readonly number: number;
  label: string | null;
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

/** A page of an API's deployments, newest first, without their definitions. */
export function listDeployments(
  storage: Pick<Storage, 'db'>,
  api: EnvironmentRef & { readonly id: string },
  bounds: PageBounds,
): Promise<Rows<Omit<DeploymentRow, 'definition'>>> {
  const selected = inTenant(storage.db.selectFrom('api_deployment'), api).where('api_id', '=', api.id);
  const heads = selected.select([
    'organization',
    'environment',
    'api_id',
    'number',
    'label',
    'tags',
    'user_id',
    'created_at_ms',
  ]);
  return readPage(heads.orderBy('number', 'desc'), bounds);
}

/** Names a deployment, or takes its name away. */
export async function setLabel(trx: Trx, row: DeploymentRow, label: string | null): Promise<void> {
  await inTenant(trx.updateTable('api_deployment'), row)
    .set({ label })
    .where('api_id', '=', row.api_id)
    .where('number', '=', row.number)
    .execute();
}

/** Most deployments of an API that are kept; the oldest go first. */
export const deploymentsMax = 100;

/** Adds a deployment to the history, whose newest {@link deploymentsMax} stay. */
export async function insertDeployment(trx: Trx, row: Insertable<ApiDeploymentTable>): Promise<void> {
  await trx.insertInto('api_deployment').values(row).execute();
  await inTenant(trx.deleteFrom('api_deployment'), row)
    .where('api_id', '=', row.api_id)
    .where('number', '<=', row.number - deploymentsMax)
    .execute();
}
