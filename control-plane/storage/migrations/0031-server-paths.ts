import { type Kysely, sql } from 'kysely';
import type { ColumnTypes, Migration } from './migration.ts';

/**
 * A host and path may be one API's on one server and another's on another; the server '' is all of them.
 *
 * That "all" and a named one exclude each other no key can say. A trigger says it, and leaves out the row, as ON CONFLICT DO NOTHING did
 * for the key: control planes of the former version, which know no server and take all of them, are told by it as well.
 */
export const serverPaths: Migration = {
  version: 31,
  name: 'server-paths',
  async up(db, { dialect, integer }) {
    // A primary key cannot be changed on SQLite; so the table is made anew.
    await db.schema
      .createTable('api_path_by_server')
      .addColumn('organization', 'text', (column) => column.notNull())
      .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'))
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('path', 'text', (column) => column.notNull())
      .addColumn('server', 'text', (column) => column.notNull().defaultTo(''))
      .addColumn('api_id', 'text', (column) => column.notNull().references('api.id').onDelete('cascade'))
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('api_path_by_server_pk', ['environment', 'host', 'path', 'server'])
      .execute();
    await sql`insert into api_path_by_server (organization, environment, host, path, api_id, created_at_ms)
      select organization, environment, host, path, api_id, created_at_ms from api_path`.execute(db);
    await db.schema.dropTable('api_path').execute();
    await db.schema.alterTable('api_path_by_server').renameTo('api_path').execute();
    await db.schema.createIndex('api_path_api').on('api_path').columns(['api_id']).execute();
    await narrow(db as Kysely<Narrowed>);
    await judge(db, dialect);
  },
};

/** Two writers see each other's rows only after the commit: on PostgreSQL one at a time writes paths of an environment. */
async function judge(db: Kysely<unknown>, dialect: ColumnTypes['dialect']): Promise<void> {
  const taken = sql.raw(`exists (select 1 from api_path taken where taken.environment = new.environment
    and taken.host = new.host and taken.path = new.path
    and (taken.server = new.server or taken.server = '' or new.server = ''))`);
  if (dialect === 'sqlite') {
    await sql`create trigger api_path_one_taker before insert on api_path when ${taken}
      begin select raise(ignore); end`.execute(db);
    return;
  }
  await sql`create or replace function api_path_one_taker() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(4178031, hashtext(new.environment));
      if ${taken} then return null; end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger api_path_one_taker before insert on api_path
    for each row execute function api_path_one_taker()`.execute(db);
}

/** The tables as they are now. */
interface Narrowed {
  readonly api: { readonly id: string; readonly definition: string };
  readonly api_path: {
    readonly organization: string;
    readonly environment: string;
    readonly host: string;
    readonly path: string;
    readonly server: string;
    readonly api_id: string;
    readonly created_at_ms: number;
  };
}

interface NarrowedListener {
  readonly servers?: readonly string[];
  readonly paths?: readonly { readonly host?: string; readonly path: string }[];
}

/** What listeners with servers took of all of them, they keep of theirs alone. */
async function narrow(db: Kysely<Narrowed>): Promise<void> {
  const apis = await db
    .selectFrom('api')
    .select(['id', 'definition'])
    .where('definition', 'like', '%"servers":["%')
    .execute();
  for (const { id, definition } of apis) {
    const { listeners = [] } = JSON.parse(definition) as { readonly listeners?: readonly NarrowedListener[] };
    const rows = await db.selectFrom('api_path').selectAll().where('api_id', '=', id).execute();
    await db.deleteFrom('api_path').where('api_id', '=', id).execute();
    for (const row of rows)
      for (const server of serversOf(listeners, row))
        await db
          .insertInto('api_path')
          .values({ ...row, server })
          .execute();
  }
}

/** An API had each path in one listener. */
function serversOf(
  listeners: readonly NarrowedListener[],
  row: { readonly host: string; readonly path: string },
): ReadonlySet<string> {
  const holder = listeners.find(({ paths = [] }) =>
    paths.some(
      ({ host = '', path }) =>
        host.toLowerCase() === row.host && (path.endsWith('/') ? path : `${path}/`) === row.path,
    ),
  );
  return new Set(holder?.servers === undefined || holder.servers.length === 0 ? [''] : holder.servers);
}
