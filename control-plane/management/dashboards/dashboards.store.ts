import type { Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';

interface DashboardTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  /** The name in lower case, by which lists are ordered. */
  name_key: string;
  /** JSON: texts by key. */
  labels: string;
  /** JSON: a list. */
  widgets: string;
  readonly created_by: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    dashboard: DashboardTable;
  }
}

/** A row of dashboard. */
export type DashboardRow = Selectable<DashboardTable>;

/** A page of the dashboards of an environment, by name. */
export function listDashboardRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  bounds: PageBounds,
): Promise<Rows<DashboardRow>> {
  const all = inTenant(storage.db.selectFrom('dashboard'), at).selectAll();
  return readPage(all.orderBy('name_key').orderBy('id'), bounds);
}

/** How many an environment has. */
export async function countDashboards(db: Queries, at: EnvironmentRef): Promise<number> {
  const { total } = await inTenant(db.selectFrom('dashboard'), at)
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}

/** One dashboard. */
export function findDashboard(
  db: Queries,
  at: EnvironmentRef,
  id: string,
): Promise<DashboardRow | undefined> {
  return inTenant(db.selectFrom('dashboard'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/** Adds a dashboard. */
export async function insertDashboard(trx: Trx, row: DashboardRow): Promise<void> {
  await trx.insertInto('dashboard').values(row).execute();
}

/** Changes a dashboard. */
export function updateDashboardRow(
  trx: Trx,
  row: DashboardRow,
  set: Updateable<DashboardTable>,
): Promise<DashboardRow> {
  return inTenant(trx.updateTable('dashboard'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a dashboard. */
export async function deleteDashboardRow(trx: Trx, row: DashboardRow): Promise<void> {
  await inTenant(trx.deleteFrom('dashboard'), row).where('id', '=', row.id).execute();
}
