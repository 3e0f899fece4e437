import { type Migration, tenantTable } from './migration.ts';

/** Dashboards of an environment: what somebody put together of its figures. */
export const dashboards: Migration = {
  version: 45,
  name: 'dashboards',
  async up(db, { integer }) {
    await tenantTable(db, 'dashboard', {
      integer,
      texts: 'name name_key labels widgets created_by',
      integers: 'created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();
    await db.schema
      .createIndex('dashboard_list')
      .on('dashboard')
      .columns(['organization', 'environment', 'name_key', 'id'])
      .execute();
  },
};
