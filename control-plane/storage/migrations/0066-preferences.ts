import { type Migration, tenantTable } from './migration.ts';

/** How somebody wants the console to look, and searches of its lists that were kept under a name. */
export const preferences: Migration = {
  version: 66,
  name: 'preferences',
  async up(db, { integer }) {
    await db.schema
      .createTable('user_preference')
      .addColumn('user_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('chosen', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .execute();
    await tenantTable(db, 'saved_view', {
      integer,
      texts: 'name name_key page query owner',
      integers: 'is_shared created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();
    await db.schema
      .createIndex('saved_view_list')
      .on('saved_view')
      .columns(['organization', 'environment', 'page', 'name_key'])
      .execute();
    // Of a page nobody has two views of one name: two first writes at once are one.
    await db.schema
      .createIndex('saved_view_name')
      .unique()
      .on('saved_view')
      .columns(['environment', 'owner', 'page', 'name_key'])
      .execute();
  },
};
