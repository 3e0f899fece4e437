import type { ColumnDefinitionBuilder, CreateTableBuilder, Kysely } from 'kysely';

/** The databases that every store works on. */
export type DialectName = 'sqlite' | 'postgres';

/** One step forward; there are none back. */
export interface Migration {
  /** Rises from file to file; the number in the file's name. */
  readonly version: number;
  readonly name: string;
  /** Runs inside one transaction with the other pending ones; sees no table types, since those describe the newest state. */
  up(db: Kysely<unknown>, types: ColumnTypes): Promise<void>;
}

/** Column types that differ between the dialects; text is text on both. */
export interface ColumnTypes {
  readonly dialect: DialectName;
  /** 64-bit integers: times, counters, booleans. */
  readonly integer: 'bigint' | 'integer';
  readonly bytes: 'bytea' | 'blob';
}

/** The column types of a dialect. */
export function columnTypes(dialect: DialectName): ColumnTypes {
  return dialect === 'postgres'
    ? { dialect, integer: 'bigint', bytes: 'bytea' }
    : { dialect, integer: 'integer', bytes: 'blob' };
}

/** A table of an environment with required text and integer columns, each list as words. */
export function tenantTable(
  db: Kysely<unknown>,
  name: string,
  columns: { readonly integer: ColumnTypes['integer']; readonly texts: string; readonly integers: string },
): CreateTableBuilder<string, string> {
  const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
  let builder: CreateTableBuilder<string, string> = db.schema
    .createTable(name)
    .addColumn('organization', 'text', required)
    .addColumn('environment', 'text', (column) => column.notNull().references('environment.id'));
  for (const column of columns.texts.split(' ')) builder = builder.addColumn(column, 'text', required);
  for (const column of columns.integers.split(' '))
    builder = builder.addColumn(column, columns.integer, required);
  return builder;
}
