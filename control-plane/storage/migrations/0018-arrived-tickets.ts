import type { Migration } from './migration.ts';

/** Whether the ticket that the holder of a seat was given has reached it: who comes with the one before it then is told of. */
export const arrivedTickets: Migration = {
  version: 18,
  name: 'arrived-tickets',
  async up(db, { integer }) {
    await db.schema
      .alterTable('gateway_seat')
      .addColumn('next_arrived', integer, (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
