import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** People register themselves where an organization says so; until now somebody made every user. */
export const registrations: Migration = {
  version: 72,
  name: 'registrations',
  async up(db, { integer }) {
    for (const name of ['user_creation', 'automatic_validation'])
      await db.schema
        .alterTable('sign_in_settings')
        .addColumn(name, integer, (column) => column.notNull().defaultTo(0))
        .execute();
    let table = db.schema
      .createTable('registration')
      .addColumn('token_hash', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
    for (const name of ['email', 'firstname', 'lastname'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['is_known', 'created_at_ms', 'expires_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table.execute();
    await db.schema
      .createIndex('registration_organization')
      .on('registration')
      .columns(['organization', 'email', 'created_at_ms'])
      .execute();
    // Asked for whenever somebody looks what there is to do, and few among many.
    await sql`create index user_account_pending on user_account (organization, created_at_ms)
      where status = 'PENDING'`.execute(db);
  },
};
