import { type Selectable, sql } from 'kysely';
import type { Queries, Trx } from '../storage/storage.ts';
import type { UserRow } from './access.store.ts';

/** Somebody who asked for an account, until the link that was sent to the address is followed or has ended. */
interface RegistrationTable {
  /** SHA-256 of what stands in the link, hex. */
  readonly token_hash: string;
  readonly organization: string;
  /** In lower case. */
  readonly email: string;
  readonly firstname: string;
  readonly lastname: string;
  /** 1: somebody had that address already. It counts as the others do, so that counts tell nothing, and its link was sent to nobody. */
  readonly is_known: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    registration: RegistrationTable;
  }
}

/** A row of registration. */
export type RegistrationRow = Selectable<RegistrationTable>;

/** Whether somebody in the organization has the address, as user name or to be written to; `email` is in lower case. */
export async function isKnownAddress(db: Queries, organization: string, email: string): Promise<boolean> {
  const row = await db
    .selectFrom('user_account')
    .select('id')
    .where('organization', '=', organization)
    .where('status', '!=', 'ARCHIVED')
    .where((where) =>
      where.or([sql<boolean>`lower(username) = ${email}`, sql<boolean>`lower(email) = ${email}`]),
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** How often an account was asked for since a moment; of one address, or of all. Those that have ended are not counted. */
export async function countRegistrations(
  db: Queries,
  organization: string,
  { email, sinceMs = 0 }: { readonly email?: string; readonly sinceMs?: number },
): Promise<number> {
  let query = db
    .selectFrom('registration')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('organization', '=', organization)
    .where('created_at_ms', '>', sinceMs);
  if (email !== undefined) query = query.where('email', '=', email);
  const row = await query.executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Forgets those of the organization that have ended. */
export async function forgetRegistrations(db: Queries, organization: string, nowMs: number): Promise<void> {
  await db
    .deleteFrom('registration')
    .where('organization', '=', organization)
    .where('expires_at_ms', '<=', nowMs)
    .execute();
}

/** Keeps one. */
export async function insertRegistration(trx: Trx, row: RegistrationRow): Promise<void> {
  await trx.insertInto('registration').values(row).execute();
}

/** The one whose link was sent, while it lasts. */
export function findRegistration(
  db: Queries,
  organization: string,
  { tokenHash, nowMs }: { readonly tokenHash: string; readonly nowMs: number },
): Promise<RegistrationRow | undefined> {
  return db
    .selectFrom('registration')
    .selectAll()
    .where('organization', '=', organization)
    .where('token_hash', '=', tokenHash)
    .where('is_known', '=', 0)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
}

/** Uses one up; says whether it was there, which of two that come together only one is told. */
export async function spendRegistration(
  trx: Trx,
  { organization, token_hash: hash }: RegistrationRow,
): Promise<boolean> {
  const result = await trx
    .deleteFrom('registration')
    .where('organization', '=', organization)
    .where('token_hash', '=', hash)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Those who have registered and wait for somebody's word, the longest waiting first. */
export function pendingUsers(db: Queries, organization: string, limit: number): Promise<UserRow[]> {
  return pending(db, organization).selectAll().orderBy('created_at_ms').orderBy('id').limit(limit).execute();
}

/** How many they are. */
export async function countPendingUsers(db: Queries, organization: string): Promise<number> {
  const row = await pending(db, organization)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

// Written out: there is an index of these alone, which a parameter would hide.
const pending = (db: Queries, organization: string) =>
  db
    .selectFrom('user_account')
    .where('organization', '=', organization)
    .where(sql<boolean>`status = 'PENDING'`);
