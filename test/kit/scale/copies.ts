import { type RawBuilder, sql } from 'kysely';
import { invariant } from '../../../proto/faults/fault.ts';
import type { Trx } from '../../../control-plane/storage/storage.ts';
import type { Database } from '../../../control-plane/storage/tables.ts';

/** Rows of a statement, so that none takes longer than a statement may on a busy machine. */
const rowsMax = 100_000;

/** How many rows of which likeness; in `set` the number of a row is `i`, from `first` (1) on, and the row that it is like is `t`. */
export interface Likeness {
  /** Values of columns by which the row is found that all are like, the first of them. */
  readonly of: Readonly<Record<string, string | number>>;
  readonly first?: number;
  readonly count: number;
  /** What is different, as SQL that both databases understand: `{ id: "'api-' || i" }`. */
  readonly set: Readonly<Record<string, string>>;
}

/**
 * Makes rows that are like one that the product itself has made, so that a new column needs nothing here, within the database: some hundred
 * thousand a second.
 */
export async function copyRows(
  trx: Trx,
  table: keyof Database,
  { of, first = 1, count, set }: Likeness,
): Promise<void> {
  const found = sql.join(
    Object.entries(of).map(([column, value]) => sql`${sql.ref(column)} = ${value}`),
    sql` and `,
  );
  const like = sql`(select * from ${sql.table(table)} where ${found} limit 1)`;
  const { rows } = await sql<Record<string, unknown>>`select * from ${like} t`.execute(trx);
  const [row] = rows;
  invariant(row !== undefined, `there is a row of ${table} to be like: ${JSON.stringify(of)}`);
  const columns = Object.keys(row);
  const unknown = Object.keys(set).find((name) => !columns.includes(name));
  invariant(unknown === undefined, `${table} has a column ${unknown}`);
  const values = columns.map((name): RawBuilder<unknown> => {
    const own = set[name];
    return own === undefined ? sql.ref(`t.${name}`) : sql.raw(`(${own})`);
  });
  const last = first + count - 1;
  for (let from = first; from <= last; from += rowsMax)
    await sql`with recursive numbers(i) as (
      select ${raw(from)} union all select i + 1 from numbers where i < ${raw(Math.min(from + rowsMax - 1, last))})
    insert into ${sql.table(table)} (${sql.join(columns.map((name) => sql.ref(name)))})
    select ${sql.join(values)} from numbers, ${like} t`.execute(trx);
}

const raw = (number: number) => sql.raw(String(number));
