import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Leases that say how long they are, and covered ranges that say which file of the lake brought them. */
export const lakeProofs: Migration = {
  version: 8,
  name: 'lake-proofs',
  async up(db, { dialect, integer }) {
    // 0 for leases of an older version: their expiry is not believed, and whoever comes next takes them.
    await db.schema
      .alterTable('lease')
      .addColumn('lease_ms', integer, (column) => column.notNull().defaultTo(0))
      .execute();
    // Absent for what an older version ingested.
    await db.schema.alterTable('covered_range').addColumn('file', 'text').execute();
    await db.schema.createIndex('covered_range_file').on('covered_range').columns(['file']).execute();
    // Compared with a listing of the bucket, which is in the order of bytes.
    const key = dialect === 'postgres' ? sql`object_key collate "C"` : sql`object_key`;
    await db.schema.createIndex('lake_file_key').on('lake_file').expression(key).execute();
  },
};
