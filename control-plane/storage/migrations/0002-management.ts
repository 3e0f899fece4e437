import type { ColumnDefinitionBuilder, CreateTableBuilder, Kysely } from 'kysely';
import { type ColumnTypes, type Migration, tenantTable as table } from './migration.ts';

/** Users, APIs, plans, applications, subscriptions, keys, audit. */
export const management: Migration = {
  version: 2,
  name: 'management',
  async up(db, types) {
    await createUsers(db, types);
    await createApis(db, types);
    await createPlans(db, types);
    await createConsumers(db, types);
    await createAudit(db, types);
  },
};

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
const key = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.primaryKey();

async function createUsers(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('user_account')
    .addColumn('id', 'text', key)
    .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
    .addColumn('username', 'text', required)
    .addColumn('password_hash', 'text', required)
    .addColumn('display_name', 'text', required)
    .addColumn('email', 'text')
    .addColumn('role', 'text', required)
    .addColumn('created_at_ms', integer, required)
    .addColumn('updated_at_ms', integer, required)
    .addUniqueConstraint('user_account_username', ['organization', 'username'])
    .execute();
  await db.schema
    .createTable('user_session')
    .addColumn('token_hash', 'text', key)
    .addColumn('organization', 'text', required)
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addColumn('created_at_ms', integer, required)
    .addColumn('expires_at_ms', integer, required)
    .execute();
  await db.schema.createIndex('user_session_expires').on('user_session').columns(['expires_at_ms']).execute();
  await db.schema
    .createTable('personal_token')
    .addColumn('id', 'text', key)
    .addColumn('organization', 'text', required)
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addColumn('name', 'text', required)
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_at_ms', integer, required)
    .addColumn('expires_at_ms', integer)
    .addColumn('last_use_at_ms', integer)
    .addUniqueConstraint('personal_token_name', ['organization', 'user_id', 'name'])
    .execute();
}

async function createApis(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await table(db, 'api', {
    integer,
    texts:
      'name name_key api_version description definition tags visibility lifecycle_state state owner_id deployed_tags',
    integers: 'created_at_ms updated_at_ms is_out_of_sync deployed_number',
  })
    .addColumn('id', 'text', key)
    .addColumn('deployed_at_ms', integer)
    .execute();
  await db.schema.createIndex('api_name').on('api').columns(['environment', 'name_key', 'id']).execute();
  await table(db, 'api_path', { integer, texts: 'host path', integers: 'created_at_ms' })
    .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('api_path_pk', ['environment', 'host', 'path'])
    .execute();
  await db.schema.createIndex('api_path_api').on('api_path').columns(['api_id']).execute();
  // No reference to the API: history outlives it.
  await table(db, 'api_deployment', {
    integer,
    texts: 'api_id definition tags user_id',
    integers: 'number created_at_ms',
  })
    .addColumn('label', 'text')
    .addPrimaryKeyConstraint('api_deployment_pk', ['environment', 'api_id', 'number'])
    .execute();
}

async function createPlans(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await table(db, 'plan', {
    integer,
    texts: 'name description security_type definition mode validation status',
    integers: 'plan_order created_at_ms updated_at_ms',
  })
    .addColumn('id', 'text', key)
    .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
    .addColumn('published_at_ms', integer)
    .addColumn('closed_at_ms', integer)
    .execute();
  await db.schema
    .createIndex('plan_api')
    .on('plan')
    .columns(['environment', 'api_id', 'plan_order'])
    .execute();
}

async function createConsumers(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await table(db, 'application', {
    integer,
    texts: 'name name_key description type settings status api_key_mode owner_id',
    integers: 'created_at_ms updated_at_ms',
  })
    .addColumn('id', 'text', key)
    .addColumn('domain', 'text')
    .execute();
  await db.schema
    .createIndex('application_name')
    .on('application')
    .columns(['environment', 'name_key', 'id'])
    .execute();
  const subscription = table(db, 'subscription', {
    integer,
    texts: 'status consumer_status metadata subscribed_by',
    integers: 'created_at_ms updated_at_ms',
  })
    .addColumn('id', 'text', key)
    .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
    .addColumn('plan_id', 'text', (column) => column.notNull().references('plan.id').onDelete('cascade'))
    .addColumn('application_id', 'text', (column) => column.notNull().references('application.id'));
  await optional(subscription, 'text', 'request reason processed_by')
    .addColumn('processed_at_ms', integer)
    .addColumn('starting_at_ms', integer)
    .addColumn('ending_at_ms', integer)
    .addColumn('paused_at_ms', integer)
    .addColumn('closed_at_ms', integer)
    .execute();
  for (const [name, column] of [
    ['subscription_api', 'api_id'],
    ['subscription_plan', 'plan_id'],
    ['subscription_application', 'application_id'],
  ] as const)
    await db.schema.createIndex(name).on('subscription').columns(['environment', column]).execute();
  await table(db, 'api_key', {
    integer,
    texts: 'api_id application_id hash',
    integers: 'created_at_ms updated_at_ms',
  })
    .addColumn('id', 'text', key)
    .addColumn('subscription_id', 'text', (column) =>
      column.notNull().references('subscription.id').onDelete('cascade'),
    )
    .addColumn('expire_at_ms', integer)
    .addColumn('revoked_at_ms', integer)
    .addUniqueConstraint('api_key_hash', ['environment', 'hash'])
    .execute();
  for (const column of ['subscription_id', 'api_id'])
    await db.schema.createIndex(`api_key_${column}`).on('api_key').columns(['environment', column]).execute();
}

function optional(
  builder: CreateTableBuilder<string, string>,
  type: 'text',
  columns: string,
): CreateTableBuilder<string, string> {
  return columns.split(' ').reduce((made, column) => made.addColumn(column, type), builder);
}

async function createAudit(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('id', 'text', key)
    .addColumn('organization', 'text', required)
    .addColumn('environment', 'text')
    .addColumn('reference_type', 'text', required)
    .addColumn('reference_id', 'text', required)
    .addColumn('user_id', 'text', required)
    .addColumn('event', 'text', required)
    .addColumn('properties', 'text', required)
    .addColumn('created_at_ms', integer, required)
    .execute();
  await db.schema
    .createIndex('audit_time')
    .on('audit')
    .columns(['organization', 'environment', 'created_at_ms'])
    .execute();
}
