import type { Migration } from './migration.ts';

/** What is being written of an API, as it was typed. */
export const apiDrafts: Migration = {
  version: 37,
  name: 'api-drafts',
  async up(db, { integer }) {
    await db.schema
      .createTable('api_draft')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('api_id', 'text', (column) =>
        column.primaryKey().notNull().references('api.id').onDelete('cascade'),
      )
      .addColumn('content', 'text', (column) => column.notNull())
      .addColumn('base', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .execute();
  },
};
