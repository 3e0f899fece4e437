import type { Migration } from './migration.ts';

/** Where gateways with sharding tags are reached from outside. */
export const entrypoints: Migration = {
  version: 43,
  name: 'entrypoints',
  async up(db, { integer }) {
    await db.schema
      .createTable('entrypoint')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('tags', 'text', (column) => column.notNull())
      .addColumn('environments', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addUniqueConstraint('entrypoint_tags', ['organization', 'target', 'tags'])
      .execute();
  },
};
