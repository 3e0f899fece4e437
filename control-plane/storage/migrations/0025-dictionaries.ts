import { type Migration, tenantTable } from './migration.ts';

/** Dictionaries, and what is fetched again and again for them and for APIs. */
export const dictionaries: Migration = {
  version: 25,
  name: 'dictionaries',
  async up(db, { integer }) {
    await tenantTable(db, 'dictionary', {
      integer,
      texts: 'key name name_key description type state properties',
      integers: 'version created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('provider', 'text')
      .addColumn('trigger', 'text')
      .addColumn('deployed_at_ms', integer)
      .addUniqueConstraint('dictionary_key', ['environment', 'key'])
      .execute();
    await tenantTable(db, 'fetched', { integer, texts: 'kind id', integers: 'version' })
      .addColumn('words', 'text')
      .addColumn('due_at_ms', integer)
      .addColumn('tried_at_ms', integer)
      .addColumn('fetched_at_ms', integer)
      .addColumn('problem', 'text')
      .addPrimaryKeyConstraint('fetched_pk', ['environment', 'kind', 'id'])
      .execute();
    await db.schema.createIndex('fetched_due').on('fetched').column('due_at_ms').execute();
  },
};
