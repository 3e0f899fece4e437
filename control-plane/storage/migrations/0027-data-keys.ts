import type { Migration } from './migration.ts';

/** Keys of the secrets of definitions, and which fields were looked for when what lay there was sealed. */
export const dataKeys: Migration = {
  version: 27,
  name: 'data-keys',
  async up(db, { integer, bytes }) {
    await db.schema
      .createTable('data_key')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      // Empty for what the organization keeps itself.
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('position', integer, (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('sealed_key', bytes, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('data_key_pk', ['organization', 'environment', 'position'])
      .execute();
    await db.schema
      .createTable('sealed_fields')
      .addColumn('digest', 'text', (column) => column.primaryKey())
      .addColumn('sealed_at_ms', integer, (column) => column.notNull())
      .execute();
  },
};
