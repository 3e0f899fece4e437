import { inTenant } from '../../storage/in-tenant.ts';
import type { Trx } from '../../storage/storage.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import type { Change } from '../desk.ts';
import type { Wanted } from './wanted.ts';

/** What an API was imported from the last time. */
interface ApiImportTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** JSON: {@link Wanted}. */
  definition: string;
  /** JSON object: the id that a plan has in the import, and the one that it has here. */
  plan_ids: string;
  imported_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_import: ApiImportTable;
  }
}

/** What was imported last. */
export interface LastImport {
  /** As it was wanted, with the ids that plans have in the import. */
  readonly definition: Wanted;
  /** Ids of plans in the import, with those that they have here. */
  readonly planIds: ReadonlyMap<string, string>;
}

/** What the API was imported from the last time; undefined when it was made by hand, or before that was kept. */
export async function findImport(trx: Trx, api: ApiRow): Promise<LastImport | undefined> {
  const row = await inTenant(trx.selectFrom('api_import'), api)
    .selectAll()
    .where('api_id', '=', api.id)
    .executeTakeFirst();
  return (
    row && {
      definition: JSON.parse(row.definition) as Wanted,
      planIds: new Map(Object.entries(JSON.parse(row.plan_ids) as Record<string, string>)),
    }
  );
}

/** Keeps what an API was imported from, instead of what was kept before. */
export async function keepImport(
  { trx, nowMs }: Pick<Change, 'trx' | 'nowMs'>,
  { organization, environment, id }: ApiRow,
  { definition, planIds }: LastImport,
): Promise<void> {
  const set = {
    definition: JSON.stringify(definition),
    plan_ids: JSON.stringify(Object.fromEntries(planIds)),
    imported_at_ms: nowMs,
  };
  await trx
    .insertInto('api_import')
    .values({ organization, environment, api_id: id, ...set })
    .onConflict((conflict) => conflict.column('api_id').doUpdateSet(set))
    .execute();
}
