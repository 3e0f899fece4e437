import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const texts = ['organization', 'environment', 'type', 'name', 'visibility', 'access', 'last_contributor'];
const numbers = ['position', 'is_published', 'is_homepage', 'updated_at_ms'];

/** Pages of documentation may be of an environment itself: those have no API. */
export const environmentPages: Migration = {
  version: 52,
  name: 'environment-pages',
  async up(db, { integer }) {
    // A column of which others know cannot be made nullable on SQLite; so the table is made anew.
    let table = db.schema
      .createTable('page')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull());
    for (const name of texts) table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of numbers) table = table.addColumn(name, integer, (column) => column.notNull());
    await table
      .addColumn('api_id', 'text', (column) => column.references('api.id').onDelete('cascade'))
      .addColumn('parent_id', 'text')
      .addColumn('content', 'text')
      .execute();
    await copy(db);
    await db.schema.dropTable('api_page').execute();
    await db.schema.alterTable('page').renameTo('api_page').execute();
    await db.schema.createIndex('api_page_api').on('api_page').columns(['environment', 'api_id']).execute();
  },
};

async function copy(db: Kysely<unknown>): Promise<void> {
  const columns = sql.join(
    ['id', 'api_id', 'parent_id', 'content', ...texts, ...numbers].map((name) => sql.ref(name)),
  );
  await sql`insert into page (${columns}) select ${columns} from api_page`.execute(db);
}
