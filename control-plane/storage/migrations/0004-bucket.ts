import type { Migration } from './migration.ts';

/** Which bucket belongs to this database; one row. */
export const bucket: Migration = {
  version: 4,
  name: 'bucket',
  async up(db, { integer }) {
    await db.schema
      .createTable('bucket')
      .addColumn('singleton', 'integer', (column) => column.primaryKey())
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('next_identity', 'text')
      .addColumn('location', 'text', (column) => column.notNull())
      .addColumn('confirmed_at_ms', integer)
      .execute();
  },
};
