import type { CreateTableBuilder } from 'kysely';
import type { Migration } from './migration.ts';

/** Fields that people note of an environment, an API or an application. */
export const metadata: Migration = {
  version: 39,
  name: 'metadata',
  async up(db) {
    let table: CreateTableBuilder<string, string> = db.schema.createTable('metadata');
    for (const name of [
      'organization',
      'environment',
      'scope',
      'reference',
      'key',
      'name',
      'format',
      'value',
    ])
      table = table.addColumn(name, 'text', (column) => column.notNull());
    await table
      .addPrimaryKeyConstraint('metadata_pk', ['environment', 'scope', 'reference', 'key'])
      .execute();
  },
};
