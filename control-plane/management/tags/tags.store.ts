import type { Insertable, Selectable } from 'kysely';
import { inOrganization } from '../../storage/in-tenant.ts';
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

/** Which tag is meant. */
export interface TagRef {
  readonly organization: string;
  readonly key: string;
}

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

/** Whether a JSON list includes a tag, or excludes it as fleets do. */
export const namesTag = (list: string, key: string): boolean =>
  (JSON.parse(list) as readonly string[]).some((tag) => tag === key || tag === `!${key}`);

/** The name of an API that has a tag. */
export async function apiWithTag(trx: Trx, { organization, key }: TagRef): Promise<string | undefined> {
  const row = await inOrganization(trx.selectFrom('api_word'), organization)
    .where('api_word.kind', '=', 'tag')
    .where('api_word.word', '=', key)
    .select((select) =>
      select.selectFrom('api').select('api.name').whereRef('api.id', '=', 'api_word.api_id').as('name'),
    )
    .limit(1)
    .executeTakeFirst();
  return row?.name ?? undefined;
}

/** The name of a plan that has a tag and is not closed. The pattern finds what may have it: `_` stands for any character. */
export async function planWithTag(trx: Trx, { organization, key }: TagRef): Promise<string | undefined> {
  const rows = await inOrganization(trx.selectFrom('plan'), organization)
    .select(['name', 'definition'])
    .where('status', '!=', 'CLOSED')
    .where('definition', 'like', `%"${key}"%`)
    .execute();
  const plan = rows.find(({ definition }) => {
    const { tags = [] } = JSON.parse(definition) as { readonly tags?: readonly string[] };
    return tags.includes(key);
  });
  return plan?.name;
}

/** The name of a fleet whose gateways serve a tag, or leave it out. */
export async function fleetWithTag(trx: Trx, { organization, key }: TagRef): Promise<string | undefined> {
  const rows = await trx
    .selectFrom('fleet')
    .select(['name', 'tags'])
    .where('organization', '=', organization)
    .execute();
  return rows.find(({ tags }) => namesTag(tags, key))?.name;
}
