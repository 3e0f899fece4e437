import type { Migration } from './migration.ts';

/** What of which spool is in the lake, and which files the lake is made of. */
export const analytics: Migration = {
  version: 3,
  name: 'analytics',
  async up(db, { integer }) {
    await db.schema
      .createTable('lake_file')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('object_key', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('record_count', integer, (column) => column.notNull())
      .addColumn('byte_count', integer, (column) => column.notNull())
      .addColumn('min_ms', integer, (column) => column.notNull())
      .addColumn('max_ms', integer, (column) => column.notNull())
      .addColumn('changed_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('lake_file_span')
      .on('lake_file')
      .columns(['organization', 'environment', 'state', 'max_ms'])
      .execute();
    await db.schema
      .createTable('covered_range')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('spool', 'text', (column) => column.notNull())
      .addColumn('first_offset', integer, (column) => column.notNull())
      .addColumn('last_offset', integer, (column) => column.notNull())
      .addColumn('hash8', 'text', (column) => column.notNull())
      .addColumn('gateway', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('covered_range_pk', ['organization', 'environment', 'spool', 'first_offset'])
      .execute();
    // No tenant columns: it is a list of chores, and the key names the tenant.
    await db.schema
      .createTable('landing_object')
      .addColumn('object_key', 'text', (column) => column.primaryKey())
      .addColumn('outcome', 'text', (column) => column.notNull())
      .addColumn('delete_after_ms', integer, (column) => column.notNull())
      .execute();
  },
};
