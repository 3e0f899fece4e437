import type { Migration } from './migration.ts';

/** What organizations write in place of our own words of mails and notifications. */
export const notificationTemplates: Migration = {
  version: 73,
  name: 'notification-templates',
  async up(db, { integer }) {
    let table = db.schema
      .createTable('notification_template')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
    for (const name of ['scope', 'hook', 'type', 'title', 'content'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['enabled', 'created_at_ms', 'updated_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table.execute();
    await db.schema
      .createIndex('notification_template_of')
      .unique()
      .on('notification_template')
      .columns(['organization', 'scope', 'hook', 'type'])
      .execute();
  },
};
