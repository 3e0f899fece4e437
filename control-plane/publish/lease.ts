import type { Queries } from '../storage/storage.ts';

/** Who wants to do a chore, and until when the others keep away. */
export interface LeaseWish {
  readonly name: string;
  /** Random per process. */
  readonly holder: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

/**
 * Takes or prolongs a lease; false while somebody else holds it.
 *
 * It saves double work and is not a lock: two holders with clocks apart may overlap, so the chore itself must take row locks.
 */
export async function takeLease(db: Queries, { name, holder, nowMs, leaseMs }: LeaseWish): Promise<boolean> {
  const taken = await db
    .insertInto('lease')
    .values({ name, holder, expires_at_ms: nowMs + leaseMs })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, expires_at_ms: nowMs + leaseMs })
        .where((eb) => eb.or([eb('lease.holder', '=', holder), eb('lease.expires_at_ms', '<=', nowMs)])),
    )
    .returning('holder')
    .executeTakeFirst();
  return taken !== undefined;
}

/** Gives a lease back early, so that a restart does not wait for it. */
export async function releaseLease(db: Queries, name: string, holder: string): Promise<void> {
  await db.deleteFrom('lease').where('name', '=', name).where('holder', '=', holder).execute();
}
