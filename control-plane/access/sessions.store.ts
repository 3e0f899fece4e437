import type { Selectable } from 'kysely';
import type { Queries } from '../storage/storage.ts';
import type { UserRow } from './access.store.ts';

/** A signed-in browser; only the hash of its token is kept. */
interface UserSessionTable {
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly organization: string;
  readonly user_id: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  /** null for one of an older version that was not used since. */
  last_use_at_ms: number | null;
  /** Where it was opened from: an address, or the /64 of one. */
  readonly source: string | null;
  readonly user_agent: string | null;
  /** 1: it opens nothing but the way to a second factor, until its user has one. */
  enrols: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    user_session: UserSessionTable;
  }
}

/** A row of user_session. */
export type SessionRow = Selectable<UserSessionTable>;

/** Sessions that a user may have at once; past it the oldest ends. */
const sessionsMax = 100;

/** Whose sessions. */
export interface SessionOwner {
  readonly organization: string;
  readonly userId: string;
}

/** What a session is called where its token must not be shown; it opens nothing. */
export const sessionIdOf = ({ token_hash: hash }: Pick<SessionRow, 'token_hash'>): string =>
  hash.slice(0, 32);

/** The live session with the user behind it. */
export async function findSession(
  db: Queries,
  tokenHash: string,
  nowMs: number,
): Promise<{ readonly session: SessionRow; readonly user: UserRow } | undefined> {
  const session = await db
    .selectFrom('user_session')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  if (session === undefined) return undefined;
  const user = await db
    .selectFrom('user_account')
    .selectAll()
    .where('organization', '=', session.organization)
    .where('id', '=', session.user_id)
    .executeTakeFirst();
  return user?.status === 'ACTIVE' ? { session, user } : undefined;
}

/** Notes when a session was last used. */
export async function touchSession(db: Queries, tokenHash: string, nowMs: number): Promise<void> {
  await db
    .updateTable('user_session')
    .set({ last_use_at_ms: nowMs })
    .where('token_hash', '=', tokenHash)
    .execute();
}

/** Opens all to a session that led to a second factor alone; `id` is what {@link sessionIdOf} says. */
export async function openWhole(db: Queries, owner: SessionOwner, id: string): Promise<void> {
  await db
    .updateTable('user_session')
    .set({ enrols: 0 })
    .where('organization', '=', owner.organization)
    .where('user_id', '=', owner.userId)
    .where('token_hash', 'like', `${id}%`)
    .execute();
}

/** Opens a session, and forgets those that ended and what its user has too many of. */
export async function insertSession(db: Queries, session: SessionRow): Promise<void> {
  await db.deleteFrom('user_session').where('expires_at_ms', '<=', session.created_at_ms).execute();
  const oldest = await db
    .selectFrom('user_session')
    .select('token_hash')
    .where('organization', '=', session.organization)
    .where('user_id', '=', session.user_id)
    .orderBy('created_at_ms', 'desc')
    .orderBy('token_hash')
    .limit(1_000)
    .offset(sessionsMax - 1)
    .execute();
  for (const { token_hash: hash } of oldest) await deleteSession(db, hash);
  await db.insertInto('user_session').values(session).execute();
}

/** Ends a session; one that is not there has ended. */
export async function deleteSession(db: Queries, tokenHash: string): Promise<void> {
  await db.deleteFrom('user_session').where('token_hash', '=', tokenHash).execute();
}

/** A user's live sessions, newest first. */
export function listSessions(db: Queries, owner: SessionOwner, nowMs: number): Promise<SessionRow[]> {
  return db
    .selectFrom('user_session')
    .selectAll()
    .where('organization', '=', owner.organization)
    .where('user_id', '=', owner.userId)
    .where('expires_at_ms', '>', nowMs)
    .orderBy('created_at_ms', 'desc')
    .orderBy('token_hash')
    .execute();
}

/** Ends all sessions of a user but the one with that id; says how many. */
export async function deleteSessions(
  db: Queries,
  owner: SessionOwner,
  but: string | undefined,
): Promise<number> {
  const all = await listSessions(db, owner, 0);
  const others = all.filter((row) => sessionIdOf(row) !== but);
  for (const { token_hash: hash } of others) await deleteSession(db, hash);
  return others.length;
}
