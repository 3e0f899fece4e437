import type { Migration } from './migration.ts';

/** Which files of the lake have figures of their own, and which: an older program writes none, and what it wrote gets them later. */
export const rollups: Migration = {
  version: 59,
  name: 'rollups',
  async up(db) {
    await db.schema.alterTable('lake_file').addColumn('rollup', 'text').execute();
  },
};
