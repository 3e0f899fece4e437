import type { Selectable } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';

/** How somebody wants the console to look. */
interface UserPreferenceTable {
  readonly user_id: string;
  readonly organization: string;
  /** JSON: what was chosen. */
  chosen: string;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    user_preference: UserPreferenceTable;
  }
}

/** A row of user_preference. */
export type PreferenceRow = Selectable<UserPreferenceTable>;

/** Whose they are. */
interface Person {
  readonly organization: string;
  readonly userId: string;
}

/** What somebody has chosen; undefined while that is nothing. */
export function findPreferences(db: Queries, person: Person): Promise<PreferenceRow | undefined> {
  return db
    .selectFrom('user_preference')
    .selectAll()
    .where('organization', '=', person.organization)
    .where('user_id', '=', person.userId)
    .executeTakeFirst();
}

/** Writes it, unless somebody else has written since `before`, where that is given; says whether it was written. */
export async function putPreferences(
  trx: Trx,
  row: PreferenceRow,
  { isOver }: { readonly isOver: PreferenceRow | undefined | 'any' },
): Promise<boolean> {
  const { chosen, updated_at_ms } = row;
  const written = await trx
    .insertInto('user_preference')
    .values(row)
    .onConflict((conflict) => {
      const update = conflict.column('user_id').doUpdateSet({ chosen, updated_at_ms });
      if (isOver === 'any') return update;
      return update.where('user_preference.updated_at_ms', '=', isOver?.updated_at_ms ?? -1);
    })
    .returning('user_id')
    .executeTakeFirst();
  return written !== undefined;
}

/** Forgets what somebody has chosen. */
export async function forgetPreferences(trx: Trx, person: Person): Promise<void> {
  await trx
    .deleteFrom('user_preference')
    .where('organization', '=', person.organization)
    .where('user_id', '=', person.userId)
    .execute();
}
