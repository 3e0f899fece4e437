import type { Generated, Selectable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { UserRef } from '../users.store.ts';

/** An authenticator app of a user who has a password here. */
interface SecondFactorTable {
  readonly organization: string;
  readonly user_id: string;
  /** What app and control plane share, as base32, sealed with the organization's data key. */
  secret: string;
  /** When a code of it was first shown to be right; null while nobody has, and nothing asks for it. */
  confirmed_at_ms: number | null;
  /** The newest step that a code was taken of; none of it or of one before counts again. */
  last_step: number;
  /** Wrong codes since the moment beside it. */
  wrong_codes: number;
  wrong_since_ms: number;
  created_at_ms: number;
}

/** What stands in for a code when the app is lost, once each. */
interface RecoveryCodeTable {
  readonly organization: string;
  readonly user_id: string;
  /** SHA-256, hex. */
  readonly code_hash: string;
}

/** What an organization asks of who signs in; one without a row asks for nothing more. */
interface SignInSettingsTable {
  readonly organization: string;
  /** 1: who comes in by password must have a second factor. */
  second_factor_required: number;
  /** 1: people register themselves. */
  user_creation: Generated<number>;
  /** 1: who has registered may come in at once; 0: somebody has to approve it. */
  automatic_validation: Generated<number>;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    second_factor: SecondFactorTable;
    recovery_code: RecoveryCodeTable;
    sign_in_settings: SignInSettingsTable;
  }
}

/** A row of second_factor. */
export type SecondFactorRow = Selectable<SecondFactorTable>;
/** A row of sign_in_settings. */
export type SignInSettingsRow = Selectable<SignInSettingsTable>;

/** What the organization asks for; undefined where nobody has said. */
export function findSignInSettings(
  db: Queries,
  organization: string,
): Promise<SignInSettingsRow | undefined> {
  return db
    .selectFrom('sign_in_settings')
    .selectAll()
    .where('organization', '=', organization)
    .executeTakeFirst();
}

/** Writes them in place of those before. */
export async function putSignInSettings(trx: Trx, row: SignInSettingsRow): Promise<void> {
  const { organization: _organization, ...set } = row;
  await trx
    .insertInto('sign_in_settings')
    .values(row)
    .onConflict((conflict) => conflict.column('organization').doUpdateSet(set))
    .execute();
}

/** The factor of a user, confirmed or not. */
export function findSecondFactor(
  db: Queries,
  { organization, userId }: UserRef,
): Promise<SecondFactorRow | undefined> {
  return db
    .selectFrom('second_factor')
    .selectAll()
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** The same with its row locked until the transaction ends: two tries of one code wait for each other. */
export function lockSecondFactor(
  trx: Trx,
  { organization, userId }: UserRef,
): Promise<SecondFactorRow | undefined> {
  return trx
    .updateTable('second_factor')
    .set((row) => ({ last_step: row.ref('last_step') }))
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
}

/** Writes a factor in place of one that was not confirmed. */
export async function putSecondFactor(trx: Trx, row: SecondFactorRow): Promise<void> {
  const { organization: _organization, user_id: _user, ...set } = row;
  await trx
    .insertInto('second_factor')
    .values(row)
    .onConflict((conflict) => conflict.columns(['organization', 'user_id']).doUpdateSet(set))
    .execute();
}

/** Of their rows what seals are looked for in. */
export const secretsOfFactors = (db: Queries, organization: string) =>
  db.selectFrom('second_factor').select('user_id').where('organization', '=', organization);

/** Says of a user whether a code is asked for beside the password. */
export async function markSecondFactor(
  trx: Trx,
  { organization, userId }: UserRef,
  has: boolean,
): Promise<void> {
  await trx
    .updateTable('user_account')
    .set({ second_factor: has ? 1 : 0 })
    .where('organization', '=', organization)
    .where('id', '=', userId)
    .execute();
}

/** Takes a user's factor with its recovery codes; says whether one was in force. */
export async function removeSecondFactor(trx: Trx, user: UserRef): Promise<boolean> {
  const row = await lockSecondFactor(trx, user);
  if (row === undefined) return false;
  await replaceRecoveryCodes(trx, user, []);
  await trx
    .deleteFrom('second_factor')
    .where('organization', '=', user.organization)
    .where('user_id', '=', user.userId)
    .execute();
  await markSecondFactor(trx, user, false);
  return row.confirmed_at_ms !== null;
}

/** Gives a user these recovery codes, in place of those that there are. */
export async function replaceRecoveryCodes(
  trx: Trx,
  { organization, userId }: UserRef,
  hashes: readonly string[],
): Promise<void> {
  await trx
    .deleteFrom('recovery_code')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .execute();
  if (hashes.length > 0)
    await trx
      .insertInto('recovery_code')
      .values(hashes.map((hash) => ({ organization, user_id: userId, code_hash: hash })))
      .execute();
}

/** Uses up a recovery code; says whether it was one. */
export async function spendRecoveryCode(
  trx: Trx,
  { organization, userId }: UserRef,
  hash: string,
): Promise<boolean> {
  const result = await trx
    .deleteFrom('recovery_code')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .where('code_hash', '=', hash)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Recovery codes that a user has left. */
export async function countRecoveryCodes(db: Queries, { organization, userId }: UserRef): Promise<number> {
  const row = await db
    .selectFrom('recovery_code')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Ends the sessions of all who have a password and no second factor. */
export async function endSessionsWithoutFactor(trx: Trx, organization: string): Promise<void> {
  const users = trx
    .selectFrom('user_account')
    .select('id')
    .where('organization', '=', organization)
    .where('source', 'is', null)
    .where('second_factor', '=', 0);
  await trx
    .deleteFrom('user_session')
    .where('organization', '=', organization)
    .where('user_id', 'in', users)
    .execute();
}
