import type { Insertable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Trx } from '../../storage/storage.ts';

/** Whose the id of a client is. */
interface ApplicationClientTable {
  readonly organization: string;
  readonly environment: string;
  readonly application_id: string;
  readonly client_id: string;
  /** The application that had the id before this one, from a time when nobody looked. Of those without one there is one for each id. */
  readonly rival_of: string | null;
}

declare module '../../storage/tables.ts' {
  interface Database {
    application_client: ApplicationClientTable;
  }
}

/** A row of application_client. */
type ApplicationClient = Insertable<ApplicationClientTable>;

/** Gives up the client id of the application; gives the row that it was. */
export function releaseClient(
  trx: Trx,
  at: EnvironmentRef,
  applicationId: string,
): Promise<ApplicationClient | undefined> {
  return inTenant(trx.deleteFrom('application_client'), at)
    .where('application_id', '=', applicationId)
    .returningAll()
    .executeTakeFirst();
}

/** Takes a client id for the application; says false when another one has it. */
export async function takeClient(trx: Trx, row: ApplicationClient): Promise<boolean> {
  const taken = await trx
    .insertInto('application_client')
    .values(row)
    // Whoever inserts the same at this moment is waited for.
    .onConflict((conflict) => conflict.doNothing())
    .returning('client_id')
    .executeTakeFirst();
  return taken !== undefined;
}
