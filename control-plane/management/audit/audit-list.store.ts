import { type SelectQueryBuilder, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { inTenant } from '../../storage/in-tenant.ts';
import type { PageBounds, Rows } from '../../storage/read-page.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Database } from '../../storage/tables.ts';
import type { AuditRow } from './audit.store.ts';

/** What a list of audit rows may be narrowed by; of several conditions all hold. */
export interface AuditFilter {
  readonly organization: string;
  readonly environment?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly id?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly user?: string | undefined;
  /** ms since the epoch, `toMs` exclusive. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

type Query<Row> = SelectQueryBuilder<Database, 'audit', Row>;

function narrowed<Row>(all: Query<Row>, filter: AuditFilter): Query<Row> {
  const { organization, environment, types, id, events, user, fromMs, toMs } = filter;
  let query =
    environment === undefined
      ? all.where('organization', '=', organization)
      : inTenant(all, { organization, environment });
  if (types !== undefined) query = query.where('reference_type', 'in', types);
  if (id !== undefined) query = query.where('reference_id', '=', id);
  if (events !== undefined && events.length > 0) query = query.where('event', 'in', events);
  if (user !== undefined) query = query.where('user_id', '=', user);
  if (fromMs !== undefined) query = query.where('created_at_ms', '>=', fromMs);
  if (toMs !== undefined) query = query.where('created_at_ms', '<', toMs);
  return query;
}

/**
 * A page of rows, newest first, with how many there are: of millions in milliseconds once they were counted.
 *
 * The keys of the page come out of an index, from the end that is nearer; rows are read for them alone.
 */
export async function listAuditRows(
  db: Queries,
  filter: AuditFilter,
  { limit, offset }: PageBounds,
): Promise<Rows<AuditRow>> {
  const total = await countRows(db, filter);
  const end = Math.min(offset + limit, total);
  if (offset >= end) return { rows: [], total };
  const isNearEnd = total - end < offset;
  const direction = isNearEnd ? 'asc' : 'desc';
  // Where few rows match, their own index finds them; the order's would be read past all others.
  const time = total <= sortedMax ? sql<number>`created_at_ms + 0` : sql.ref<number>('created_at_ms');
  const keys = await narrowed(db.selectFrom('audit'), filter)
    .select('seq')
    .orderBy(time, direction)
    .orderBy('seq', direction)
    .limit(end - offset)
    .offset(isNearEnd ? total - end : offset)
    .execute();
  const places = keys.flatMap(({ seq }) => (seq === null ? [] : [Number(seq)]));
  if (places.length < keys.length) return { rows: await unchainedPage(db, filter, { limit, offset }), total };
  const rows = await rowsAt(db, filter.organization, places);
  const bySeq = new Map(rows.map((row) => [Number(row.seq), row]));
  const found = places.flatMap((seq) => bySeq.get(seq) ?? []);
  return { rows: isNearEnd ? found.toReversed() : found, total };
}

/** So many rows are sorted in no time. */
const sortedMax = 10_000;

/** A page with rows of former versions, which have no place by which they could be found. */
function unchainedPage(db: Queries, filter: AuditFilter, { limit, offset }: PageBounds): Promise<AuditRow[]> {
  return narrowed(db.selectFrom('audit'), filter)
    .selectAll()
    .orderBy('created_at_ms', 'desc')
    .orderBy('seq', 'desc')
    .orderBy('id')
    .limit(limit)
    .offset(offset)
    .execute();
}

/** How many rows match up to a place in the chain. */
interface Counted {
  readonly seq: number;
  readonly total: number;
}

/** Filters whose counts a database is remembered by. */
const filtersMax = 1_000;
/** Rows of the chain that are counted in one step. */
const countedMax = 10_000;
const counted = new WeakMap<Queries, LRUCache<string, Counted>>();

/**
 * How many rows match. A row stays as it is, and a new one comes behind the end of the chain (the database refuses anything else): so all are
 * counted once, and then what came since.
 */
async function countRows(db: Queries, filter: AuditFilter): Promise<number> {
  const counts = counted.get(db) ?? new LRUCache<string, Counted>({ max: filtersMax });
  counted.set(db, counts);
  const key = JSON.stringify(filter);
  const known = counts.get(key);
  const now = known === undefined ? await countAll(db, filter) : await countSince(db, filter, known);
  counts.set(key, now);
  return now.total;
}

async function countAll(db: Queries, filter: AuditFilter): Promise<Counted> {
  const head = await db
    .selectFrom('audit_head')
    .select('seq')
    .where('organization', '=', filter.organization)
    .executeTakeFirst();
  const seq = Number(head?.seq ?? 0);
  const { rows } = await narrowed(db.selectFrom('audit'), filter)
    .select((select) => select.fn.countAll<number>().as('rows'))
    // Not a range: the index of the filter counts.
    .where(sql<boolean>`coalesce(seq, 0) <= ${seq}`)
    .executeTakeFirstOrThrow();
  return { seq, total: Number(rows) };
}

async function countSince(db: Queries, filter: AuditFilter, known: Counted): Promise<Counted> {
  let { seq, total } = known;
  for (;;) {
    const part = await partOf(db, filter.organization, { seq, limit: countedMax })
      .select((select) => [select.fn.countAll<number>().as('rows'), select.fn.max('seq').as('newest')])
      .executeTakeFirstOrThrow();
    if (part.newest === null) return { seq, total };
    const { rows } = await narrowed(partOf(db, filter.organization, { seq, limit: countedMax }), filter)
      .select((select) => select.fn.countAll<number>().as('rows'))
      .where('seq', '<=', part.newest)
      .executeTakeFirstOrThrow();
    total += Number(rows);
    seq = Number(part.newest);
    if (Number(part.rows) < countedMax) return { seq, total };
  }
}

/**
 * The places of all rows of a chain up to `seqMax` that match, in its order, where they are few; undefined where they are not, and a chain is
 * sooner read from its beginning than sorted.
 */
export async function fewPlaces(
  db: Queries,
  filter: AuditFilter,
  seqMax: number,
): Promise<readonly number[] | undefined> {
  if ((await countRows(db, filter)) > sortedMax) return undefined;
  const rows = await narrowed(db.selectFrom('audit'), filter)
    .select('seq')
    // Neither a range nor an order that the index of the chain has: that of the filter finds them.
    .where(sql<boolean>`coalesce(seq, 0) between 1 and ${seqMax}`)
    .orderBy(sql`seq + 0`)
    .execute();
  return rows.map(({ seq }) => Number(seq));
}

/** Rows of an organization's chain by their places, in its order. */
export function rowsAt(db: Queries, organization: string, places: readonly number[]): Promise<AuditRow[]> {
  return db
    .selectFrom('audit')
    .selectAll()
    .where('organization', '=', organization)
    .where('seq', 'in', places)
    .orderBy('seq')
    .execute();
}

/** What matches of a part of the chain, behind `seq` up to `seqMax`, in its order. */
export function chainPart(
  db: Queries,
  filter: AuditFilter,
  { seq, seqMax }: { readonly seq: number; readonly seqMax: number },
): Promise<AuditRow[]> {
  return narrowed(partOf(db, filter.organization, { seq, limit: seqMax - seq }), filter)
    .selectAll()
    .where('seq', '<=', seqMax)
    .orderBy('seq')
    .execute();
}

/** Rows of a part of the chain, by their places and whatever else is asked of them: with the limit neither database turns it inside out. */
function partOf(
  db: Queries,
  organization: string,
  { seq, limit }: { readonly seq: number; readonly limit: number },
): Query<object> {
  const part = db.selectFrom('audit').selectAll().where('organization', '=', organization);
  return db.selectFrom(part.where('seq', '>', seq).orderBy('seq').limit(limit).as('audit'));
}
