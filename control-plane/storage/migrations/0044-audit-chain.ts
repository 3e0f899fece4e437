import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * Each row of an audit is chained to the one before, and says what changed and where it came from.
 *
 * Rows of former versions stay outside of the chain, and are counted, so that none can be put beside them.
 */
export const auditChain: Migration = {
  version: 44,
  name: 'audit-chain',
  async up(db, { integer }) {
    for (const column of ['patch', 'address', 'origin', 'hash'])
      await db.schema.alterTable('audit').addColumn(column, 'text').execute();
    await db.schema.alterTable('audit').addColumn('seq', integer).execute();
    await db.schema
      .createTable('audit_head')
      .addColumn('organization', 'text', (column) =>
        column.primaryKey().notNull().references('organization.id'),
      )
      .addColumn('seq', integer, (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('unchained', integer, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('audit_seq').unique().on('audit').columns(['organization', 'seq']).execute();
    await db.schema
      .createIndex('audit_object')
      .on('audit')
      .columns(['organization', 'reference_type', 'reference_id', 'created_at_ms'])
      .execute();
    await sql`insert into audit_head (organization, seq, hash, unchained)
      select id, 0, '', (select count(*) from audit where audit.organization = organization.id) from organization`.execute(
      db,
    );
  },
};
