import { createHash, randomUUID } from 'node:crypto';
import { PostgresAdapter, type Selectable, sql } from 'kysely';
import { invariant } from '../../../proto/faults/fault.ts';
import type { Actor, Whence } from '../../access/actor.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import { differenceOf } from './difference.ts';
import type { AuditEvent } from './events.ts';

/** Who changed what; written once, in the transaction of the change. */
interface AuditTable {
  readonly id: string;
  readonly organization: string;
  /** null for what belongs to the whole organization. */
  readonly environment: string | null;
  readonly reference_type: string;
  readonly reference_id: string;
  readonly user_id: string;
  readonly event: string;
  /** JSON: ids of what else was touched. */
  readonly properties: string;
  readonly created_at_ms: number;
  /** A JSON Patch; null where nothing is told of what changed. */
  readonly patch: string | null;
  /** Where the change came from, and by what; null for what no request did. */
  readonly address: string | null;
  readonly origin: string | null;
  /** Place in the chain of the organization, from 1 on; null for what former versions wrote. */
  readonly seq: number | null;
  /** SHA-256 over the row and the hash of the one before, hex. */
  readonly hash: string | null;
}

/** The newest row of an organization's chain; whoever writes one holds its lock until the end of the transaction. */
interface AuditHeadTable {
  readonly organization: string;
  seq: number;
  hash: string;
  /** Rows that former versions wrote. */
  readonly unchained: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    audit: AuditTable;
    audit_head: AuditHeadTable;
  }
}

/** A row of the audit. */
export type AuditRow = Selectable<AuditTable>;

/** What happened to which object, and who did it. */
export interface AuditEntry {
  readonly organization: string;
  /** Absent for what belongs to the whole organization. */
  readonly environment?: string | undefined;
  readonly actor: Pick<Actor, 'id' | 'from'>;
  readonly event: AuditEvent;
  readonly type: 'API' | 'APPLICATION' | 'ENVIRONMENT' | 'GROUP' | 'ORGANIZATION';
  readonly id: string;
  /** What it was and what it became, of which the difference is told. */
  readonly before?: unknown;
  readonly after?: unknown;
  /** Ids of what else was touched, e.g. { PLAN: id }. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly nowMs: number;
}

/** Whoever may open the database with the command line; there is no signed-in user, and no address. */
export const byCommandLine: Whence = { origin: 'cli' };

/** Writes one audit row; call it inside the transaction of the change, last: it takes the lock of the organization's chain. */
export function writeAudit(trx: Trx, entry: AuditEntry): Promise<void> {
  return writeAudits(trx, [entry]);
}

/** Rows of one INSERT, whose values a database numbers. */
const rowsMax = 500;

/** Writes the audit rows of a change in their order, all of one organization; see {@link writeAudit}. */
export async function writeAudits(trx: Trx, entries: readonly AuditEntry[]): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  const { organization } = first;
  if (await append(trx, organization, entries)) return;
  const none = { organization, seq: 0, hash: '', unchained: 0 };
  await trx
    .insertInto('audit_head')
    .values(none)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  invariant(await append(trx, organization, entries), 'the chain of an organization has an end');
}

/** False when the organization has no chain yet. */
function append(trx: Trx, organization: string, entries: readonly AuditEntry[]): Promise<boolean> {
  const [first] = entries;
  // Most changes have one row. Whoever comes next waits from the statement on that takes the end of the chain, so it is the only one.
  if (entries.length === 1 && first !== undefined && trx.getExecutor().adapter instanceof PostgresAdapter)
    return appendOne(trx, first);
  return appendAll(trx, organization, entries);
}

async function appendOne(trx: Trx, entry: AuditEntry): Promise<boolean> {
  const row = rowOf(entry);
  // What hashOf makes, but for the place and the hash before, which the database knows.
  const rest = JSON.stringify(saidOf(row)).slice(1);
  const said = sql`'["' || hash || '",' || (seq + 1)::text || ',' || ${rest}::text`;
  const columns = Object.keys(row);
  const { rows } = await sql`with head as (
      update audit_head set seq = seq + 1, hash = encode(sha256(convert_to(${said}, 'UTF8')), 'hex')
      where organization = ${row.organization} returning seq, hash)
    insert into audit (${sql.join([...columns, 'seq', 'hash'].map((name) => sql.ref(name)))})
    select ${sql.join([...Object.values(row).map((value) => sql`${value}::${typeOf(value)}`), sql`seq, hash`])} from head
    returning seq`.execute(trx);
  return rows.length === 1;
}

const typeOf = (value: unknown) => (typeof value === 'number' ? sql`bigint` : sql`text`);

async function appendAll(trx: Trx, organization: string, entries: readonly AuditEntry[]): Promise<boolean> {
  // Whoever comes next waits here, so that no place is given twice.
  const head = await trx
    .updateTable('audit_head')
    .set((set) => ({ seq: set('seq', '+', entries.length) }))
    .where('organization', '=', organization)
    .returning(['seq', 'hash'])
    .executeTakeFirst();
  if (head === undefined) return false;
  let { hash } = head;
  const firstSeq = Number(head.seq) - entries.length + 1;
  const rows = entries.map((entry, n) => {
    const row = { ...rowOf(entry), seq: firstSeq + n };
    hash = hashOf(row, hash);
    return { ...row, hash };
  });
  for (let n = 0; n < rows.length; n += rowsMax)
    await trx
      .insertInto('audit')
      .values(rows.slice(n, n + rowsMax))
      .execute();
  await trx.updateTable('audit_head').set({ hash }).where('organization', '=', organization).execute();
  return true;
}

function rowOf(entry: AuditEntry): Omit<AuditRow, 'seq' | 'hash'> {
  const { environment, actor } = entry;
  const isCompared = entry.before !== undefined || entry.after !== undefined;
  return {
    id: randomUUID(),
    organization: entry.organization,
    environment: environment === undefined || environment === '' ? null : environment,
    reference_type: entry.type,
    reference_id: entry.id,
    user_id: actor.id,
    event: entry.event,
    properties: JSON.stringify(entry.properties ?? {}),
    created_at_ms: entry.nowMs,
    patch: (isCompared ? differenceOf(entry.before ?? {}, entry.after ?? {}) : undefined) ?? null,
    address: actor.from?.address ?? null,
    origin: actor.from?.origin ?? null,
  };
}

/** The hash that a row has behind another, over a JSON array of the hash before, the place and every other field of the row in this order. */
export function hashOf(row: Omit<AuditRow, 'hash'>, before: string): string {
  const said = [before, Number(row.seq), ...saidOf(row)];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

const saidOf = (row: Omit<AuditRow, 'seq' | 'hash'>): readonly (string | number | null)[] => [
  row.id,
  row.organization,
  row.environment,
  row.reference_type,
  row.reference_id,
  row.user_id,
  row.event,
  row.properties,
  Number(row.created_at_ms),
  row.patch,
  row.address,
  row.origin,
];

/** The next rows of an organization's chain behind a place in it. */
export async function chainBehind(
  db: Queries,
  organization: string,
  { seq, limit }: { readonly seq: number; readonly limit: number },
): Promise<readonly AuditRow[]> {
  const behind = db.selectFrom('audit').selectAll().where('organization', '=', organization);
  return behind.where('seq', '>', seq).orderBy('seq').limit(limit).execute();
}

/** Where a chain ends, and how many rows stand beside it. */
export async function chainHead(
  db: Queries,
  organization: string,
): Promise<{
  readonly seq: number;
  readonly hash: string;
  readonly unchained: number;
  readonly beside: number;
}> {
  const head = await db
    .selectFrom('audit_head')
    .selectAll()
    .where('organization', '=', organization)
    .executeTakeFirst();
  const beside = await db
    .selectFrom('audit')
    .select((select) => select.fn.countAll<number>().as('rows'))
    .where('organization', '=', organization)
    // A place before the first is none of the chain.
    .where((where) => where.or([where('seq', 'is', null), where('seq', '<', 1)]))
    .executeTakeFirstOrThrow();
  return {
    seq: Number(head?.seq ?? 0),
    hash: head?.hash ?? '',
    unchained: Number(head?.unchained ?? 0),
    beside: Number(beside.rows),
  };
}
