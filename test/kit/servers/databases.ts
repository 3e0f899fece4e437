import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { skipWithout } from '../require.ts';
import { tempDir } from '../temp-dir.ts';
import { findPostgres, startCluster } from './postgres-cluster.ts';

/** One database to run the same test on: `url` is undefined for SQLite in a folder. */
export interface TestDatabase {
  readonly name: 'sqlite' | 'postgres';
  /** Why its tests are skipped, or false. */
  readonly skip: false | string;
  /** Makes a fresh, empty database and says its url; undefined for SQLite. */
  create(): Promise<string | undefined>;
  /** The same with the schema of this version and no row in it, which costs less than to migrate; that of SQLite lies in the given folder. */
  createWithSchema(dataDir: string): Promise<string | undefined>;
  /** Makes a copy of one to which nobody is connected; one of SQLite is copied with its folder. */
  copy(url: string | undefined): Promise<string | undefined>;
}

const given = process.env['ISTHMUS_TEST_POSTGRES_URL'];

/** In a folder of the test's. */
export const sqlite: TestDatabase = {
  name: 'sqlite',
  skip: false,
  create: async () => undefined,
  createWithSchema: async (dataDir) => {
    mkdirSync(dataDir, { recursive: true });
    copyFileSync(await (sqliteTemplate ??= makeSqliteTemplate()), join(dataDir, sqliteFileName));
    return undefined;
  },
  copy: async () => undefined,
};

/** Every database the stores must work on. */
export const testDatabases: readonly TestDatabase[] = [
  sqlite,
  {
    name: 'postgres',
    skip: skipWithout('postgresql', given !== undefined || findPostgres() !== undefined),
    create: async () => createDatabase(await findCluster()),
    createWithSchema: async () => {
      const admin = await findCluster();
      return createDatabase(admin, await (template ??= makeTemplate(admin)));
    },
    copy: async (url = '') => createDatabase(await findCluster(), new URL(url).pathname.slice(1)),
  },
];

let cluster: Promise<string> | undefined;
let template: Promise<string> | undefined;
let sqliteTemplate: Promise<string> | undefined;
const sqliteFileName = 'control-plane.db';

function findCluster(): Promise<string> {
  return (cluster ??= given === undefined ? startCluster() : Promise.resolve(given));
}

async function createDatabase(admin: string, source = 'template1'): Promise<string> {
  const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
  await withClient(admin, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${source}`));
  return urlOf(admin, name);
}

/** Any constant; no process of the house uses it. */
const advisoryLock = 4_178_999;

/** Migrating costs more than copying: the first who needs the schema makes a database with it, of which all others are copies. */
async function makeTemplate(admin: string): Promise<string> {
  // Checkouts that share a cluster may have other migrations.
  const name = `isthmus_schema_${hashOfMigrations()}`;
  await withClient(admin, async (client) => {
    await client.query(`SELECT pg_advisory_lock(${advisoryLock})`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount !== 0) return;
    const unfinished = `${name}_unfinished`;
    await client.query(`DROP DATABASE IF EXISTS ${unfinished}`);
    await client.query(`CREATE DATABASE ${unfinished}`);
    await makeSchema({ url: urlOf(admin, unfinished), dataDir: '/nowhere' });
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
  });
  return name;
}

/** The first process of a run that needs it makes the file; whoever looks sees a whole one or none. */
async function makeSqliteTemplate(): Promise<string> {
  const own = tempDir({ after: () => undefined });
  const made = join(process.env['ISTHMUS_TEST_RUN'] ?? own, `schema-${hashOfMigrations()}.db`);
  if (existsSync(made)) return made;
  await makeSchema({ dataDir: own });
  const unfinished = `${made}-${process.pid}`;
  copyFileSync(join(own, sqliteFileName), unfinished);
  renameSync(unfinished, made);
  return made;
}

async function makeSchema(place: { readonly url?: string; readonly dataDir: string }): Promise<void> {
  const { openStorage } = await import('../../../control-plane/storage/storage.ts');
  const log = { info: () => undefined, warn: () => undefined };
  await (await openStorage({ ...place, log })).close();
}

function hashOfMigrations(): string {
  const folder = join(import.meta.dirname, '../../../control-plane/storage/migrations');
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).toSorted()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const pg = (await import('pg')).default;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(admin: string, name: string): string {
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}
