import type { SelectQueryBuilder, Simplify } from 'kysely';
import type { Database } from './tables.ts';

/** Limit and offset for a query. */
export interface PageBounds {
  readonly limit: number;
  readonly offset: number;
}

/** Rows of a page and how many there are in all. */
export interface Rows<T> {
  readonly rows: readonly T[];
  readonly total: number;
}

/** Reads a page of a query that says what it selects and in which order, and counts what it finds in all. */
export async function readPage<Table extends keyof Database, Row>(
  ordered: SelectQueryBuilder<Database, Table, Row>,
  { limit, offset }: PageBounds,
): Promise<Rows<Simplify<Row>>> {
  const counted = ordered
    .clearSelect()
    .clearOrderBy()
    .select((select) => select.fn.countAll<number>().as('total'));
  const [rows, count] = await Promise.all([
    ordered.limit(limit).offset(offset).execute(),
    counted.executeTakeFirstOrThrow(),
  ]);
  return { rows, total: Number(count.total) };
}
