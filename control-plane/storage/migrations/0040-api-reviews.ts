import type { Migration } from './migration.ts';

/** Where an API stands in its review, and its pictures. */
export const apiReviews: Migration = {
  version: 40,
  name: 'api-reviews',
  async up(db, { integer, bytes }) {
    await db.schema
      .createTable('api_review')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('api_id', 'text', (column) =>
        column.primaryKey().notNull().references('api.id').onDelete('cascade'),
      )
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('message', 'text')
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('api_picture')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('bytes', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('api_picture_pk', ['api_id', 'kind'])
      .execute();
  },
};
