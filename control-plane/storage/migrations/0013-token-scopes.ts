import type { Migration } from './migration.ts';

/** What a personal token is narrowed to; null for all that its user may do, as tokens were until now. */
export const tokenScopes: Migration = {
  version: 13,
  name: 'token-scopes',
  async up(db) {
    await db.schema.alterTable('personal_token').addColumn('scopes', 'text').execute();
  },
};
