import { sql } from 'kysely';
import { type Migration, tenantTable } from './migration.ts';

/**
 * A key may open several subscriptions of its application: each has a row, which gateways know as a record of its own.
 *
 * One that is exclusive to a subscription goes with it.
 */
export const sharedKeys: Migration = {
  version: 47,
  name: 'shared-keys',
  async up(db, { integer }) {
    // A column of which others know cannot be dropped on SQLite; so the table is made anew.
    await tenantTable(db, 'api_key_of_application', {
      integer,
      texts: 'application_id hash',
      integers: 'created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('exclusive_to', 'text', (column) => column.references('subscription.id').onDelete('cascade'))
      .addColumn('expire_at_ms', integer)
      .addColumn('revoked_at_ms', integer)
      .addUniqueConstraint('api_key_one_hash', ['environment', 'hash'])
      .execute();
    await sql`insert into api_key_of_application
      (organization, environment, application_id, hash, created_at_ms, updated_at_ms, id, exclusive_to, expire_at_ms, revoked_at_ms)
      select organization, environment, application_id, hash, created_at_ms, updated_at_ms, id, subscription_id, expire_at_ms, revoked_at_ms
      from api_key`.execute(db);
    await tenantTable(db, 'api_key_subscription', { integer, texts: 'api_id', integers: 'created_at_ms' })
      .addColumn('record_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('key_id', 'text', (column) =>
        column.notNull().references('api_key_of_application.id').onDelete('cascade'),
      )
      .addColumn('subscription_id', 'text', (column) =>
        column.notNull().references('subscription.id').onDelete('cascade'),
      )
      .addUniqueConstraint('api_key_subscription_once', ['key_id', 'subscription_id'])
      .execute();
    await sql`insert into api_key_subscription
      (organization, environment, api_id, created_at_ms, record_id, key_id, subscription_id)
      select organization, environment, api_id, created_at_ms, id, id, subscription_id from api_key`.execute(
      db,
    );
    await db.schema.dropTable('api_key').execute();
    await db.schema.alterTable('api_key_of_application').renameTo('api_key').execute();
    await db.schema
      .createIndex('api_key_application')
      .on('api_key')
      .columns(['environment', 'application_id'])
      .execute();
    await db.schema.createIndex('api_key_exclusive').on('api_key').columns(['exclusive_to']).execute();
    for (const column of ['subscription_id', 'api_id'])
      await db.schema
        .createIndex(`api_key_subscription_${column}`)
        .on('api_key_subscription')
        .columns(['environment', column])
        .execute();
  },
};
