import type { Insertable, Selectable, Updateable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';

/** A change under the name that its client gave it. */
interface IdempotencyKeyTable {
  readonly organization: string;
  readonly user_id: string;
  /** SHA-256 of the key, hex. */
  readonly key_hash: string;
  /** SHA-256 of what was asked for, hex. */
  readonly request_hash: string;
  /** Whoever carries it out, one attempt of one process. */
  claim: string;
  /** When another attempt may take its place, while it is not done. */
  claimed_until_ms: number;
  /** 1 once the change is committed: in its own transaction. */
  is_done: number;
  /** JSON, sealed; null while there is none, and where none is kept. */
  answer: string | null;
  readonly expires_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    idempotency_key: IdempotencyKeyTable;
  }
}

/** A row of idempotency_key. */
export type RepeatRow = Selectable<IdempotencyKeyTable>;

/** Which one is meant. */
export type RepeatRef = Pick<RepeatRow, 'organization' | 'user_id' | 'key_hash'>;

/** Adds one; says whether there was none. */
export async function insertRepeat(db: Queries, row: Insertable<IdempotencyKeyTable>): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('idempotency_key')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) === 1;
}

/** One of them. */
export function findRepeat(db: Queries, ref: RepeatRef): Promise<RepeatRow | undefined> {
  return db
    .selectFrom('idempotency_key')
    .selectAll()
    .where('organization', '=', ref.organization)
    .where('user_id', '=', ref.user_id)
    .where('key_hash', '=', ref.key_hash)
    .executeTakeFirst();
}

/** Changes the one that this attempt carries out; says whether it still does. */
export async function updateClaimed(
  db: Queries,
  { claim, ...ref }: RepeatRef & { readonly claim: string },
  set: Updateable<IdempotencyKeyTable>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('idempotency_key')
    .set(set)
    .where('organization', '=', ref.organization)
    .where('user_id', '=', ref.user_id)
    .where('key_hash', '=', ref.key_hash)
    .where('claim', '=', claim)
    .executeTakeFirst();
  return Number(numUpdatedRows) === 1;
}

/** Forgets the one that this attempt carries out, unless its change is committed. */
export async function deleteUndone(
  db: Queries,
  { claim, ...ref }: RepeatRef & { readonly claim: string },
): Promise<void> {
  await db
    .deleteFrom('idempotency_key')
    .where('organization', '=', ref.organization)
    .where('user_id', '=', ref.user_id)
    .where('key_hash', '=', ref.key_hash)
    .where('claim', '=', claim)
    .where('is_done', '=', 0)
    .execute();
}

/** Forgets those of an organization that have ended, and says how many of a user are left. */
export async function countAfterPurge(
  trx: Trx,
  { organization, user_id }: Pick<RepeatRef, 'organization' | 'user_id'>,
  nowMs: number,
): Promise<number> {
  await trx
    .deleteFrom('idempotency_key')
    .where('organization', '=', organization)
    .where('expires_at_ms', '<=', nowMs)
    .execute();
  const { count } = await trx
    .selectFrom('idempotency_key')
    .select((select) => select.fn.countAll<number | string>().as('count'))
    .where('organization', '=', organization)
    .where('user_id', '=', user_id)
    .executeTakeFirstOrThrow();
  return Number(count);
}
