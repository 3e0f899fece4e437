import { type Migration, tenantTable } from './migration.ts';

/** What there is of sharding tags and tenants of gateways, and what a portal says of every API. */
export const tags: Migration = {
  version: 67,
  name: 'tags',
  async up(db, { integer }) {
    for (const [table, columns] of [
      ['sharding_tag', 'key name description restricted_groups'],
      ['gateway_tenant', 'key name description'],
    ] as const) {
      let builder = db.schema
        .createTable(table)
        .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
      for (const name of columns.split(' '))
        builder = builder.addColumn(name, 'text', (column) => column.notNull());
      await builder
        .addColumn('created_at_ms', integer, (column) => column.notNull())
        // The column comes out of a list, of which types know nothing.
        .addPrimaryKeyConstraint(`${table}_key`, ['organization', 'key' as 'organization'])
        .execute();
    }
    await tenantTable(db, 'api_header', {
      integer,
      texts: 'name value',
      integers: 'position created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();
    await db.schema
      .createIndex('api_header_order')
      .on('api_header')
      .columns(['organization', 'environment', 'position'])
      .execute();
  },
};
