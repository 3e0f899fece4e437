import type { Insertable, Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A key; its value was shown once and is not kept. */
interface ApiKeyTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  readonly application_id: string;
  readonly subscription_id: string;
  /** SHA-256 over environment and key, hex; unique in the environment. */
  readonly hash: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
  expire_at_ms: number | null;
  revoked_at_ms: number | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_key: ApiKeyTable;
  }
}

/** A row of api_key. */
export type ApiKeyRow = Selectable<ApiKeyTable>;

/** Keys of a subscription or an API, newest first. */
export function listKeysOf(
  db: Queries,
  at: EnvironmentRef,
  of: { readonly column: 'subscription_id' | 'api_id'; readonly ids: readonly string[] },
): Promise<ApiKeyRow[]> {
  return inTenant(db.selectFrom('api_key'), at)
    .selectAll()
    .where(of.column, 'in', of.ids)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id')
    .execute();
}

/** The key of that subscription. */
export function findKey(
  db: Queries,
  at: EnvironmentRef,
  { subscriptionId, id }: { readonly subscriptionId: string; readonly id: string },
): Promise<ApiKeyRow | undefined> {
  return inTenant(db.selectFrom('api_key'), at)
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The subscriptions of a key, found by its hash. */
export function findKeyByHash(db: Queries, at: EnvironmentRef, hash: string): Promise<ApiKeyRow | undefined> {
  return inTenant(db.selectFrom('api_key'), at).selectAll().where('hash', '=', hash).executeTakeFirst();
}

/** Adds a key; says false when the environment has one with the same hash. */
export async function insertKey(trx: Trx, row: Insertable<ApiKeyTable>): Promise<boolean> {
  const result = await trx
    .insertInto('api_key')
    .values(row)
    .onConflict((conflict) => conflict.columns(['environment', 'hash']).doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Changes a key. */
export function updateKey(trx: Trx, row: ApiKeyRow, set: Updateable<ApiKeyTable>): Promise<ApiKeyRow> {
  return inTenant(trx.updateTable('api_key'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
