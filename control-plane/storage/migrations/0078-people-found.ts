import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Whoever has forgotten a password, or registers, is looked for by an address in any case, before he is anybody: all rows were read for it. */
export const peopleFound: Migration = {
  version: 78,
  name: 'people-found',
  async up(db) {
    await sql`create index user_account_email on user_account (organization, lower(email))`.execute(db);
    await sql`create index user_account_name on user_account (organization, lower(username))`.execute(db);
  },
};
