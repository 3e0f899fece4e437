import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** APIs of one step. */
const idsPerPage = 500;

/** A page of the ids of an environment's APIs. */
export async function apiIdsAfter(
  db: Queries,
  at: EnvironmentRef,
  after: string,
): Promise<readonly string[]> {
  const rows = await inTenant(db.selectFrom('api'), at)
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(idsPerPage)
    .execute();
  return rows.map(({ id }) => id);
}

/** A text of JSON in which secrets of an API may stand, and where it is. */
export type StoredDefinition =
  | { readonly table: 'api' | 'plan'; readonly id: string; readonly definition: string }
  | { readonly table: 'api_import'; readonly api: string; readonly definition: string }
  | {
      readonly table: 'api_deployment';
      readonly api: string;
      readonly number: number;
      readonly definition: string;
    };

/** All of an API. */
export async function definitionsOfApi(
  db: Queries,
  at: EnvironmentRef,
  id: string,
): Promise<readonly StoredDefinition[]> {
  const apis = await inTenant(db.selectFrom('api'), at)
    .select(['id', 'definition'])
    .where('id', '=', id)
    .execute();
  const plans = await inTenant(db.selectFrom('plan'), at)
    .select(['id', 'definition'])
    .where('api_id', '=', id)
    .execute();
  const imports = await inTenant(db.selectFrom('api_import'), at)
    .select(['api_id as api', 'definition'])
    .where('api_id', '=', id)
    .execute();
  const deployments = await inTenant(db.selectFrom('api_deployment'), at)
    .select(['api_id as api', 'number', 'definition'])
    .where('api_id', '=', id)
    .execute();
  return [
    ...apis.map((row) => ({ table: 'api' as const, ...row })),
    ...plans.map((row) => ({ table: 'plan' as const, ...row })),
    ...imports.map((row) => ({ table: 'api_import' as const, ...row })),
    ...deployments.map((row) => ({ table: 'api_deployment' as const, ...row })),
  ];
}

/** Writes such a text in the place of the one before. */
export async function rewriteDefinition(trx: Trx, at: EnvironmentRef, row: StoredDefinition): Promise<void> {
  const { definition } = row;
  switch (row.table) {
    case 'api':
    case 'plan':
      await inTenant(trx.updateTable(row.table), at).set({ definition }).where('id', '=', row.id).execute();
      return;
    case 'api_import':
      await inTenant(trx.updateTable('api_import'), at)
        .set({ definition })
        .where('api_id', '=', row.api)
        .execute();
      return;
    case 'api_deployment':
      await inTenant(trx.updateTable('api_deployment'), at)
        .set({ definition })
        .where('api_id', '=', row.api)
        .where('number', '=', row.number)
        .execute();
      return;
  }
}

/** The steps of all shared policy groups. */
export function groupsOf(
  db: Queries,
  at: EnvironmentRef,
): Promise<{ readonly cross_id: string; readonly steps: string }[]> {
  return inTenant(db.selectFrom('shared_policy_group'), at).select(['cross_id', 'steps']).execute();
}

/** Writes the steps of one. */
export async function rewriteSteps(
  trx: Trx,
  at: EnvironmentRef,
  { cross_id, steps }: { readonly cross_id: string; readonly steps: string },
): Promise<void> {
  await inTenant(trx.updateTable('shared_policy_group'), at)
    .set({ steps })
    .where('cross_id', '=', cross_id)
    .execute();
}
