import { type Migration, tenantTable } from './migration.ts';

/** Steps that APIs of an environment share. */
export const sharedPolicyGroups: Migration = {
  version: 23,
  name: 'shared-policy-groups',
  async up(db, { integer }) {
    await tenantTable(db, 'shared_policy_group', {
      integer,
      texts: 'cross_id name name_key description prerequisite_message phase steps lifecycle_state',
      integers: 'version created_at_ms updated_at_ms',
    })
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('deployed_at_ms', integer)
      .addUniqueConstraint('shared_policy_group_cross', ['environment', 'cross_id'])
      .execute();
  },
};
