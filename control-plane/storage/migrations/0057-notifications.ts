import type { Migration } from './migration.ts';

/** Who is told of what, what is to be told, what people were told, and calls of webhooks that wait. */
export const notifications: Migration = {
  version: 57,
  name: 'notifications',
  async up(db, { integer, bytes }) {
    let setting = db.schema
      .createTable('notification_setting')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'));
    for (const name of ['reference_type', 'reference_id', 'config_type', 'name', 'hooks'])
      setting = setting.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['user_id', 'notifier', 'config']) setting = setting.addColumn(name, 'text');
    for (const name of ['created_at_ms', 'updated_at_ms'])
      setting = setting.addColumn(name, integer, (column) => column.notNull());
    await setting.addColumn('sealed_secret', bytes).execute();
    await db.schema
      .createIndex('notification_setting_reference')
      .on('notification_setting')
      .columns(['organization', 'reference_type', 'reference_id'])
      .execute();
    // One of each user and object: two first writes at once are one.
    await db.schema
      .createIndex('notification_setting_user')
      .unique()
      .on('notification_setting')
      .columns(['environment', 'reference_type', 'reference_id', 'user_id'])
      .execute();

    let raised = db.schema
      .createTable('raised_hook')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('environment', 'text');
    for (const name of ['hook', 'about', 'user_id'])
      raised = raised.addColumn(name, 'text', (column) => column.notNull());
    await raised.addColumn('created_at_ms', integer, (column) => column.notNull()).execute();
    await db.schema.createIndex('raised_hook_order').on('raised_hook').columns(['created_at_ms']).execute();

    let told = db.schema
      .createTable('portal_notification')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
    for (const name of ['user_id', 'title', 'message'])
      told = told.addColumn(name, 'text', (column) => column.notNull());
    await told.addColumn('created_at_ms', integer, (column) => column.notNull()).execute();
    await db.schema
      .createIndex('portal_notification_user')
      .on('portal_notification')
      .columns(['organization', 'user_id', 'created_at_ms'])
      .execute();

    let webhook = db.schema
      .createTable('outgoing_webhook')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'));
    for (const name of ['template', 'recipient', 'state'])
      webhook = webhook.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['tries', 'created_at_ms', 'due_at_ms', 'ends_at_ms'])
      webhook = webhook.addColumn(name, integer, (column) => column.notNull());
    await webhook.addColumn('sealed', bytes).addColumn('problem', 'text').execute();
    await db.schema
      .createIndex('outgoing_webhook_due')
      .on('outgoing_webhook')
      .columns(['state', 'due_at_ms'])
      .execute();
    await db.schema
      .createIndex('outgoing_webhook_organization')
      .on('outgoing_webhook')
      .columns(['organization', 'state', 'due_at_ms'])
      .execute();
  },
};
