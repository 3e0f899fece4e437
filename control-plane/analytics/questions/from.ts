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
  /** Where the records lie that are asked for, if that is known: nothing else is unpacked. */
  readonly places?: readonly Place[] | undefined;
}

/** A moment in which an API was called; ms since the epoch. */
export interface Place {
  readonly atMs: number;
  /** Undefined of requests that no API took. */
  readonly api: string | undefined;
}

/** How a narrow copy says whose it is (rollups/narrow.ts), once in a row: neither of the names holds the sign between them. */
export const tenantOf = ({ organization, environment }: EnvironmentRef): string =>
  `${organization}/${environment}`;

/**
 * The records of one environment, of one type, in a span, with the columns of that type's table.
 *
 * Nothing else writes files, tenant and type into a query. Files of older versions lack columns, those of newer ones have more: a column
 * that a file lacks is null, one that no file has too, and one that the table does not know is not seen.
 */
export function from(span: Span, { about, paths, places }: Source): string {
  const table = recordTables[about];
  // Each file by itself: DuckDB compares every record with every place.
  const lying = places === undefined ? '' : ` AND (${places.map(placeSql).join(' OR ')})`;
  return (
    `SELECT ${namesOf(about)}${about === 'requests' ? ', lower(uri) AS lower_uri' : ''} FROM (${rowsIn(about, paths)}) ` +
    `WHERE type = ${literal(table.type)} ` +
    `AND org_id = ${literal(span.organization)} AND env_id = ${literal(span.environment)} AND ${within(span)}${lying}`
  );
}

/**
 * The same of requests out of narrow copies of files (rollups/narrow.ts): what those do not have is null, and the URI is in lower case.
 */
export const fromNarrow = (span: Span, paths: readonly string[]): string =>
  `SELECT ${namesOf('requests')}, uri AS lower_uri FROM (${rowsIn('requests', paths)}) ` +
  `WHERE tenant = ${literal(tenantOf(span))} AND ${within(span)}`;

const namesOf = (about: RecordTableName): string => [...columnsOf(recordTables[about]).keys()].join(', ');

/** Rows of files with every column of a table, and others. */
function rowsIn(about: RecordTableName, paths: readonly string[]): string {
  const columns = [...columnsOf(recordTables[about])];
  const none = `SELECT ${columns.map(([name, { column }]) => `NULL::${parquetType(column)} AS ${name}`).join(', ')} WHERE false`;
  const files = `SELECT * FROM read_parquet([${paths.map(literal).join(', ')}], union_by_name = true)`;
  return paths.length === 0 ? none : `${files} UNION ALL BY NAME ${none}`;
}

const within = ({ fromMs, toMs }: Span): string =>
  `timestamp >= epoch_ms(${Math.trunc(fromMs)}) AND timestamp < epoch_ms(${Math.trunc(toMs)})`;

const placeSql = ({ atMs, api }: Place): string =>
  `(timestamp = epoch_ms(${Math.trunc(atMs)}) AND api_id ${api === undefined ? 'IS NULL' : `= ${literal(api)}`})`;
