import type { Migration } from './migration.ts';

/** Whose a client's certificate is: one application's of an environment. */
export const applicationCertificates: Migration = {
  version: 22,
  name: 'application-certificates',
  async up(db) {
    await db.schema
      .createTable('application_certificate')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('application_id', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('application_certificate_pk', ['organization', 'environment', 'fingerprint'])
      .execute();
    await db.schema
      .createIndex('application_certificate_of')
      .on('application_certificate')
      .columns(['organization', 'environment', 'application_id'])
      .execute();
  },
};
