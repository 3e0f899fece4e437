import type { CreateTableBuilder } from 'kysely';
import type { Migration } from './migration.ts';

/** How long environments keep what is recorded of them, and what was asked to be deleted. */
export const retention: Migration = {
  version: 61,
  name: 'retention',
  async up(db, { integer }) {
    await db.schema
      .alterTable('lake_file')
      .addColumn('swept', integer, (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createTable('lake_retention')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('records_days', integer)
      .addColumn('logs_days', integer)
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('lake_retention_pk', ['organization', 'environment'])
      .execute();
    let table: CreateTableBuilder<string, string> = db.schema.createTable('lake_deletion');
    for (const name of ['organization', 'environment', 'id', 'subject', 'state', 'asked_by'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of [
      'number',
      'to_ms',
      'asked_at_ms',
      'late_until_ms',
      'records_deleted',
      'logs_deleted',
      'files_rewritten',
      'objects_deleted',
    ])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table
      .addColumn('value', 'text')
      .addColumn('from_ms', integer)
      .addColumn('swept_at_ms', integer)
      .addColumn('clean_at_ms', integer)
      .addColumn('done_at_ms', integer)
      .addPrimaryKeyConstraint('lake_deletion_pk', ['organization', 'environment', 'id'])
      .addUniqueConstraint('lake_deletion_number', ['organization', 'environment', 'number'])
      .execute();
  },
};
