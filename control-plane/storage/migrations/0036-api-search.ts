import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * What APIs are found by, beside their rows: a row holds a whole definition, which a search would have to read past.
 */
export const apiSearch: Migration = {
  version: 36,
  name: 'api-search',
  async up(db, { integer }) {
    await db.schema
      .createTable('api_search')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('api_id', 'text', (column) =>
        column.primaryKey().notNull().references('api.id').onDelete('cascade'),
      )
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('is_for_products', integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('api_word')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('word', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('api_word_pk', ['api_id', 'kind', 'word'])
      .execute();
    await db.schema
      .createIndex('api_word_word')
      .on('api_word')
      .columns(['environment', 'kind', 'word'])
      .execute();
    // All that lists sort by, narrow by and count, so that they read no row but those of their page.
    await db.schema
      .createIndex('api_listed')
      .on('api')
      .columns(['organization', 'environment', 'name_key', 'id', 'visibility', 'state', 'lifecycle_state'])
      .execute();
    await fill(db as Kysely<Filled>);
  },
};

/** The tables as they are now. */
interface Filled {
  readonly api: {
    readonly id: string;
    readonly organization: string;
    readonly environment: string;
    readonly name: string;
    readonly description: string;
    readonly definition: string;
    readonly tags: string;
  };
  readonly api_search: {
    readonly organization: string;
    readonly environment: string;
    readonly api_id: string;
    readonly type: string;
    readonly text: string;
    readonly is_for_products: number;
  };
  readonly api_word: {
    readonly organization: string;
    readonly environment: string;
    readonly api_id: string;
    readonly kind: string;
    readonly word: string;
  };
}

interface FoundBy {
  readonly type: string;
  readonly labels?: readonly string[];
  readonly categories?: readonly string[];
  readonly allowedInApiProducts?: boolean;
}

async function fill(db: Kysely<Filled>): Promise<void> {
  // One after the other: a definition may be large, and there may be ten thousand.
  const ids = await db.selectFrom('api').select('id').execute();
  for (const { id } of ids) {
    const row = await db.selectFrom('api').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const { organization, environment, name, description } = row;
    const at = { organization, environment, api_id: id };
    const {
      type,
      labels = [],
      categories = [],
      allowedInApiProducts,
    } = JSON.parse(row.definition) as FoundBy;
    const tags = JSON.parse(row.tags) as readonly string[];
    const text = [name, description, ...labels, ...tags].join('\n').toLowerCase();
    await db
      .insertInto('api_search')
      .values({ ...at, type, text, is_for_products: allowedInApiProducts === true ? 1 : 0 })
      .execute();
    const words = Object.entries({ tag: tags, label: labels, category: categories }).flatMap(([kind, all]) =>
      [...new Set(all)].map((word) => ({ ...at, kind, word })),
    );
    if (words.length > 0) await db.insertInto('api_word').values(words).execute();
  }
}
