import type { Migration } from './migration.ts';

/** When a consumer paused a subscription, and what it says of how it wants to be served. */
export const subscriptionPauses: Migration = {
  version: 38,
  name: 'subscription-pauses',
  async up(db, { integer }) {
    await db.schema.alterTable('subscription').addColumn('consumer_paused_at_ms', integer).execute();
    await db.schema.alterTable('subscription').addColumn('configuration', 'text').execute();
  },
};
