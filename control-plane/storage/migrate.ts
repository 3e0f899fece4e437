import { sql, type Kysely, type Transaction } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { columnTypes, type DialectName, type Migration } from './migrations/migration.ts';

interface SchemaTables {
  schema_migration: { version: number; name: string; applied_at_ms: number };
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
  return db.transaction().execute(async (trx) => {
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(trx);
    return applyMigrations(trx, dialect, known);
  });
}

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
  return pending.map((migration) => `${migration.version}-${migration.name}`);
}

function refuseNewer(done: readonly number[], known: readonly Migration[]): void {
  const newest = known.at(-1)?.version ?? 0;
  const unknown = done.filter((version) => version > newest);
  if (unknown.length > 0)
    throw new Fault('storage.newer_schema', {
      internal: `database is at ${Math.max(...unknown)}, this version knows ${newest}`,
    });
}
