import { type Migration, tenantTable } from './migration.ts';

/** Groups of users; until now what stood as groups of an API or application were words that meant nothing, so none is carried over. */
export const userGroups: Migration = {
  version: 29,
  name: 'user-groups',
  async up(db, { integer }) {
    await tenantTable(db, 'user_group', {
      integer,
      texts: 'name name_key event_rules settings',
      integers: 'created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('api_role', 'text')
      .addColumn('application_role', 'text')
      .addUniqueConstraint('user_group_name', ['environment', 'name'])
      .execute();
    await tenantTable(db, 'user_group_member', {
      integer,
      texts: 'scope role',
      integers: 'created_at_ms updated_at_ms',
    })
      .addColumn('group_id', 'text', (column) =>
        column.notNull().references('user_group.id').onDelete('cascade'),
      )
      .addColumn('member', 'text', (column) =>
        column.notNull().references('user_account.id').onDelete('cascade'),
      )
      .addPrimaryKeyConstraint('user_group_member_pk', ['group_id', 'member', 'scope'])
      .execute();
    await db.schema
      .createIndex('user_group_member_of')
      .on('user_group_member')
      .columns(['organization', 'member', 'scope'])
      .execute();
    await db.schema
      .createTable('user_group_object')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('reference', 'text', (column) => column.notNull())
      .addColumn('group_id', 'text', (column) =>
        column.notNull().references('user_group.id').onDelete('cascade'),
      )
      .addPrimaryKeyConstraint('user_group_object_pk', ['scope', 'reference', 'group_id'])
      .execute();
    await db.schema
      .createIndex('user_group_object_of')
      .on('user_group_object')
      .columns(['group_id', 'scope'])
      .execute();
  },
};
