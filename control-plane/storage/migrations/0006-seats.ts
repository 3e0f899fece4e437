import type { Migration } from './migration.ts';

/** Which process of an enrolled identity is the one, and which proofs of identity were used. */
export const seats: Migration = {
  version: 6,
  name: 'seats',
  async up(db, { integer, bytes }) {
    await db.schema
      .createTable('bridge_nonce_key')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('key_bytes', bytes, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('used_nonce')
      .addColumn('nonce', 'text', (column) => column.primaryKey())
      .addColumn('expires_at_ms', integer, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('used_nonce_expiry').on('used_nonce').column('expires_at_ms').execute();
    await db.schema
      .createTable('gateway_seat')
      .addColumn('gateway', 'text', (column) => column.notNull().references('gateway.id'))
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('instance', 'text', (column) => column.notNull())
      .addColumn('hostname', 'text', (column) => column.notNull())
      .addColumn('source', 'text', (column) => column.notNull())
      .addColumn('ticket', 'text')
      .addColumn('next_ticket', 'text')
      .addColumn('generation', integer, (column) => column.notNull())
      .addColumn('lease_until_ms', integer, (column) => column.notNull())
      .addColumn('claimed_at_ms', integer, (column) => column.notNull())
      .addColumn('rival', 'text')
      .addPrimaryKeyConstraint('gateway_seat_pk', ['gateway', 'role'])
      .execute();
  },
};
