import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Whose a client id is: one application's of an environment. Where several have it already, all but the oldest are rivals. */
export const applicationClients: Migration = {
  version: 26,
  name: 'application-clients',
  async up(db) {
    await db.schema
      .createTable('application_client')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull())
      .addColumn('application_id', 'text', (column) => column.notNull())
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('rival_of', 'text')
      .addPrimaryKeyConstraint('application_client_pk', ['organization', 'environment', 'application_id'])
      .execute();
    await fill(db as Kysely<Filled>);
    await db.schema
      .createIndex('application_client_one')
      .unique()
      .on('application_client')
      .columns(['organization', 'environment', 'client_id'])
      .where(sql<boolean>`rival_of is null`)
      .execute();
  },
};

/** The tables as they are now. */
interface Filled {
  readonly application: {
    readonly id: string;
    readonly organization: string;
    readonly environment: string;
    readonly settings: string;
    readonly status: string;
    readonly created_at_ms: number;
  };
  readonly application_client: {
    readonly organization: string;
    readonly environment: string;
    readonly application_id: string;
    readonly client_id: string;
    readonly rival_of: string | null;
  };
}

async function fill(db: Kysely<Filled>): Promise<void> {
  const rows = await db
    .selectFrom('application')
    .select(['id', 'organization', 'environment', 'settings'])
    .where('status', '=', 'ACTIVE')
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
  const holders = new Map<string, string>();
  for (const { id, organization, environment, settings } of rows) {
    const { app } = JSON.parse(settings) as { readonly app?: { readonly client_id?: string } };
    const clientId = app?.client_id;
    if (clientId === undefined) continue;
    const key = JSON.stringify([organization, environment, clientId]);
    const holder = holders.get(key) ?? null;
    if (holder === null) holders.set(key, id);
    await db
      .insertInto('application_client')
      .values({ organization, environment, application_id: id, client_id: clientId, rival_of: holder })
      .execute();
  }
}
