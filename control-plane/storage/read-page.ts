import type { SelectQueryBuilder, Simplify } from 'kysely';

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
export async function readPage<Tables, Table extends keyof Tables, Row>(
  ordered: SelectQueryBuilder<Tables, Table, Row>,
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
  return { rows, total: Number((count as { readonly total: number | string }).total) };
}

/** Reads all of what is read some at a time: each look is behind the id of the last one before, and is taken when those are done with. */
export async function* readBehind<Item>(
  look: (after: string) => Promise<readonly Item[]>,
  idOf: (item: Item) => string,
): AsyncGenerator<Item, void> {
  let items = await look('');
  for (let last = items.at(-1); last !== undefined; last = items.at(-1)) {
    yield* items;
    items = await look(idOf(last));
  }
}
