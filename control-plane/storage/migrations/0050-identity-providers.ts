import type { Migration } from './migration.ts';

/** Who else says who somebody is, where that counts, and what comes of it; until now everybody had a password here. */
export const identityProviders: Migration = {
  version: 50,
  name: 'identity-providers',
  async up(db, { integer }) {
    let table = db.schema
      .createTable('identity_provider')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('id', 'text', (column) => column.notNull());
    for (const name of ['name', 'description', 'type', 'configuration', 'client_secret', 'mappings'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['enabled', 'email_required', 'sync_mappings', 'created_at_ms', 'updated_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table.addPrimaryKeyConstraint('identity_provider_pk', ['organization', 'id']).execute();
    await db.schema
      .createTable('identity_activation')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('identity_activation_pk', ['organization', 'environment', 'provider'])
      .addForeignKeyConstraint(
        'identity_activation_provider',
        ['organization', 'provider'],
        'identity_provider',
        ['organization', 'id'],
        (constraint) => constraint.onDelete('cascade'),
      )
      .execute();
    await db.schema
      .createTable('used_sign_in')
      .addColumn('state_hash', 'text', (column) => column.primaryKey().notNull())
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('used_sign_in_end').on('used_sign_in').columns(['expires_at_ms']).execute();
    for (const name of ['source', 'source_id'])
      await db.schema.alterTable('user_account').addColumn(name, 'text').execute();
    await db.schema
      .createIndex('user_account_source')
      .unique()
      .on('user_account')
      .columns(['organization', 'source', 'source_id'])
      .execute();
    for (const name of ['membership', 'user_group_member'])
      await db.schema.alterTable(name).addColumn('source', 'text').execute();
  },
};
