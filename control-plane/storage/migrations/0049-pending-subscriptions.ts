import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Subscriptions that wait for a decision are few among many, and asked for whenever somebody looks what there is to do. */
export const pendingSubscriptions: Migration = {
  version: 49,
  name: 'pending-subscriptions',
  async up(db) {
    await sql`create index subscription_pending on subscription (environment, created_at_ms)
      where status = 'PENDING'`.execute(db);
  },
};
