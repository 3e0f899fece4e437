import type { Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** What somebody is writing of an API, not yet the API. */
interface ApiDraftTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** The text as it was typed, sealed whole: where a secret stands in it nobody can say as long as it is not valid. */
  content: string;
  /** What of the API it was written over, as a hash. */
  base: string;
  user_id: string;
  /** Rises with every change, so it is the ETag. */
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_draft: ApiDraftTable;
  }
}

/** A row of api_draft. */
export type DraftRow = Selectable<ApiDraftTable>;

/** The draft of an API. */
export function findDraft(db: Queries, at: EnvironmentRef, api: string): Promise<DraftRow | undefined> {
  return inTenant(db.selectFrom('api_draft'), at).selectAll().where('api_id', '=', api).executeTakeFirst();
}

/** Writes the draft of an API in place of the one before. */
export async function keepDraft(trx: Trx, row: DraftRow): Promise<void> {
  const { content, base, user_id, updated_at_ms } = row;
  await trx
    .insertInto('api_draft')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('api_id').doUpdateSet({ content, base, user_id, updated_at_ms }),
    )
    .execute();
}

/** Removes the draft of an API. */
export async function deleteDraft(trx: Trx, at: EnvironmentRef, api: string): Promise<void> {
  await inTenant(trx.deleteFrom('api_draft'), at).where('api_id', '=', api).execute();
}
