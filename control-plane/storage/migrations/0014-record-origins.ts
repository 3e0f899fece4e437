import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Whose records are whose: what a gateway was before, which tags APIs and fleets ever had, ranges of spools by gateway. */
export const recordOrigins: Migration = {
  version: 14,
  name: 'record-origins',
  async up(db, { integer }) {
    await db.schema.alterTable('gateway').addColumn('previous', 'text').execute();
    await db.schema.createIndex('gateway_previous').unique().on('gateway').columns(['previous']).execute();
    await db.schema
      .createTable('tag_history')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      // Empty for a fleet, whose tags are the same in all its environments.
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('tags', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('tag_history_pk', ['organization', 'environment', 'kind', 'id', 'tags'])
      .execute();
    // Of what was before only the newest is known; of what was withdrawn long ago, that it had been there.
    await sql`insert into tag_history
      select organization, environment, kind, id, tags from published_latest where kind = 'api'`.execute(db);
    await sql`insert into tag_history
      select distinct organization, environment, kind, id, '[]' from published_record r where kind = 'api' and not exists (
        select 1 from published_latest l where l.organization = r.organization and l.environment = r.environment
          and l.kind = r.kind and l.id = r.id)`.execute(db);
    await sql`insert into tag_history select organization, '', 'fleet', id, tags from fleet`.execute(db);

    // A primary key cannot be changed on SQLite; so the table is made anew.
    await db.schema
      .createTable('covered_range_of_gateway')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('spool', 'text', (column) => column.notNull())
      .addColumn('first_offset', integer, (column) => column.notNull())
      .addColumn('last_offset', integer, (column) => column.notNull())
      .addColumn('hash8', 'text', (column) => column.notNull())
      .addColumn('gateway', 'text', (column) => column.notNull())
      .addColumn('file', 'text')
      .addPrimaryKeyConstraint('covered_range_of_gateway_pk', [
        'organization',
        'environment',
        'spool',
        'gateway',
        'first_offset',
      ])
      .execute();
    await sql`insert into covered_range_of_gateway
      select organization, environment, spool, first_offset, last_offset, hash8, gateway, file from covered_range`.execute(
      db,
    );
    await db.schema.dropTable('covered_range').execute();
    await db.schema.alterTable('covered_range_of_gateway').renameTo('covered_range').execute();
    await db.schema.createIndex('covered_range_file').on('covered_range').columns(['file']).execute();
  },
};
