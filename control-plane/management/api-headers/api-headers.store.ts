import type { Insertable, Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Something that a portal says of every API of an environment. */
interface ApiHeaderTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  /** A template over the API. */
  value: string;
  /** Its place, from 1 on. */
  position: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_header: ApiHeaderTable;
  }
}

/** A row of api_header. */
export type HeaderRow = Selectable<ApiHeaderTable>;

/** All of an environment, in their order. */
export function headersOf(db: Queries, at: EnvironmentRef): Promise<HeaderRow[]> {
  return inTenant(db.selectFrom('api_header'), at)
    .selectAll()
    .orderBy('position')
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

/** Adds one. */
export async function insertHeader(trx: Trx, row: Insertable<ApiHeaderTable>): Promise<void> {
  await trx.insertInto('api_header').values(row).execute();
}

/** Changes one. */
export async function updateHeaderRow(trx: Trx, row: HeaderRow): Promise<void> {
  const { name, value, position, updated_at_ms } = row;
  await inTenant(trx.updateTable('api_header'), row)
    .set({ name, value, position, updated_at_ms })
    .where('id', '=', row.id)
    .execute();
}

/** Removes one. */
export async function deleteHeaderRow(trx: Trx, row: HeaderRow): Promise<void> {
  await inTenant(trx.deleteFrom('api_header'), row).where('id', '=', row.id).execute();
}
