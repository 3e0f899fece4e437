import type { Migration } from './migration.ts';

/** Mails that wait to be sent, and for a while those that were. */
export const outgoingMail: Migration = {
  version: 53,
  name: 'outgoing-mail',
  async up(db, { integer, bytes }) {
    let table = db.schema
      .createTable('outgoing_mail')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
    for (const name of ['template', 'recipient', 'state'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['tries', 'created_at_ms', 'due_at_ms', 'ends_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table.addColumn('sealed', bytes).addColumn('problem', 'text').execute();
    await db.schema
      .createIndex('outgoing_mail_due')
      .on('outgoing_mail')
      .columns(['state', 'due_at_ms'])
      .execute();
    await db.schema
      .createIndex('outgoing_mail_organization')
      .on('outgoing_mail')
      .columns(['organization', 'state', 'due_at_ms'])
      .execute();
  },
};
