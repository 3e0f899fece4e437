import { type Migration, tenantTable } from './migration.ts';

/** Which APIs and applications a first start made to be looked at, so that they can be told from others and taken away. */
export const samples: Migration = {
  version: 71,
  name: 'samples',
  async up(db, { integer }) {
    await tenantTable(db, 'sample', { integer, texts: 'type object_id', integers: 'created_at_ms' })
      .addPrimaryKeyConstraint('sample_pk', ['organization', 'environment', 'type', 'object_id'])
      .execute();
  },
};
