import type { Migration } from './migration.ts';

/** Who may come in by password though nobody else does, and until when. */
export const breakGlass: Migration = {
  version: 51,
  name: 'break-glass',
  async up(db, { integer }) {
    await db.schema.alterTable('user_account').addColumn('password_until_ms', integer).execute();
  },
};
