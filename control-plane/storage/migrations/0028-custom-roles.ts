import type { Migration } from './migration.ts';

/** Roles that people make beside those of the system. */
export const customRoles: Migration = {
  version: 28,
  name: 'custom-roles',
  async up(db, { integer }) {
    await db.schema
      .createTable('custom_role')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('is_default', integer, (column) => column.notNull())
      .addColumn('rights', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('custom_role_pk', ['organization', 'scope', 'name'])
      .execute();
  },
};
