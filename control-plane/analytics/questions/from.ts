import { recordTables, type RecordTableName } from '../../../proto/model/record-tables.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { columnsOf, literal, parquetType } from '../lake-columns.ts';

/** Whose records from when a question is about; ms since the epoch, `toMs` exclusive. */
export interface Span extends EnvironmentRef {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a question reads. */
export interface Source {
  readonly about: RecordTableName;
  /** Local files of the span's environment. */
  readonly paths: readonly string[];
}

/**
 * The records of one environment, of one type, in a span, with the columns of that type's table.
 *
 * Nothing else writes files, tenant and type into a query. Files of older versions lack columns, those of newer ones have more: a column
 * that a file lacks is null, one that no file has too, and one that the table does not know is not seen.
 */
export function from(span: Span, { about, paths }: Source): string {
  const table = recordTables[about];
  const columns = [...columnsOf(table)];
  const none = `SELECT ${columns.map(([name, { column }]) => `NULL::${parquetType(column)} AS ${name}`).join(', ')} WHERE false`;
  const files = `SELECT * FROM read_parquet([${paths.map(literal).join(', ')}], union_by_name = true)`;
  const all = paths.length === 0 ? none : `${files} UNION ALL BY NAME ${none}`;
  return (
    `SELECT ${columns.map(([name]) => name).join(', ')} FROM (${all}) WHERE type = ${literal(table.type)} ` +
    `AND org_id = ${literal(span.organization)} AND env_id = ${literal(span.environment)} ` +
    `AND timestamp >= epoch_ms(${Math.trunc(span.fromMs)}) AND timestamp < epoch_ms(${Math.trunc(span.toMs)})`
  );
}
