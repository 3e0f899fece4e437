import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * The index of subscriptions that wait begins as what is asked of them does. Beside the one of all subscriptions by their time, which begins alike,
 * SQLite took that and read a hundred thousand rows to count two thousand, whenever a console asked what there is to do.
 */
export const pendingFound: Migration = {
  version: 76,
  name: 'pending-found',
  async up(db) {
    await db.schema.dropIndex('subscription_pending').execute();
    await sql`create index subscription_pending on subscription (organization, environment, created_at_ms, id, api_id)
      where status = 'PENDING'`.execute(db);
  },
};
