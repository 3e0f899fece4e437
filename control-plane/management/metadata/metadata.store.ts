import type { Insertable, Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A field that people note of an environment, an API or an application. */
interface MetadataTable {
  readonly organization: string;
  readonly environment: string;
  readonly scope: MetadataScope;
  /** Id of the API or application; the environment's own. */
  readonly reference: string;
  readonly key: string;
  name: string;
  format: string;
  value: string;
}

declare module '../../storage/tables.ts' {
  interface Database {
    metadata: MetadataTable;
  }
}

/** What may have metadata. */
export type MetadataScope = 'environment' | 'api' | 'application';
/** A row of metadata. */
export type MetadataRow = Selectable<MetadataTable>;

/** Whose metadata. */
export interface MetadataOwner {
  readonly at: EnvironmentRef;
  readonly scope: MetadataScope;
  readonly id: string;
}

/** All that an object has, by name. */
export function metadataOf(db: Queries, { at, scope, id }: MetadataOwner): Promise<MetadataRow[]> {
  return inTenant(db.selectFrom('metadata'), at)
    .selectAll()
    .where('scope', '=', scope)
    .where('reference', '=', id)
    .orderBy('name')
    .orderBy('key')
    .execute();
}

/** Adds one; says false when the object has one of that key. */
export async function insertMetadata(trx: Trx, row: Insertable<MetadataTable>): Promise<boolean> {
  const result = await trx
    .insertInto('metadata')
    .values(row)
    .onConflict((conflict) => conflict.columns(['environment', 'scope', 'reference', 'key']).doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Changes one. */
export async function updateMetadata(
  trx: Trx,
  row: MetadataRow,
  set: Pick<MetadataRow, 'name' | 'format' | 'value'>,
): Promise<MetadataRow> {
  await inTenant(trx.updateTable('metadata'), row)
    .set(set)
    .where('scope', '=', row.scope)
    .where('reference', '=', row.reference)
    .where('key', '=', row.key)
    .execute();
  return { ...row, ...set };
}

/** Removes those of an object: one, or all. */
export async function deleteMetadata(
  trx: Trx,
  { at, scope, id }: MetadataOwner,
  key?: string,
): Promise<void> {
  let selected = inTenant(trx.deleteFrom('metadata'), at)
    .where('scope', '=', scope)
    .where('reference', '=', id);
  if (key !== undefined) selected = selected.where('key', '=', key);
  await selected.execute();
}
