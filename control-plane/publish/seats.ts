import { randomBytes } from 'node:crypto';
import { sql, type RawBuilder, type Selectable } from 'kysely';
import { nonceSeconds, type NonceKey } from '../../proto/trust/nonces.ts';
import {
  aheadMsMax,
  decideClaim,
  reseat,
  rivalAfter,
  type ClaimOutcome,
  type Rival,
  type Seat,
  type SeatClaim,
} from '../../proto/trust/seats.ts';
import type { Seated, SeatLedger } from '../../proto/wire/seats.ts';
import { keptText } from '../storage/kept-text.ts';
import { databaseNowMs, readNow } from '../storage/leases.ts';
import type { Queries, Storage, Trx } from '../storage/storage.ts';
import type { GatewaySeatTable } from '../storage/tables.ts';

/** A key makes nonces for so long, and is kept until the last of them has ended. */
const keyMs = 5 * 60_000;
const keptKeyMs = keyMs + 2 * nonceSeconds * 1_000;
const seatsPerStatement = 500;

/** Nonces and seats on whatever database, by its clock. */
export function createSeatLedger(storage: Storage): SeatLedger {
  const { db } = storage;
  const now = databaseNowMs(storage.dialect);
  return {
    nonceKeys: () => readKeys(db, now),
    async takeNonce(nonce, issuedAtMs) {
      const expiresAtMs = issuedAtMs + 2 * nonceSeconds * 1_000;
      const taken = await sql`
        insert into used_nonce (nonce, expires_at_ms)
        select cast(${nonce} as text), cast(${expiresAtMs} as bigint)
        where cast(${issuedAtMs} as bigint) between ${now} - ${nonceSeconds * 1_000} and ${now} + ${aheadMsMax}
        on conflict (nonce) do nothing
        returning nonce`.execute(db);
      return taken.rows.length === 1;
    },
    claimSeat: (seat, claim) => storage.transaction((trx) => claimSeat(trx, { now, seat, claim })),
    async useSeat(seat, leaseMs) {
      const row = await db
        .updateTable('gateway_seat')
        .set({ lease_until_ms: sql<number>`${now} + cast(${leaseMs} as bigint)`, next_arrived: 1 })
        .where('gateway', '=', seat.gateway)
        .where('role', '=', seat.role)
        .where('instance', '=', seat.instance)
        .returning(['instance', 'rival'])
        .executeTakeFirst();
      if (row !== undefined) return { kind: 'seated', rival: await noteLife(db, seat, row.rival) };
      const other = await db
        .selectFrom('gateway_seat')
        .select('instance')
        .where('gateway', '=', seat.gateway)
        .where('role', '=', seat.role)
        .executeTakeFirst();
      return other === undefined ? { kind: 'none' } : { kind: 'taken', holder: other.instance };
    },
    async keepSeats(seats, leaseMs) {
      const missing: Seated[] = [];
      const contested: Seated[] = [];
      for (let start = 0; start < seats.length; start += seatsPerStatement) {
        const some = seats.slice(start, start + seatsPerStatement);
        const kept = await keep(db, some, sql<number>`${now} + cast(${leaseMs} as bigint)`);
        for (const seat of some) {
          const row = kept.get(keyOf(seat));
          if (row === undefined) missing.push(seat);
          else if (rivalOf(row.rival)?.isReported === false) contested.push(seat);
        }
      }
      return { ...(await partByHolder(db, missing)), contested };
    },
    async releaseSeat(seat) {
      await db
        .updateTable('gateway_seat')
        .set({ lease_until_ms: 0 })
        .where('gateway', '=', seat.gateway)
        .where('role', '=', seat.role)
        .where('instance', '=', seat.instance)
        .execute();
    },
  };
}

/** One seat as an operator sees it. */
export interface SettledSeat {
  readonly role: string;
  readonly generation: number;
  readonly holder: { readonly instance: string; readonly hostname: string; readonly source: string };
  readonly refused: { readonly instance: string; readonly hostname: string; readonly source: string };
}

/** Gives the disputed seat to the instance that is named, and says between whom the others are. The caller tells the bridges. */
export async function settleSeats(
  storage: Storage,
  trx: Trx,
  wish: { readonly gateway: string; readonly instance: string | undefined },
): Promise<{ readonly settled: readonly SettledSeat[]; readonly disputed: readonly SettledSeat[] }> {
  const { gateway, instance } = wish;
  const rows = await lockSeats(trx, { gateway }, databaseNowMs(storage.dialect));
  const settled: SettledSeat[] = [];
  const disputed: SettledSeat[] = [];
  for (const { row, nowMs } of rows) {
    const before = toSeat(row);
    const { rival } = before;
    if (rival === undefined) continue;
    const after = instance === undefined ? undefined : reseat(before, instance, nowMs);
    if (after !== undefined) await writeSeat(trx, row, after);
    const isTaken = after !== undefined && after.instance !== before.instance;
    const [holder, refused] = isTaken ? [rival, before] : [before, rival];
    const { generation } = after ?? before;
    const seat = { role: row.role, generation, holder: nameOf(holder), refused: nameOf(refused) };
    (after === undefined ? disputed : settled).push(seat);
  }
  return { settled, disputed };
}

/** Empties every seat: after a restore nobody can know the tickets that were handed out since. */
export async function emptySeats(trx: Trx): Promise<void> {
  await trx.deleteFrom('gateway_seat').execute();
}

type Now = RawBuilder<number>;

async function readKeys(
  db: Queries,
  now: Now,
): Promise<{ readonly nowMs: number; readonly keys: readonly NonceKey[] }> {
  const read = async () => {
    const rows = await db
      .selectFrom('bridge_nonce_key')
      .select(['id', 'key_bytes', 'created_at_ms'])
      .orderBy('created_at_ms', 'desc')
      .orderBy('id')
      .limit(64)
      .execute();
    const nowMs = await readNow(db, now);
    // One of later was made before the database's clock was set back: it would be the newest until the clock is there again.
    const isOfNow = (createdAtMs: number): boolean =>
      createdAtMs > nowMs - keptKeyMs && createdAtMs <= nowMs + aheadMsMax;
    return { nowMs, rows: rows.filter((row) => isOfNow(row.created_at_ms)) };
  };
  let { nowMs, rows } = await read();
  if (!rows.some((row) => row.created_at_ms > nowMs - keyMs)) {
    await db
      .insertInto('bridge_nonce_key')
      .values({ id: randomBytes(8).toString('hex'), key_bytes: randomBytes(32), created_at_ms: nowMs })
      .execute();
    // Whoever makes the new key throws out what has ended, so that no chore is needed.
    await db
      .deleteFrom('bridge_nonce_key')
      .where((eb) =>
        eb.or([
          eb('created_at_ms', '<', nowMs - 2 * keptKeyMs),
          eb('created_at_ms', '>', nowMs + 2 * keptKeyMs),
        ]),
      )
      .execute();
    // Those of later too: no nonce of then can be read any more, its key is gone.
    await db
      .deleteFrom('used_nonce')
      .where((eb) =>
        eb.or([eb('expires_at_ms', '<', nowMs), eb('expires_at_ms', '>', nowMs + 2 * keptKeyMs)]),
      )
      .execute();
    ({ nowMs, rows } = await read());
  }
  return { nowMs, keys: rows.map((row) => ({ id: row.id, key: row.key_bytes })) };
}

async function claimSeat(
  trx: Trx,
  wish: {
    readonly now: Now;
    readonly seat: Pick<Seated, 'gateway' | 'role'>;
    readonly claim: SeatClaim;
  },
): Promise<ClaimOutcome> {
  const { now, seat } = wish;
  const claim = {
    ...wish.claim,
    hostname: keptText(wish.claim.hostname, 255),
    source: keptText(wish.claim.source, 128),
  };
  const locked = await lockSeats(trx, seat, now);
  const [found] = locked;
  const nowMs = found?.nowMs ?? (await readNow(trx, now));
  const decided = decideClaim(found === undefined ? undefined : toSeat(found.row), claim, nowMs);
  if (decided.seat === undefined) return decided.outcome;
  if (found !== undefined) {
    await writeSeat(trx, seat, decided.seat);
    return decided.outcome;
  }
  const inserted = await trx
    .insertInto('gateway_seat')
    .values({ gateway: seat.gateway, role: seat.role, ...toRow(decided.seat) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('gateway')
    .executeTakeFirst();
  // Two first claims at once: the other one sits now, so this one is judged against it.
  return inserted === undefined ? claimSeat(trx, wish) : decided.outcome;
}

/** An update that changes nothing takes the row lock on both dialects. */
async function lockSeats(
  trx: Trx,
  { gateway, role }: { readonly gateway: string; readonly role?: string },
  now: Now,
) {
  let query = trx
    .updateTable('gateway_seat')
    .set((eb) => ({ generation: eb.ref('generation') }))
    .where('gateway', '=', gateway);
  if (role !== undefined) query = query.where('role', '=', role);
  const rows = await query
    .returningAll()
    .returning(sql<number>`${now}`.as('now_ms'))
    .execute();
  return rows.map(({ now_ms: nowMs, ...row }) => ({ row, nowMs }));
}

async function keep(
  db: Queries,
  seats: readonly Seated[],
  until: RawBuilder<number>,
): Promise<ReadonlyMap<string, { readonly rival: string | null }>> {
  const rows = await db
    .updateTable('gateway_seat')
    .set({ lease_until_ms: until })
    .where(
      'gateway',
      'in',
      seats.map(({ gateway }) => gateway),
    )
    // An instance is random: no two gateways have the same by chance, and by intent it gains nothing.
    .where(
      'instance',
      'in',
      seats.map(({ instance }) => instance),
    )
    .returning(['gateway', 'role', 'instance', 'rival'])
    .execute();
  return new Map(rows.map((row) => [keyOf(row), row]));
}

/** Parts those that do not sit any more: somebody else does, or nobody. */
async function partByHolder(
  db: Queries,
  missing: readonly Seated[],
): Promise<{ readonly lost: readonly Seated[]; readonly vacant: readonly Seated[] }> {
  const held = new Set<string>();
  const placeOf = ({ gateway, role }: Pick<GatewaySeatTable, 'gateway' | 'role'>) => `${gateway}\0${role}`;
  for (let start = 0; start < missing.length; start += seatsPerStatement) {
    const gateways = missing.slice(start, start + seatsPerStatement).map(({ gateway }) => gateway);
    const rows = await db
      .selectFrom('gateway_seat')
      .select(['gateway', 'role'])
      .where('gateway', 'in', gateways)
      .execute();
    for (const row of rows) held.add(placeOf(row));
  }
  return {
    lost: missing.filter((seat) => held.has(placeOf(seat))),
    vacant: missing.filter((seat) => !held.has(placeOf(seat))),
  };
}

/** The holder lives, so a rival whom nobody told of is news. */
async function noteLife(db: Queries, seat: Seated, text: string | null): Promise<Rival | undefined> {
  const rival = rivalOf(text);
  if (rival === undefined || rival.isReported) return undefined;
  const after = rivalAfter({ rival, instance: seat.instance }, seat.instance);
  await db
    .updateTable('gateway_seat')
    .set({ rival: after.rival === undefined ? null : JSON.stringify(after.rival) })
    .where('gateway', '=', seat.gateway)
    .where('role', '=', seat.role)
    .where('instance', '=', seat.instance)
    .where('rival', '=', text)
    .execute();
  return after.isNews ? rival : undefined;
}

async function writeSeat(
  trx: Trx,
  { gateway, role }: Pick<GatewaySeatTable, 'gateway' | 'role'>,
  seat: Seat,
): Promise<void> {
  await trx
    .updateTable('gateway_seat')
    .set(toRow(seat))
    .where('gateway', '=', gateway)
    .where('role', '=', role)
    .execute();
}

const keyOf = ({ gateway, role, instance }: { gateway: string; role: string; instance: string }): string =>
  `${gateway}\0${role}\0${instance}`;

const nameOf = ({ instance, hostname, source }: Pick<Seat, 'instance' | 'hostname' | 'source'>) => ({
  instance,
  hostname,
  source,
});

function rivalOf(text: string | null): Rival | undefined {
  return text === null ? undefined : (JSON.parse(text) as Rival);
}

function toSeat(row: Selectable<GatewaySeatTable>): Seat {
  return {
    instance: row.instance,
    hostname: row.hostname,
    source: row.source,
    ticket: row.ticket ?? undefined,
    next: row.next_ticket ?? undefined,
    hasNextArrived: row.next_arrived === 1,
    generation: row.generation,
    leaseUntilMs: row.lease_until_ms,
    claimedAtMs: row.claimed_at_ms,
    rival: rivalOf(row.rival),
  };
}

function toRow(seat: Seat) {
  return {
    instance: seat.instance,
    hostname: seat.hostname,
    source: seat.source,
    ticket: seat.ticket ?? null,
    next_ticket: seat.next ?? null,
    next_arrived: seat.hasNextArrived ? 1 : 0,
    generation: seat.generation,
    lease_until_ms: seat.leaseUntilMs,
    claimed_at_ms: seat.claimedAtMs,
    rival: seat.rival === undefined ? null : JSON.stringify(seat.rival),
  };
}
