import type { Migration } from './migration.ts';

/** Links by which people choose a password without one; until now somebody handed passwords over. */
export const passwordLinks: Migration = {
  version: 56,
  name: 'password-links',
  async up(db, { integer }) {
    await db.schema
      .createTable('password_link')
      .addColumn('token_hash', 'text', (column) => column.primaryKey())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('expires_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('password_link_user')
      .on('password_link')
      .columns(['organization', 'user_id'])
      .execute();
  },
};
