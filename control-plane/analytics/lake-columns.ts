import { accessRecordColumns, type ColumnType } from '../../proto/model/access-record.ts';

/** Columns of the lake: those of an access record, and what a gap record says beside them. */
const lakeColumns: Readonly<Record<string, ColumnType>> = {
  ...accessRecordColumns,
  reason: 'text',
  dropped: 'integer',
};

const jsonTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  timestampMs: 'BIGINT',
};

/** The columns as DuckDB's JSON reader wants them; what a line has beyond them is ignored. */
export const jsonColumns = `{${Object.entries(lakeColumns)
  .map(([name, type]) => `${name}: '${jsonTypes[type]}'`)
  .join(', ')}}`;

/** The columns as they go into Parquet: plain types that ClickHouse, Trino and Spark read. */
export const lakeSelection = Object.entries(lakeColumns)
  .map(([name, type]) => (type === 'timestampMs' ? `epoch_ms(${name})::TIMESTAMP_MS AS ${name}` : name))
  .join(', ');

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
