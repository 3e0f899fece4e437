import type { Migration } from './migration.ts';

/** Categories of an environment, and in which order each shows its APIs. */
export const categories: Migration = {
  version: 41,
  name: 'categories',
  async up(db, { integer }) {
    await db.schema
      .createTable('category')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('is_hidden', integer, (column) => column.notNull())
      .addColumn('position', integer, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .addUniqueConstraint('category_key', ['environment', 'key'])
      .execute();
    await db.schema
      .createTable('category_api')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('category_id', 'text', (column) =>
        column.notNull().references('category.id').onDelete('cascade'),
      )
      .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
      .addColumn('position', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('category_api_pk', ['category_id', 'api_id'])
      .execute();
  },
};
