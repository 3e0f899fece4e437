import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Words that expressions of an environment's APIs look up. */
interface DictionaryTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** What expressions call it. */
  readonly key: string;
  name: string;
  name_key: string;
  description: string;
  /** MANUAL or DYNAMIC. */
  readonly type: string;
  /** STARTED while gateways have it, or would once it was fetched. */
  state: string;
  /** JSON, of a manual one. */
  properties: string;
  /** JSON, of a dynamic one. */
  provider: string | null;
  trigger: string | null;
  /** 1, 2, 3 ... with each publication. */
  version: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
  deployed_at_ms: number | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    dictionary: DictionaryTable;
  }
}

/** A row of dictionary. */
export type DictionaryRow = Selectable<DictionaryTable>;

/** The dictionary in its environment, by id or key. */
export function findDictionary(
  db: Queries,
  at: EnvironmentRef,
  by: { readonly column: 'id' | 'key'; readonly value: string },
): Promise<DictionaryRow | undefined> {
  return inTenant(db.selectFrom('dictionary'), at)
    .selectAll()
    .where(by.column, '=', by.value)
    .executeTakeFirst();
}

/** The dictionary with its row locked until the transaction ends. */
export function lockDictionary(trx: Trx, at: EnvironmentRef, id: string): Promise<DictionaryRow | undefined> {
  return inTenant(trx.updateTable('dictionary'), at)
    .set((row) => ({ state: row.ref('state') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** The dictionaries of an environment by name. */
export function listDictionaryRows(
  db: Queries,
  at: EnvironmentRef,
  limit: number,
): Promise<readonly DictionaryRow[]> {
  return inTenant(db.selectFrom('dictionary'), at)
    .selectAll()
    .orderBy('name_key')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Adds a dictionary. Says false when its key is taken. */
export async function insertDictionary(trx: Trx, row: Insertable<DictionaryTable>): Promise<boolean> {
  const inserted = await trx
    .insertInto('dictionary')
    .values(row)
    // Whoever inserts the same at this moment is waited for.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Changes a dictionary. */
export function updateDictionaryRow(
  trx: Trx,
  row: DictionaryRow,
  set: Updateable<DictionaryTable>,
): Promise<DictionaryRow> {
  return inTenant(trx.updateTable('dictionary'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes a dictionary. */
export async function deleteDictionaryRow(trx: Trx, row: DictionaryRow): Promise<void> {
  await inTenant(trx.deleteFrom('dictionary'), row).where('id', '=', row.id).execute();
}
