import type { Migration } from './migration.ts';

/** Pages of documentation of APIs, in folders. */
export const documentation: Migration = {
  version: 42,
  name: 'documentation',
  async up(db, { integer }) {
    await db.schema
      .createTable('api_page')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
      .addColumn('parent_id', 'text')
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('content', 'text')
      .addColumn('position', integer, (column) => column.notNull())
      .addColumn('is_published', integer, (column) => column.notNull())
      .addColumn('is_homepage', integer, (column) => column.notNull())
      .addColumn('visibility', 'text', (column) => column.notNull())
      .addColumn('access', 'text', (column) => column.notNull())
      .addColumn('last_contributor', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('api_page_api').on('api_page').columns(['environment', 'api_id']).execute();
  },
};
