import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Who holds which role where; until now a user was ADMIN or USER, and an API or application had one owner. */
export const memberships: Migration = {
  version: 10,
  name: 'memberships',
  async up(db, { integer }) {
    await db.schema
      .createTable('membership')
      .addColumn('organization', 'text', (column) => column.notNull().references('organization.id'))
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('reference', 'text', (column) => column.notNull())
      .addColumn('member_type', 'text', (column) => column.notNull())
      .addColumn('member', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('membership_pk', ['scope', 'reference', 'member_type', 'member', 'role'])
      .execute();
    await db.schema
      .createIndex('membership_member')
      .on('membership')
      .columns(['organization', 'member_type', 'member', 'scope'])
      .execute();
    await db.schema
      .createIndex('membership_primary_owner')
      .unique()
      .on('membership')
      .columns(['scope', 'reference'])
      .where(sql.ref('role'), '=', sql.lit('PRIMARY_OWNER'))
      .execute();
    await sql`insert into membership
      select organization, 'organization', organization, 'USER', id, role, created_at_ms from user_account`.execute(
      db,
    );
    await sql`insert into membership
      select u.organization, 'environment', e.id, 'USER', u.id, u.role, u.created_at_ms
      from user_account u join environment e on e.organization = u.organization`.execute(db);
    for (const scope of ['api', 'application'])
      await sql`insert into membership
        select organization, ${sql.lit(scope)}, id, 'USER', owner_id, 'PRIMARY_OWNER', created_at_ms
        from ${sql.table(scope)}`.execute(db);
    await db.schema.alterTable('user_account').dropColumn('role').execute();
    for (const table of ['api', 'application'])
      await db.schema.alterTable(table).dropColumn('owner_id').execute();
  },
};
