import type { Insertable, Selectable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Where gateways with certain sharding tags are reached from outside. */
interface EntrypointTable {
  readonly id: string;
  readonly organization: string;
  target: string;
  /** A URL of HTTP, a host of others. */
  value: string;
  /** JSON list of sharding tags, sorted. */
  tags: string;
  /** JSON list of ids; empty for all environments. */
  environments: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    entrypoint: EntrypointTable;
  }
}

/** A row of entrypoint. */
export type EntrypointRow = Selectable<EntrypointTable>;

/** All entrypoints of an organization, oldest first. */
export function entrypointsOf(db: Queries, organization: string): Promise<EntrypointRow[]> {
  return db
    .selectFrom('entrypoint')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

/** Adds an entrypoint. */
export async function insertEntrypoint(trx: Trx, row: Insertable<EntrypointTable>): Promise<void> {
  await trx.insertInto('entrypoint').values(row).execute();
}

/** Changes an entrypoint. */
export async function updateEntrypoint(trx: Trx, row: EntrypointRow): Promise<void> {
  const { target, value, tags, environments } = row;
  await trx
    .updateTable('entrypoint')
    .set({ target, value, tags, environments })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .execute();
}

/** Removes an entrypoint. */
export async function deleteEntrypoint(trx: Trx, row: EntrypointRow): Promise<void> {
  await trx
    .deleteFrom('entrypoint')
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .execute();
}
