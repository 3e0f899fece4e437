import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Users who are disabled or were deleted, accounts of programs, and when users came in; until now everybody was active. */
export const userStates: Migration = {
  version: 30,
  name: 'user-states',
  async up(db, { integer }) {
    await db.schema
      .alterTable('user_account')
      .addColumn('status', 'text', (column) => column.notNull().defaultTo(sql.lit('ACTIVE')))
      .execute();
    for (const name of ['is_service', 'login_count'])
      await db.schema
        .alterTable('user_account')
        .addColumn(name, integer, (column) => column.notNull().defaultTo(0))
        .execute();
    for (const name of ['firstname', 'lastname'])
      await db.schema.alterTable('user_account').addColumn(name, 'text').execute();
    for (const name of ['first_connection_at_ms', 'last_connection_at_ms'])
      await db.schema.alterTable('user_account').addColumn(name, integer).execute();
  },
};
