import { type Migration, tenantTable } from './migration.ts';

/** What each deployment of a shared policy group sent to gateways. */
export const groupVersions: Migration = {
  version: 46,
  name: 'group-versions',
  async up(db, { integer }) {
    await tenantTable(db, 'shared_policy_group_version', {
      integer,
      texts: 'name description prerequisite_message steps',
      integers: 'version updated_at_ms deployed_at_ms',
    })
      .addColumn('group_id', 'text', (column) =>
        column.notNull().references('shared_policy_group.id').onDelete('cascade'),
      )
      .addPrimaryKeyConstraint('shared_policy_group_version_pk', ['group_id', 'version'])
      .execute();
  },
};
