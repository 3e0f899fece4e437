import type { Migration } from './migration.ts';

/** What a user recognises his sessions by. */
export const sessions: Migration = {
  version: 16,
  name: 'sessions',
  async up(db, { integer }) {
    for (const [column, type] of [
      ['last_use_at_ms', integer],
      ['source', 'text'],
      ['user_agent', 'text'],
    ] as const)
      await db.schema.alterTable('user_session').addColumn(column, type).execute();
    await db.schema
      .createIndex('user_session_user')
      .on('user_session')
      .columns(['organization', 'user_id', 'created_at_ms'])
      .execute();
  },
};
