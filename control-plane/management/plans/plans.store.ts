import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A plan of an API. */
interface PlanTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  name: string;
  description: string;
  readonly security_type: string;
  /** Everything else that its author sets, JSON in the management API's spelling. */
  definition: string;
  readonly mode: string;
  validation: string;
  status: string;
  plan_order: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
  published_at_ms: number | null;
  closed_at_ms: number | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    plan: PlanTable;
  }
}

/** A row of plan. */
export type PlanRow = Selectable<PlanTable>;

/** Plans of one API are few, so a list is whole and paged in memory. */
export function listPlansOf(db: Queries, at: EnvironmentRef, apiId: string): Promise<PlanRow[]> {
  return inTenant(db.selectFrom('plan'), at)
    .selectAll()
    .where('api_id', '=', apiId)
    .orderBy('plan_order')
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

/** The plan of that API. */
export function findPlan(
  db: Queries,
  at: EnvironmentRef,
  { apiId, id }: { readonly apiId: string; readonly id: string },
): Promise<PlanRow | undefined> {
  return inTenant(db.selectFrom('plan'), at)
    .selectAll()
    .where('api_id', '=', apiId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The plan whatever its API is; for paths that name only the plan. */
export function findPlanAnywhere(db: Queries, at: EnvironmentRef, id: string): Promise<PlanRow | undefined> {
  return inTenant(db.selectFrom('plan'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/** The plans with those ids. */
export async function plansById(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PlanRow>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('plan'), at)
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Adds a plan. */
export async function insertPlan(trx: Trx, row: Insertable<PlanTable>): Promise<void> {
  await trx.insertInto('plan').values(row).execute();
}

/** Changes a plan. */
export function updatePlan(trx: Trx, row: PlanRow, set: Updateable<PlanTable>): Promise<PlanRow> {
  return inTenant(trx.updateTable('plan'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a plan. */
export async function deletePlanRow(trx: Trx, row: PlanRow): Promise<void> {
  await inTenant(trx.deleteFrom('plan'), row).where('id', '=', row.id).execute();
}
