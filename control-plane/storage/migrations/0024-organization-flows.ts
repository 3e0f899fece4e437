import type { Migration } from './migration.ts';

/** Flows that every request of an organization passes. */
export const organizationFlows: Migration = {
  version: 24,
  name: 'organization-flows',
  async up(db, { integer }) {
    const add = db.schema.alterTable('organization');
    await add.addColumn('flow_mode', 'text', (column) => column.notNull().defaultTo('DEFAULT')).execute();
    await add.addColumn('match_required', integer, (column) => column.notNull().defaultTo(0)).execute();
    await add.addColumn('flows', 'text', (column) => column.notNull().defaultTo('[]')).execute();
    await add.addColumn('flows_version', integer, (column) => column.notNull().defaultTo(0)).execute();
  },
};
