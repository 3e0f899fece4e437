import type { Migration } from './migration.ts';

/** How an organization's root key came from the one before: what gateways that trust an older one follow. */
export const rootSuccessions: Migration = {
  version: 17,
  name: 'root-successions',
  async up(db, { integer, bytes }) {
    await db.schema
      .createTable('root_succession')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('bytes', bytes, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('root_succession_pk', ['organization', 'position'])
      .execute();
  },
};
