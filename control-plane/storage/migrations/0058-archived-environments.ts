import type { Migration } from './migration.ts';

/** An environment that nobody works in any more stays for what was recorded of it. */
export const archivedEnvironments: Migration = {
  version: 58,
  name: 'archived-environments',
  async up(db, { integer }) {
    await db.schema.alterTable('environment').addColumn('archived_at_ms', integer).execute();
  },
};
