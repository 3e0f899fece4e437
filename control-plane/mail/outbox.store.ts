import { type Selectable, sql, type Updateable } from 'kysely';
import type { Queries, Trx } from '../storage/storage.ts';

/** Something that waits, was sent or was given up. */
interface OutgoingTable {
  readonly id: string;
  readonly organization: string;
  /** Which mail it is; of a webhook the hook. */
  readonly template: string;
  /** The address, of a webhook the host; what is to be read there is sealed. */
  readonly recipient: string;
  /** JSON of what it says, under the key-encryption key; null once nobody needs it. */
  sealed: Uint8Array | null;
  /** WAITING, SENT or FAILED. */
  state: string;
  tries: number;
  readonly created_at_ms: number;
  /** When it is tried next, or when it was sent or given up. */
  due_at_ms: number;
  /** After this it is worth nothing. */
  readonly ends_at_ms: number;
  /** What was wrong at the last try, for people. */
  problem: string | null;
}

declare module '../storage/tables.ts' {
  interface Database {
    outgoing_mail: OutgoingTable;
    outgoing_webhook: OutgoingTable;
  }
}

/** What leaves by a queue: mails, or calls of webhooks. */
export type Queue = 'outgoing_mail' | 'outgoing_webhook';

/** A row of a queue. */
export type Outgoing = Selectable<OutgoingTable>;

/** Puts one into a queue. */
export async function insertOutgoing(trx: Trx, queue: Queue, row: Outgoing): Promise<void> {
  await trx.insertInto(queue).values(row).execute();
}

/** How many of an organization wait; counted no further than `most`. */
export async function countWaiting(
  db: Queries,
  queue: Queue,
  { organization, most }: { readonly organization: string; readonly most: number },
): Promise<number> {
  const some = db
    .selectFrom(queue)
    .select('id')
    .where('organization', '=', organization)
    .where('state', '=', 'WAITING')
    .limit(most)
    .as('some');
  const counted = await db
    .selectFrom(some)
    .select((select) => select.fn.countAll<number>().as('waiting'))
    .executeTakeFirstOrThrow();
  return Number(counted.waiting);
}

/**
 * What is due in all organizations, of each a few, so that nobody's thousand keeps others waiting. A time that lies further ahead than any
 * pause was written under a clock that was set back since.
 */
export async function dueOutgoing(
  db: Queries,
  queue: Queue,
  {
    nowMs,
    pauseMsMax,
    each,
    limit,
  }: { readonly nowMs: number; readonly pauseMsMax: number; readonly each: number; readonly limit: number },
): Promise<readonly Outgoing[]> {
  const ranked = db
    .selectFrom(queue)
    .selectAll()
    .select(
      // What tells of a hook, whose name has a dot, comes after what somebody waits for.
      sql<number>`row_number() over (partition by organization order by
        case when template like '%.%' then 1 else 0 end, due_at_ms, id)`.as('place'),
    )
    .where('state', '=', 'WAITING')
    .where((where) =>
      where.or([where('due_at_ms', '<=', nowMs), where('due_at_ms', '>', nowMs + pauseMsMax)]),
    )
    .as('ranked');
  return db
    .selectFrom(ranked)
    .selectAll()
    .where('place', '<=', each)
    .orderBy('place')
    .orderBy('due_at_ms')
    .limit(limit)
    .execute();
}

/** Changes one that waits, as long as nobody else has tried it meanwhile. */
export async function updateWaiting(
  trx: Trx,
  { queue, id, tries }: Pick<Outgoing, 'id' | 'tries'> & { readonly queue: Queue },
  set: Updateable<OutgoingTable>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable(queue)
    .set(set)
    .where('id', '=', id)
    .where('tries', '=', tries)
    .where('state', '=', 'WAITING')
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows) === 1;
}

/** Forgets what was sent or given up before a time. */
export async function forgetOutgoing(db: Queries, queue: Queue, beforeMs: number): Promise<void> {
  await db.deleteFrom(queue).where('state', '!=', 'WAITING').where('due_at_ms', '<', beforeMs).execute();
}

/** How many wait in all. */
export async function countAllWaiting(db: Queries, queue: Queue): Promise<number> {
  const counted = await db
    .selectFrom(queue)
    .select((select) => select.fn.countAll<number>().as('waiting'))
    .where('state', '=', 'WAITING')
    .executeTakeFirstOrThrow();
  return Number(counted.waiting);
}
