import type { CreateTableBuilder } from 'kysely';
import type { Migration } from './migration.ts';

/** What clients called changes that must not be done twice, with the answers that they got. */
export const idempotencyKeys: Migration = {
  version: 55,
  name: 'idempotency-keys',
  async up(db, { integer }) {
    let table: CreateTableBuilder<string, string> = db.schema.createTable('idempotency_key');
    for (const name of ['organization', 'user_id', 'key_hash', 'request_hash', 'claim'])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of ['claimed_until_ms', 'is_done', 'expires_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table
      .addColumn('answer', 'text')
      .addPrimaryKeyConstraint('idempotency_key_primary', ['organization', 'user_id', 'key_hash'])
      .execute();
    await db.schema
      .createIndex('idempotency_key_end')
      .on('idempotency_key')
      .columns(['organization', 'expires_at_ms'])
      .execute();
  },
};
