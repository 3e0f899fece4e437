import type { Migration } from './migration.ts';

/** What an API was imported from the last time: the base that the next import is compared with. */
export const apiImports: Migration = {
  version: 19,
  name: 'api-imports',
  async up(db, { integer }) {
    await db.schema
      .createTable('api_import')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('api_id', 'text', (column) =>
        column.primaryKey().notNull().references('api.id').onDelete('cascade'),
      )
      .addColumn('definition', 'text', (column) => column.notNull())
      .addColumn('plan_ids', 'text', (column) => column.notNull())
      .addColumn('imported_at_ms', integer, (column) => column.notNull())
      .execute();
  },
};
