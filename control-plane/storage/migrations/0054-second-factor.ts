import type { Migration } from './migration.ts';

/** Authenticator apps beside passwords; nobody has one yet, and no organization asks for one. */
export const secondFactor: Migration = {
  version: 54,
  name: 'second-factor',
  async up(db, { integer }) {
    let table = db.schema
      .createTable('second_factor')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('confirmed_at_ms', integer);
    for (const name of ['last_step', 'wrong_codes', 'wrong_since_ms', 'created_at_ms'])
      table = table.addColumn(name, integer, (column) => column.notNull());
    await table.addPrimaryKeyConstraint('second_factor_pk', ['organization', 'user_id']).execute();
    await db.schema
      .createTable('recovery_code')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('code_hash', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('recovery_code_pk', ['organization', 'user_id', 'code_hash'])
      .execute();
    await db.schema
      .createTable('sign_in_settings')
      .addColumn('organization', 'text', (column) => column.primaryKey().references('organization.id'))
      .addColumn('second_factor_required', integer, (column) => column.notNull())
      .addColumn('updated_at_ms', integer, (column) => column.notNull())
      .execute();
    for (const [name, column] of [
      ['user_account', 'second_factor'],
      // 1: it opens nothing but the way to a second factor.
      ['user_session', 'enrols'],
    ] as const)
      await db.schema
        .alterTable(name)
        .addColumn(column, integer, (added) => added.notNull().defaultTo(0))
        .execute();
  },
};
