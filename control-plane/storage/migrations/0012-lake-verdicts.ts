import type { Migration } from './migration.ts';

/** What is known of files that cannot come into the lake, and how much of what went to quarantine was told. */
export const lakeVerdicts: Migration = {
  version: 12,
  name: 'lake-verdicts',
  async up(db, { integer }) {
    // No tenant columns: the key names the tenant.
    await db.schema
      .createTable('unreadable_file')
      .addColumn('object_key', 'text', (column) => column.primaryKey())
      .addColumn('byte_count', integer, (column) => column.notNull())
      .addColumn('judge', 'text', (column) => column.notNull())
      .addColumn('judged_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('quarantine_tally')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('hour_ms', integer, (column) => column.notNull())
      .addColumn('object_count', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('quarantine_tally_pk', ['organization', 'environment'])
      .execute();
  },
};
