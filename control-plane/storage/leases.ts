import { sql, type RawBuilder } from 'kysely';
import type { DialectName } from './migrations/migration.ts';
import type { Queries, Storage, Trx } from './storage.ts';

/** Who wants to do a chore, and for how long the others keep away. */
export interface LeaseWish {
  readonly name: string;
  /** Random per process. */
  readonly holder: string;
  readonly leaseMs: number;
}

/**
 * The database's clock in ms since the epoch, as an expression: what several machines compare is judged by one clock.
 *
 * PostgreSQL's is the server's, at this moment and not at the transaction's start. SQLite's is this machine's, the only one there is.
 */
export function databaseNowMs(dialect: DialectName): RawBuilder<number> {
  return dialect === 'postgres'
    ? sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
}

/** Reads {@link databaseNowMs}, which the caller made for its dialect. */
export async function readNow(db: Queries | Trx, now: RawBuilder<number>): Promise<number> {
  const { rows } = await sql<{ now_ms: number }>`select ${now} as now_ms`.execute(db);
  return rows[0]?.now_ms ?? 0;
}

/**
 * Takes or prolongs a lease; undefined while somebody else holds it. 'taken': another, or nobody, held it before.
 *
 * It saves double work and is not a lock: a holder that sleeps past it wakes up believing in it, so what it commits must be proven
 * by {@link keepLease} inside its transaction, or take row locks. An expiry further ahead than the lease is long was written
 * under a clock that has been set back since: it is none.
 */
export async function takeLease(
  { db, dialect }: Pick<Storage, 'db' | 'dialect'>,
  wish: LeaseWish,
): Promise<'taken' | 'kept' | undefined> {
  if (await keepLease(db, dialect, wish)) return 'kept';
  const { name, holder, leaseMs } = wish;
  const now = databaseNowMs(dialect);
  const values = { holder, expires_at_ms: sql<number>`${now} + ${leaseMs}`, lease_ms: leaseMs };
  const taken = await db
    .insertInto('lease')
    .values({ name, ...values })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet(values)
        .where(sql<boolean>`lease.expires_at_ms <= ${now} or lease.expires_at_ms > ${now} + lease.lease_ms`),
    )
    .returning('holder')
    .executeTakeFirst();
  return taken === undefined ? undefined : 'taken';
}

/** Prolongs a lease that is still one's own; inside a transaction its row is locked until the commit, so nobody takes it meanwhile. */
export async function keepLease(
  db: Queries | Trx,
  dialect: DialectName,
  { name, holder, leaseMs }: LeaseWish,
): Promise<boolean> {
  const kept = await db
    .updateTable('lease')
    .set({ expires_at_ms: sql<number>`${databaseNowMs(dialect)} + ${leaseMs}`, lease_ms: leaseMs })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .executeTakeFirst();
  return Number(kept.numUpdatedRows) === 1;
}

/** Gives a lease back early, so that a restart does not wait for it. */
export async function releaseLease(db: Queries, name: string, holder: string): Promise<void> {
  await db.deleteFrom('lease').where('name', '=', name).where('holder', '=', holder).execute();
}
