import type { Kysely } from 'kysely';
import type { ColumnTypes, Migration } from './migration.ts';

/** Organizations, environments, keys, what is published, fleets and gateways. */
export const platform: Migration = {
  version: 1,
  name: 'platform',
  async up(db, types) {
    await createTenants(db, types);
    await createKeys(db, types);
    await createPublished(db, types);
    await createFleets(db, types);
    await createReports(db, types);
    await db.schema
      .createTable('lease')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', types.integer, (column) => column.notNull())
      .execute();
  },
};

async function createTenants(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('organization')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('hrid', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('updated_at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('environment')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('hrid', 'text', (column) => column.notNull())
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('pruned_seq', integer, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('updated_at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('environment_organization')
    .on('environment')
    .columns(['organization', 'id'])
    .execute();
}

async function createKeys(db: Kysely<unknown>, { integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('organization_root')
    .addColumn('organization', 'text', (column) => column.primaryKey().references('organization.id'))
    .addColumn('public_key', bytes, (column) => column.notNull())
    .addColumn('sealed_private_key', bytes, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('signing_key')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
    .addColumn('public_key', bytes, (column) => column.notNull())
    .addColumn('sealed_private_key', bytes, (column) => column.notNull())
    .addColumn('is_active', integer, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('signing_key_environment')
    .on('signing_key')
    .columns(['organization', 'environment'])
    .execute();
  await db.schema
    .createTable('key_certificate')
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
    .addColumn('key_id', 'text', (column) => column.notNull().references('signing_key.id'))
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('not_before_ms', integer, (column) => column.notNull())
    .addColumn('not_after_ms', integer, (column) => column.notNull())
    .addColumn('bytes', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('key_certificate_pk', ['organization', 'environment', 'key_id', 'epoch'])
    .execute();
}

async function createPublished(db: Kysely<unknown>, { integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('published_record')
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('revision', 'text', (column) => column.notNull())
    .addColumn('bytes', bytes, (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('published_record_pk', ['organization', 'environment', 'seq'])
    .execute();
  await db.schema
    .createIndex('published_record_history')
    .on('published_record')
    .columns(['organization', 'environment', 'kind', 'id', 'seq'])
    .execute();
  await db.schema
    .createTable('published_latest')
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('revision', 'text', (column) => column.notNull())
    .addColumn('bucket', integer, (column) => column.notNull())
    .addColumn('sha256', bytes, (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('is_deleted', integer, (column) => column.notNull())
    .addColumn('updated_at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('published_latest_pk', ['organization', 'environment', 'kind', 'id'])
    .execute();
  await db.schema
    .createIndex('published_latest_seq')
    .unique()
    .on('published_latest')
    .columns(['organization', 'environment', 'seq'])
    .execute();
  await db.schema
    .createIndex('published_latest_bucket')
    .on('published_latest')
    .columns(['organization', 'environment', 'bucket'])
    .execute();
  await db.schema
    .createIndex('published_latest_deleted')
    .on('published_latest')
    .columns(['is_deleted', 'updated_at_ms'])
    .execute();
  await db.schema
    .createTable('published_head')
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('count', integer, (column) => column.notNull())
    .addColumn('bucket_hashes', bytes, (column) => column.notNull())
    .addColumn('issued_at_ms', integer, (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('bytes', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('published_head_pk', ['organization', 'environment'])
    .execute();
}

async function createFleets(db: Kysely<unknown>, { integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('fleet')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text')
    .addColumn('environments', 'text', (column) => column.notNull())
    .addColumn('revision', integer, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('updated_at_ms', integer, (column) => column.notNull())
    .addUniqueConstraint('fleet_name', ['organization', 'name'])
    .execute();
  await db.schema
    .createTable('enrolment_token')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('fleet', 'text', (column) => column.notNull().references('fleet.id').onDelete('cascade'))
    .addColumn('secret_sha256', bytes, (column) => column.notNull())
    .addColumn('expires_at_ms', integer, (column) => column.notNull())
    .addColumn('uses_max', integer)
    .addColumn('uses', integer, (column) => column.notNull())
    .addColumn('is_revoked', integer, (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .execute();
  // No reference to the fleet: a revoked gateway outlives its fleet, so that its next call is refused and not unknown.
  await db.schema
    .createTable('gateway')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
    .addColumn('fleet', 'text', (column) => column.notNull())
    .addColumn('token', 'text', (column) => column.notNull())
    .addColumn('signing_key', bytes, (column) => column.notNull())
    .addColumn('sealing_key', bytes, (column) => column.notNull())
    .addColumn('hostname', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('is_revoked', integer, (column) => column.notNull())
    .addColumn('enrolled_at_ms', integer, (column) => column.notNull())
    .addColumn('revoked_at_ms', integer)
    .execute();
  await db.schema
    .createIndex('gateway_fleet')
    .on('gateway')
    .columns(['organization', 'fleet', 'id'])
    .execute();
  await db.schema.createIndex('gateway_token').on('gateway').columns(['token', 'signing_key']).execute();
}

async function createReports(db: Kysely<unknown>, { integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('gateway_report')
    .addColumn('gateway', 'text', (column) => column.primaryKey().references('gateway.id'))
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('instance', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', integer, (column) => column.notNull())
    .addColumn('policies', 'text', (column) => column.notNull())
    .addColumn('counters', 'text', (column) => column.notNull())
    .addColumn('is_connected', integer, (column) => column.notNull())
    .addColumn('received_at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('gateway_applied')
    .addColumn('gateway', 'text', (column) => column.notNull().references('gateway.id'))
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull())
    .addColumn('epoch', integer, (column) => column.notNull())
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('applied_at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('gateway_applied_pk', ['gateway', 'environment'])
    .execute();
  await db.schema
    .createTable('gateway_nack')
    .addColumn('gateway', 'text', (column) => column.notNull().references('gateway.id'))
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('seq', integer, (column) => column.notNull())
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('gateway_nack_pk', ['gateway', 'environment', 'kind', 'id'])
    .execute();
  await db.schema
    .createIndex('gateway_nack_record')
    .on('gateway_nack')
    .columns(['organization', 'environment', 'kind', 'id'])
    .execute();
  await db.schema
    .createTable('gateway_event')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organization', 'text', (column) => column.notNull())
    .addColumn('gateway', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('at_ms', integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('gateway_event_time')
    .on('gateway_event')
    .columns(['organization', 'gateway', 'at_ms'])
    .execute();
}
