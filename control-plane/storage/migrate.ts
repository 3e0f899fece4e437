import { sql, type Kysely, type Transaction } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { columnTypes, type DialectName, type Migration } from './migrations/migration.ts';

interface SchemaTables {
  schema_migration: { version: number; name: string; applied_at_ms: number };
}

/** What of the schema is in the database, and what this version needs. */
export interface SchemaState {
  /** The newest migration that ran; 0 when there is no schema at all. */
  readonly found: number;
  readonly wanted: number;
  /** Migrations that this version needs and that did not run. */
  readonly missing: readonly string[];
}

/** Any constant; two control planes that start at once must choose the same. */
const advisoryLock = 4_178_001;

/**
 * Brings the database to the newest schema and says which migrations ran now.
 *
 * All pending ones run in one transaction: it is wholly new or untouched. Control planes that start together wait
 * for each other (advisory lock on PostgreSQL, BEGIN IMMEDIATE on SQLite).
 * Errors: storage.newer_schema when a newer version of the platform has been here.
 */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  dialect: DialectName,
  known: readonly Migration[],
): Promise<readonly string[]> {
  // A role that may not create anything starts as well, as long as there is nothing to create.
  const state = await readSchema(db, known);
  if (state.found === state.wanted && state.missing.length === 0) return [];
  return db.transaction().execute(async (trx) => {
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(trx);
    return applyMigrations(trx, dialect, known);
  });
}

/** Reads which migrations ran; changes nothing. */
export async function readSchema<Tables>(
  db: Kysely<Tables>,
  known: readonly Migration[],
): Promise<SchemaState> {
  const done = new Set(await readVersions(db as unknown as Kysely<SchemaTables>));
  return {
    found: Math.max(0, ...done),
    wanted: newestOf(known),
    missing: known.filter(({ version }) => !done.has(version)).map(nameOf),
  };
}

/** Why a process that may not migrate cannot use this schema; undefined when it can. */
export function refuseSchema({ found, wanted, missing }: SchemaState): Fault | undefined {
  const numbers = `The database has schema ${found}, this version needs ${wanted}`;
  if (found === 0)
    return new Fault('storage.missing', {
      detail: 'The database is there and holds no schema of the platform.',
    });
  if (found > wanted) return new Fault('storage.newer_schema', { detail: `${numbers}.` });
  if (missing.length === 0) return undefined;
  return new Fault('storage.older_schema', { detail: `${numbers} (missing: ${missing.join(', ')}).` });
}

async function readVersions(db: Kysely<SchemaTables>): Promise<readonly number[]> {
  try {
    const rows = await db.selectFrom('schema_migration').select('version').execute();
    return rows.map((row) => row.version);
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

function isMissingTable(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === '42P01' || (error.code === 'SQLITE_ERROR' && /no such table/.test(error.message));
}

const newestOf = (known: readonly Migration[]): number => Math.max(0, ...known.map(({ version }) => version));
const nameOf = ({ version, name }: Migration): string => `${version}-${name}`;

/** Runs the pending ones inside the caller's transaction and says which; see {@link migrate}. */
export async function applyMigrations<Tables>(
  transaction: Transaction<Tables>,
  dialect: DialectName,
  known: readonly Migration[],
): Promise<readonly string[]> {
  const trx = transaction as unknown as Transaction<SchemaTables>;
  await trx.schema
    .createTable('schema_migration')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at_ms', columnTypes(dialect).integer, (column) => column.notNull())
    .execute();
  const rows = await trx.selectFrom('schema_migration').select('version').execute();
  const done = new Set(rows.map((row) => row.version));
  refuseNewer([...done], known);
  const pending = known.filter((migration) => !done.has(migration.version));
  for (const migration of pending) {
    const { version, name } = migration;
    await migration.up(trx as unknown as Kysely<unknown>, columnTypes(dialect));
    await trx.insertInto('schema_migration').values({ version, name, applied_at_ms: Date.now() }).execute();
  }
  return pending.map(nameOf);
}

function refuseNewer(done: readonly number[], known: readonly Migration[]): void {
  const newest = newestOf(known);
  const unknown = done.filter((version) => version > newest);
  if (unknown.length > 0)
    throw new Fault('storage.newer_schema', {
      detail: `The database has schema ${Math.max(...unknown)}, this version knows ${newest}.`,
    });
}
