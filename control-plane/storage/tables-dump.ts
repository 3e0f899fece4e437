import { sql, type Kysely } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { putInstallation, readInstallation } from './installation.ts';
import { applyMigrations } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { DialectName } from './migrations/migration.ts';
import type { Trx } from './storage.ts';

/** A row of any table: texts, integers, bytes, null. */
export type Row = Readonly<Record<string, unknown>>;

const rowsPerBatch = 500;
/** Not part of a dump: the first is written by migrating, the others mean nothing elsewhere. */
const ownTables: ReadonlySet<string> = new Set(['schema_migration', 'lease', 'database_generation']);

/** The newest migration in the database and its tables, parents before those that reference them. */
export async function userTables(
  trx: Trx,
  dialect: DialectName,
): Promise<{ readonly schema: number; readonly tables: readonly string[] }> {
  const schema = await sql<{ version: number }>`select max(version) as version from schema_migration`.execute(
    trx,
  );
  return {
    schema: Number(schema.rows[0]?.version ?? 0),
    tables: (await tablesInOrder(trx, dialect)).filter((table) => !ownTables.has(table)),
  };
}

/** All rows of a table in batches, as the transaction sees them; memory stays flat. */
export async function* readRows(
  trx: Trx,
  dialect: DialectName,
  table: string,
): AsyncGenerator<readonly Row[]> {
  if (dialect === 'postgres') {
    const cursor = sql.id(`dump_${table}`);
    await sql`declare ${cursor} no scroll cursor for select * from ${sql.table(table)}`.execute(trx);
    for (;;) {
      const { rows } = await sql<Row>`fetch ${sql.lit(rowsPerBatch)} from ${cursor}`.execute(trx);
      if (rows.length > 0) yield rows;
      if (rows.length < rowsPerBatch) break;
    }
    await sql`close ${cursor}`.execute(trx);
    return;
  }
  for (let after = 0; ;) {
    const { rows } = await sql<Row & { $rowid: number }>`select rowid as "$rowid", * from ${sql.table(table)}
      where rowid > ${after} order by rowid limit ${rowsPerBatch}`.execute(trx);
    if (rows.length > 0) yield rows.map(withoutRowid);
    if (rows.length < rowsPerBatch) return;
    after = rows.at(-1)?.$rowid ?? after;
  }
}

function withoutRowid(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([column]) => column !== '$rowid'));
}

/** Inserts rows as they are; columns that the row does not name get their default. */
export async function appendRows(trx: Trx, table: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  await (trx as unknown as Kysely<Record<string, Row>>)
    .insertInto(table)
    .values([...rows])
    .execute();
}

/**
 * Empties the database, rebuilds it at an older or the present schema, lets `fill` insert, and moves it forward.
 *
 * All of it inside the given transaction: when something fails, nothing has happened. Roles keep their grants, and the
 * installation its bucket. Errors: storage.newer_schema.
 */
export async function replaceAll<T>(
  trx: Trx,
  dialect: DialectName,
  { schema, fill }: { readonly schema: number; readonly fill: () => Promise<T> },
): Promise<T> {
  const newest = migrations.at(-1)?.version ?? 0;
  if (schema > newest)
    throw new Fault('storage.newer_schema', {
      internal: `the dump is of schema ${schema}, this version knows ${newest}`,
    });
  const tables = await tablesInOrder(trx, dialect);
  const installation = await readInstallation(trx, dialect, tables);
  for (const table of tables.toReversed())
    await (
      dialect === 'postgres'
        ? sql`drop table ${sql.table(table)} cascade`
        : sql`drop table ${sql.table(table)}`
    ).execute(trx);
  await applyMigrations(
    trx,
    dialect,
    migrations.filter((migration) => migration.version <= schema),
  );
  const filled = await fill();
  await applyMigrations(trx, dialect, migrations);
  await putInstallation(trx, installation);
  // New tables have no statistics, and plans without them read whole tables.
  await sql`analyze`.execute(trx);
  return filled;
}

interface Reference {
  readonly child: string;
  readonly parent: string;
}

async function tablesInOrder(trx: Trx, dialect: DialectName): Promise<readonly string[]> {
  const names =
    dialect === 'postgres'
      ? await sql<{ name: string }>`select table_name as name from information_schema.tables
          where table_schema = current_schema() and table_type = 'BASE TABLE' order by table_name`.execute(
          trx,
        )
      : await sql<{ name: string }>`select name from sqlite_master
          where type = 'table' and name not like 'sqlite_%' order by name`.execute(trx);
  const references =
    dialect === 'postgres'
      ? await sql<Reference>`select c.relname as child, p.relname as parent from pg_constraint f
          join pg_class c on c.oid = f.conrelid join pg_class p on p.oid = f.confrelid
          where f.contype = 'f' and f.connamespace = current_schema()::regnamespace`.execute(trx)
      : await sql<Reference>`select m.name as child, f."table" as parent
          from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table'`.execute(trx);
  return parentsFirst(
    names.rows.map((row) => row.name),
    references.rows,
  );
}

function parentsFirst(names: readonly string[], references: readonly Reference[]): readonly string[] {
  const ordered: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.includes(name) || path.includes(name)) return;
    for (const { child, parent } of references) if (child === name) visit(parent, [...path, name]);
    ordered.push(name);
  };
  for (const name of names) visit(name, []);
  return ordered;
}
