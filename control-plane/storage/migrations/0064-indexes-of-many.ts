import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * Lists of what there are a hundred thousand of in an environment, and a million in the audit, are read in their order out of an index, and
 * counted in one that says all that is asked: a count that reads rows takes seconds, and on SQLite nothing else happens meanwhile.
 */
export const indexesOfMany: Migration = {
  version: 64,
  name: 'indexes-of-many',
  async up(db) {
    const index = (name: string, on: string) =>
      sql`create index ${sql.ref(name)} on ${sql.raw(on)}`.execute(db);
    // What an environment has of its quotas.
    await index(
      'subscription_counted',
      `subscription (organization, environment) where status not in ('CLOSED', 'REJECTED')`,
    );
    await index('application_counted', 'application (organization, environment, status)');
    await index('api_page_counted', 'api_page (organization, environment)');
    // The newest first, of all and of one.
    await index('subscription_newest', 'subscription (environment, created_at_ms)');
    for (const column of ['api', 'application', 'plan']) {
      await index(`subscription_of_${column}`, `subscription (environment, ${column}_id, created_at_ms)`);
      await db.schema.dropIndex(`subscription_${column}`).execute();
    }
    await index('audit_listed', 'audit (organization, environment, created_at_ms, seq)');
    await index('audit_listed_in_organization', 'audit (organization, created_at_ms, seq)');
    const narrowed = {
      audit_of: 'reference_type, reference_id',
      audit_of_event: 'event',
      audit_of_user: 'user_id',
    };
    for (const [name, columns] of Object.entries(narrowed))
      await index(name, `audit (organization, ${columns}, environment, created_at_ms, seq)`);
    for (const former of ['audit_time', 'audit_organization_time', 'audit_object'])
      await db.schema.dropIndex(former).execute();
  },
};
