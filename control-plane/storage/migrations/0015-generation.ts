import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Which life of the database this is; one row, that every restore changes. */
export const generation: Migration = {
  version: 15,
  name: 'generation',
  async up(db) {
    await db.schema
      .createTable('database_generation')
      .addColumn('singleton', 'integer', (column) => column.primaryKey())
      .addColumn('generation', 'text', (column) => column.notNull())
      .execute();
    await sql`insert into database_generation (singleton, generation) values (1, ${randomUUID()})`.execute(
      db,
    );
  },
};
