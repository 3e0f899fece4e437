import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import { likePattern } from '../pages.ts';

/** A consumer of APIs. */
interface ApplicationTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  name_key: string;
  description: string;
  domain: string | null;
  readonly type: string;
  /** JSON. */
  settings: string;
  status: string;
  api_key_mode: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    application: ApplicationTable;
  }
}

/** A row of application. */
export type ApplicationRow = Selectable<ApplicationTable>;

/** What a list of applications may be narrowed by. */
export interface ApplicationFilter {
  readonly query?: string | undefined;
  readonly status?: string | undefined;
}

/** The application in its environment. */
export function findApplication(
  db: Queries,
  at: EnvironmentRef,
  id: string,
): Promise<ApplicationRow | undefined> {
  return inTenant(db.selectFrom('application'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * The application with its row locked until the transaction ends.
 *
 * Who subscribes and who archives take this lock, and take it before any API's: so no subscription slips in behind an
 * archiving, and the two cannot wait for each other.
 */
export function lockApplication(
  trx: Trx,
  at: EnvironmentRef,
  id: string,
): Promise<ApplicationRow | undefined> {
  return inTenant(trx.updateTable('application'), at)
    .set((row) => ({ status: row.ref('status') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** The applications with those ids. */
export async function applicationsById(
  db: Queries,
  at: EnvironmentRef,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ApplicationRow>> {
  if (ids.length === 0) return new Map();
  const rows = await inTenant(db.selectFrom('application'), at)
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** A page of applications by name. */
export async function listApplicationRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: { readonly filter: ApplicationFilter; readonly visible: Visible; readonly bounds: PageBounds },
): Promise<Rows<ApplicationRow>> {
  const { query, status } = wish.filter;
  let selected = inTenant(storage.db.selectFrom('application'), at);
  if (status !== undefined) selected = selected.where('status', '=', status);
  if (wish.visible.kind === 'member') {
    const { visible } = wish;
    selected = selected.where((where) => isMemberOf(where.ref('application.id'), 'application', visible));
  }
  if (query !== undefined && query !== '')
    selected = selected.where(sql<boolean>`name_key like ${likePattern(query)} escape '\\'`);
  return readPage(selected.selectAll().orderBy('name_key').orderBy('id'), wish.bounds);
}

/** A page of the applications that have a subscription to an API, whatever its status, by name. */
export function listSubscriberRows(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: { readonly apiId: string; readonly name: string | undefined; readonly bounds: PageBounds },
): Promise<Rows<ApplicationRow>> {
  const subscribed = inTenant(storage.db.selectFrom('subscription'), at)
    .select('application_id')
    .where('api_id', '=', wish.apiId);
  let selected = inTenant(storage.db.selectFrom('application'), at).where('id', 'in', subscribed);
  if (wish.name !== undefined && wish.name !== '')
    selected = selected.where(sql<boolean>`name_key like ${likePattern(wish.name)} escape '\\'`);
  return readPage(selected.selectAll().orderBy('name_key').orderBy('id'), wish.bounds);
}

/** Adds an application. */
export async function insertApplication(trx: Trx, row: Insertable<ApplicationTable>): Promise<void> {
  await trx.insertInto('application').values(row).execute();
}

/** Changes an application. */
export function updateApplicationRow(
  trx: Trx,
  row: ApplicationRow,
  set: Updateable<ApplicationTable>,
): Promise<ApplicationRow> {
  return inTenant(trx.updateTable('application'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
