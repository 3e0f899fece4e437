import { type Selectable, sql } from 'kysely';
import type { Queries, Trx } from '../storage/storage.ts';
import type { UserRow } from './access.store.ts';
import type { UserRef } from './users.store.ts';

/** A link that was sent to a user, by which a password is chosen once. */
interface PasswordLinkTable {
  /** SHA-256 of what stands in the link, hex. */
  readonly token_hash: string;
  readonly organization: string;
  readonly user_id: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    password_link: PasswordLinkTable;
  }
}

/** A row of password_link. */
export type PasswordLinkRow = Selectable<PasswordLinkTable>;

/** Users of one name or address who are written to at most. */
const sameAddressMax = 5;

/** Those who have a password here and an address of mail, of that user name or address. */
export function findReachable(db: Queries, organization: string, name: string): Promise<UserRow[]> {
  return db
    .selectFrom('user_account')
    .selectAll()
    .where('organization', '=', organization)
    .where('status', '=', 'ACTIVE')
    .where('is_service', '=', 0)
    .where('source', 'is', null)
    .where('email', 'is not', null)
    .where((where) =>
      where.or([where('username', '=', name), sql<boolean>`lower(email) = ${name.toLowerCase()}`]),
    )
    .orderBy('username')
    .limit(sameAddressMax)
    .execute();
}

/** Links of a user that were sent after a moment, whatever became of their time. */
export async function countLinks(db: Queries, { organization, userId }: UserRef, sinceMs: number) {
  const row = await db
    .selectFrom('password_link')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .where('created_at_ms', '>', sinceMs)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Keeps one, and forgets those of the organization that have ended. */
export async function insertLink(trx: Trx, row: PasswordLinkRow): Promise<void> {
  await trx
    .deleteFrom('password_link')
    .where('organization', '=', row.organization)
    .where('expires_at_ms', '<=', row.created_at_ms)
    .execute();
  await trx.insertInto('password_link').values(row).execute();
}

/** The one that was sent, while it lasts. */
export function findLink(
  db: Queries,
  organization: string,
  { tokenHash, nowMs }: { readonly tokenHash: string; readonly nowMs: number },
): Promise<PasswordLinkRow | undefined> {
  return db
    .selectFrom('password_link')
    .selectAll()
    .where('organization', '=', organization)
    .where('token_hash', '=', tokenHash)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
}

/** Uses one up; says whether it was there, which of two that come together only one is told. */
export async function spendLink(trx: Trx, { organization, token_hash: hash }: PasswordLinkRow) {
  const result = await trx
    .deleteFrom('password_link')
    .where('organization', '=', organization)
    .where('token_hash', '=', hash)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Takes all links of a user back. */
export async function removeLinks(db: Queries, { organization, userId }: UserRef): Promise<void> {
  await db
    .deleteFrom('password_link')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .execute();
}
