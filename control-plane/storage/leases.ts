import { sql, type RawBuilder } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
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

/** A lease that work of several transactions is done under. */
export interface HeldLease {
  /** Said in each of its transactions, before anything is written. Errors: request.conflict when somebody else has taken it. */
  keep(trx: Trx): Promise<void>;
}

/** How often somebody who waits for a lease looks. */
const lookEveryMs = 250;

/**
 * Does work under a lease, and gives it back. One that was killed leaves its lease behind, which is waited for; one that is at it prolongs
 * its own again and again, and is not.
 *
 * Errors: request.conflict while somebody else is at it, or when the lease was lost in between.
 */
export async function underLease<T>(
  storage: Pick<Storage, 'db' | 'dialect'>,
  {
    clock,
    onWait,
    ...wish
  }: LeaseWish & { readonly clock: Clock; readonly onWait?: (() => void) | undefined },
  work: (lease: HeldLease) => Promise<T>,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + 2 * wish.leaseMs;
  for (let isSaid = false; (await takeLease(storage, wish)) === undefined; isSaid = true) {
    if (clock.monotonicMs() >= deadlineMs) throw atIt();
    if (!isSaid) onWait?.();
    await clock.delay(lookEveryMs);
  }
  try {
    return await work({
      async keep(trx) {
        if (!(await keepLease(trx, storage.dialect, wish))) throw atIt();
      },
    });
  } finally {
    await releaseLease(storage.db, wish.name, wish.holder).catch(() => undefined);
  }
}

const atIt = (): Fault =>
  new Fault('request.conflict', {
    detail: 'Somebody else is doing this on the same database.',
    hint: 'Wait until it is done, and say it again: nothing is done twice.',
  });
