import type { Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** What is fetched for a dictionary, an API or a page, and how that goes. */
interface FetchedTable {
  readonly organization: string;
  readonly environment: string;
  /** A {@link FetchedKind}. */
  readonly kind: string;
  readonly id: string;
  /** Rises with each change of what is asked for: an answer to another question is not taken. */
  version: number;
  /** As textOfWords has them; null until the first answer, and of a page, which has its text itself. */
  words: string | null;
  /** null while nothing is fetched. */
  due_at_ms: number | null;
  tried_at_ms: number | null;
  fetched_at_ms: number | null;
  /** What was wrong at the last try, for people; null when nothing was. */
  problem: string | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    fetched: FetchedTable;
  }
}

/** A row of fetched. */
export type FetchedRow = Selectable<FetchedTable>;

/** For what something is fetched. */
export type FetchedKind = 'dictionary' | 'api' | 'page';

/** Names a row. */
export interface FetchedRef {
  readonly at: EnvironmentRef;
  readonly kind: FetchedKind;
  readonly id: string;
}

/** What was fetched. */
export function findFetched(db: Queries, { at, kind, id }: FetchedRef): Promise<FetchedRow | undefined> {
  return inTenant(db.selectFrom('fetched'), at)
    .selectAll()
    .where('kind', '=', kind)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** What was fetched for several of a kind, by id. */
export async function fetchedOf(
  db: Queries,
  at: EnvironmentRef,
  { kind, ids }: { readonly kind: FetchedKind; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, FetchedRow>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('fetched'), at)
    .selectAll()
    .where('kind', '=', kind)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Fetches from now on, for the first time at that moment; words that there are stay until then. */
export async function beginFetching(trx: Trx, { at, kind, id }: FetchedRef, dueAtMs: number): Promise<void> {
  const { organization, environment } = at;
  await trx
    .insertInto('fetched')
    .values({
      organization,
      environment,
      kind,
      id,
      version: 1,
      words: null,
      due_at_ms: dueAtMs,
      tried_at_ms: null,
      fetched_at_ms: null,
      problem: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['environment', 'kind', 'id'])
        .doUpdateSet((row) => ({ version: row('fetched.version', '+', 1), due_at_ms: dueAtMs })),
    )
    .execute();
}

/** Fetches no more; words that there are stay. */
export async function pauseFetching(trx: Trx, { at, kind, id }: FetchedRef): Promise<void> {
  await inTenant(trx.updateTable('fetched'), at)
    .set((row) => ({ version: row('version', '+', 1), due_at_ms: null }))
    .where('kind', '=', kind)
    .where('id', '=', id)
    .execute();
}

/** Fetches no more and forgets what there is. */
export async function endFetching(trx: Trx, { at, kind, id }: FetchedRef): Promise<void> {
  await inTenant(trx.deleteFrom('fetched'), at).where('kind', '=', kind).where('id', '=', id).execute();
}

/** The row, locked until the transaction ends, as long as it asks what it did; its owner's row is locked before. */
export function lockFetched(trx: Trx, ref: FetchedRef, version: number): Promise<FetchedRow | undefined> {
  return inTenant(trx.updateTable('fetched'), ref.at)
    .set((row) => ({ version: row.ref('version') }))
    .where('kind', '=', ref.kind)
    .where('id', '=', ref.id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
}

/** Writes down how a try went. */
export async function noteFetch(trx: Trx, row: FetchedRow, set: Updateable<FetchedTable>): Promise<void> {
  await inTenant(trx.updateTable('fetched'), row)
    .set(set)
    .where('kind', '=', row.kind)
    .where('id', '=', row.id)
    .execute();
}
