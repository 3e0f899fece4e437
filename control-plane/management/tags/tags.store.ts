import type { Insertable, Selectable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A word that APIs and gateways are sharded by, as it is called. */
interface ShardingTagTable {
  readonly organization: string;
  /** What APIs and fleets name. */
  readonly key: string;
  name: string;
  description: string;
  /** JSON list of ids of groups: their members alone give APIs the tag; empty for everybody. */
  restricted_groups: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    sharding_tag: ShardingTagTable;
  }
}

/** A row of sharding_tag. */
export type TagRow = Selectable<ShardingTagTable>;

/** All tags of an organization, by name. */
export function tagsOf(db: Queries, organization: string): Promise<TagRow[]> {
  return db
    .selectFrom('sharding_tag')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('name')
    .orderBy('key')
    .execute();
}

/** Adds a tag. */
export async function insertTag(trx: Trx, row: Insertable<ShardingTagTable>): Promise<void> {
  await trx.insertInto('sharding_tag').values(row).execute();
}

/** Changes a tag. */
export async function updateTagRow(trx: Trx, row: TagRow): Promise<void> {
  const { name, description, restricted_groups } = row;
  await trx
    .updateTable('sharding_tag')
    .set({ name, description, restricted_groups })
    .where('organization', '=', row.organization)
    .where('key', '=', row.key)
    .execute();
}

/** Removes a tag. */
export async function deleteTagRow(trx: Trx, row: TagRow): Promise<void> {
  await trx
    .deleteFrom('sharding_tag')
    .where('organization', '=', row.organization)
    .where('key', '=', row.key)
    .execute();
}
