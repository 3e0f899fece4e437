import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Queries, Trx } from '../storage/storage.ts';
import { removeLinks } from './password-links.store.ts';

/** Somebody who can sign in to an organization. */
export interface UserAccountTable {
  readonly id: string;
  readonly organization: string;
  /** Unique in the organization. */
  username: string;
  /** Argon2id in PHC form; empty for a service account, to which no password opens. */
  password_hash: string;
  display_name: string;
  email: string | null;
  firstname: string | null;
  lastname: string | null;
  /** ACTIVE; PENDING, who has registered and waits for somebody's word; REJECTED; DISABLED, who comes in by nothing; ARCHIVED, who was deleted, so that the audit can name an id. */
  status: string;
  /** 1 for an account of a program, which has tokens alone. */
  is_service: number;
  /** The identity provider that says who this is, and what it calls him; null for who has a password here. Unique together. */
  readonly source: string | null;
  source_id: string | null;
  /** Until when the password opens though passwords open nothing here; null for who has no such leave. */
  password_until_ms: number | null;
  /** 1: beside the password a code is asked for. */
  second_factor: number;
  /** Sessions that were opened. */
  login_count: number;
  first_connection_at_ms: number | null;
  last_connection_at_ms: number | null;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** A token that a user made for scripts; only its hash is kept. */
interface PersonalTokenTable {
  readonly id: string;
  readonly organization: string;
  readonly user_id: string;
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  /** JSON list of rights that it is narrowed to; null for all that its user may do. */
  readonly scopes: string | null;
  last_use_at_ms: number | null;
}

declare module '../storage/tables.ts' {
  interface Database {
    user_account: UserAccountTable;
    personal_token: PersonalTokenTable;
  }
}

/** A row of user_account. */
export type UserRow = Selectable<UserAccountTable>;
/** A row of personal_token. */
export type TokenRow = Selectable<PersonalTokenTable>;

/** The user of that name in the organization. */
export function findUser(db: Queries, organization: string, username: string): Promise<UserRow | undefined> {
  return db
    .selectFrom('user_account')
    .selectAll()
    .where('organization', '=', organization)
    .where('username', '=', username)
    .executeTakeFirst();
}

/** The user with that id in the organization. */
export function getUser(db: Queries, organization: string, id: string): Promise<UserRow | undefined> {
  return db
    .selectFrom('user_account')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Whether a user signs in by a password of this installation: neither a program does nor who comes by an identity provider. */
export const hasPassword = (user: Pick<UserRow, 'source' | 'is_service'>): boolean =>
  user.source === null && user.is_service === 0;

/** The user whom an identity provider calls so. */
export function findUserOfSource(
  db: Queries,
  organization: string,
  { source, sourceId }: { readonly source: string; readonly sourceId: string },
): Promise<UserRow | undefined> {
  return db
    .selectFrom('user_account')
    .selectAll()
    .where('organization', '=', organization)
    .where('source', '=', source)
    .where('source_id', '=', sourceId)
    .executeTakeFirst();
}

/** Adds a user; a taken name is a unique violation. */
export async function insertUser(db: Queries, user: UserRow): Promise<void> {
  await db.insertInto('user_account').values(user).execute();
}

/** Gives a user another password; links to one that were sent before open nothing any more. */
export async function setPassword(
  db: Queries,
  user: { readonly organization: string; readonly userId: string },
  { hash, nowMs }: { readonly hash: string; readonly nowMs: number },
): Promise<void> {
  await db
    .updateTable('user_account')
    .set({ password_hash: hash, updated_at_ms: nowMs })
    .where('organization', '=', user.organization)
    .where('id', '=', user.userId)
    .execute();
  await removeLinks(db, user);
}

/**
 * Notes that the user opens a session; says whether that is still his password, whether he still has or has not a second factor, and he may
 * come in, and keeps it so until the transaction ends: a row that is written waits for whoever writes it.
 */
export async function noteConnection(
  trx: Trx,
  user: { readonly organization: string; readonly userId: string },
  {
    hash,
    hasSecondFactor,
    nowMs,
  }: { readonly hash: string; readonly hasSecondFactor: boolean; readonly nowMs: number },
): Promise<boolean> {
  const held = await trx
    .updateTable('user_account')
    .set((row) => ({
      password_hash: hash,
      login_count: row('login_count', '+', 1),
      first_connection_at_ms: row.fn.coalesce('first_connection_at_ms', row.val(nowMs)),
      last_connection_at_ms: nowMs,
    }))
    .where('status', '=', 'ACTIVE')
    .where('organization', '=', user.organization)
    .where('id', '=', user.userId)
    .where('password_hash', '=', hash)
    .where('second_factor', '=', hasSecondFactor ? 1 : 0)
    .executeTakeFirst();
  return held.numUpdatedRows === 1n;
}

/** Says of a stored hash whether it is still the same, and nothing of it. */
export function passwordMark(hash: string): string {
  return createHash('sha256').update(hash).digest('base64url');
}

/**
 * Says whether the user's password is still that of the mark, and keeps it and what he owns from being changed by others until the
 * transaction ends. Without a mark: whether there is the user.
 */
export async function holdUser(
  trx: Trx,
  user: { readonly organization: string; readonly userId: string },
  mark: string | undefined,
): Promise<boolean> {
  const held = await trx
    .updateTable('user_account')
    .set((eb) => ({ username: eb.ref('username') }))
    .where('organization', '=', user.organization)
    .where('id', '=', user.userId)
    .returning('password_hash')
    .executeTakeFirst();
  return held !== undefined && (mark === undefined || passwordMark(held.password_hash) === mark);
}

/** The token with the user it speaks for. */
export async function findTokenUser(
  db: Queries,
  tokenHash: string,
  nowMs: number,
): Promise<{ readonly token: TokenRow; readonly user: UserRow } | undefined> {
  const token = await db
    .selectFrom('personal_token')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where((where) => where.or([where('expires_at_ms', 'is', null), where('expires_at_ms', '>', nowMs)]))
    .executeTakeFirst();
  if (token === undefined) return undefined;
  const user = await getUser(db, token.organization, token.user_id);
  return user?.status === 'ACTIVE' ? { token, user } : undefined;
}

/** Notes when a token was last used. */
export async function touchToken(db: Queries, id: string, nowMs: number): Promise<void> {
  await db.updateTable('personal_token').set({ last_use_at_ms: nowMs }).where('id', '=', id).execute();
}

/** A user's tokens, oldest first. */
export function listTokens(db: Queries, organization: string, userId: string): Promise<TokenRow[]> {
  return db
    .selectFrom('personal_token')
    .selectAll()
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

/** Adds a token; a taken name is a unique violation. */
export async function insertToken(db: Queries, token: TokenRow): Promise<void> {
  await db.insertInto('personal_token').values(token).execute();
}

/** Removes all tokens of the user; says how many. */
export async function deleteTokens(
  db: Queries,
  owner: { readonly organization: string; readonly userId: string },
): Promise<number> {
  const result = await db
    .deleteFrom('personal_token')
    .where('organization', '=', owner.organization)
    .where('user_id', '=', owner.userId)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Removes one token of the user; says whether there was one. */
export async function deleteToken(
  db: Queries,
  owner: { readonly organization: string; readonly userId: string },
  id: string,
): Promise<boolean> {
  const result = await db
    .deleteFrom('personal_token')
    .where('organization', '=', owner.organization)
    .where('user_id', '=', owner.userId)
    .where('id', '=', id)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
