import type { Selectable, Updateable } from 'kysely';
import type { Queries, Trx } from '../storage/storage.ts';
import type { TemplateKey } from './templates.ts';

/** What an organization says in place of our own words. */
interface NotificationTemplateTable {
  readonly id: string;
  readonly organization: string;
  readonly scope: string;
  readonly hook: string;
  /** EMAIL or PORTAL. */
  readonly type: string;
  title: string;
  content: string;
  /** 0: our own words are said. */
  enabled: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    notification_template: NotificationTemplateTable;
  }
}

/** A row of notification_template. */
export type TemplateRow = Selectable<NotificationTemplateTable>;

/** All that an organization has written; there is one of each kind at most. */
export function listTemplateRows(db: Queries, organization: string): Promise<TemplateRow[]> {
  return db
    .selectFrom('notification_template')
    .selectAll()
    .where('organization', '=', organization)
    .execute();
}

/** One by its id. */
export function findTemplateRow(
  db: Queries,
  organization: string,
  id: string,
): Promise<TemplateRow | undefined> {
  return db
    .selectFrom('notification_template')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** What is said in place of our own words, where something is. */
export function findInForce(
  db: Queries,
  organization: string,
  { scope, hook, type }: TemplateKey,
): Promise<TemplateRow | undefined> {
  return db
    .selectFrom('notification_template')
    .selectAll()
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('hook', '=', hook)
    .where('type', '=', type)
    .where('enabled', '=', 1)
    .executeTakeFirst();
}

/** Adds one; a second of its kind is a unique violation. */
export async function insertTemplate(trx: Trx, row: TemplateRow): Promise<void> {
  await trx.insertInto('notification_template').values(row).execute();
}

/** Changes one. */
export function updateTemplateRow(
  trx: Trx,
  { organization, id }: Pick<TemplateRow, 'organization' | 'id'>,
  set: Updateable<NotificationTemplateTable>,
): Promise<TemplateRow> {
  return trx
    .updateTable('notification_template')
    .set(set)
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes one. */
export async function deleteTemplateRow(
  trx: Trx,
  { organization, id }: Pick<TemplateRow, 'organization' | 'id'>,
): Promise<void> {
  await trx
    .deleteFrom('notification_template')
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute();
}
