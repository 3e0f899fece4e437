import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * The database itself refuses to change or delete rows of the audit, and to take an end of a chain back.
 *
 * Whoever owns the database can take the triggers away: the chain, and an end of it that was kept elsewhere, show what he did then.
 */
export const auditKept: Migration = {
  version: 48,
  name: 'audit-kept',
  async up(db, { dialect }) {
    // The list of an organization, newest first.
    await db.schema
      .createIndex('audit_organization_time')
      .on('audit')
      .columns(['organization', 'created_at_ms'])
      .execute();
    const isTakenBack = sql`new.seq < old.seq or new.organization <> old.organization or new.unchained <> old.unchained`;
    if (dialect === 'sqlite') {
      const refused = sql`begin select raise(abort, 'rows of the audit stay as they are'); end`;
      await sql`create trigger audit_stays before update on audit ${refused}`.execute(db);
      await sql`create trigger audit_remains before delete on audit ${refused}`.execute(db);
      await sql`create trigger audit_end_stays before update on audit_head when ${isTakenBack} ${refused}`.execute(
        db,
      );
      await sql`create trigger audit_end_remains before delete on audit_head ${refused}`.execute(db);
      return;
    }
    await sql`create or replace function audit_stays() returns trigger language plpgsql as $$
      begin
        raise exception 'rows of the audit stay as they are';
      end $$`.execute(db);
    const refused = sql`execute function audit_stays()`;
    await sql`create trigger audit_stays before update or delete on audit for each row ${refused}`.execute(
      db,
    );
    await sql`create trigger audit_remains before truncate on audit for each statement ${refused}`.execute(
      db,
    );
    await sql`create trigger audit_end_stays before update on audit_head for each row when (${isTakenBack}) ${refused}`.execute(
      db,
    );
    await sql`create trigger audit_end_remains before delete on audit_head for each row ${refused}`.execute(
      db,
    );
    await sql`create trigger audit_end_kept before truncate on audit_head for each statement ${refused}`.execute(
      db,
    );
  },
};
