import { sql } from 'kysely';
import { type Migration, tenantTable } from './migration.ts';

/** That somebody was told that something ends soon, so that nobody is told twice; and indexes that find what ends. */
export const endsTold: Migration = {
  version: 77,
  name: 'ends-told',
  async up(db, { integer }) {
    await tenantTable(db, 'end_told', { integer, texts: 'type object_id', integers: 'ends_at_ms days' })
      .addPrimaryKeyConstraint('end_told_pk', [
        'organization',
        'environment',
        'type',
        'object_id',
        'ends_at_ms',
        'days',
      ])
      .execute();
    await sql`create index end_told_past on end_told (ends_at_ms)`.execute(db);
    // Few end at all, among many; a look asks over all tenants.
    await sql`create index subscription_ends on subscription (ending_at_ms)
      where ending_at_ms is not null and status in ('ACCEPTED', 'PAUSED')`.execute(db);
    await sql`create index api_key_ends on api_key (expire_at_ms)
      where expire_at_ms is not null and revoked_at_ms is null`.execute(db);
  },
};
