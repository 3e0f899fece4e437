import { invariant } from '../../proto/faults/fault.ts';
import {
  tenantFields,
  type ColumnType,
  type Meaning,
  type RecordField,
} from '../../proto/model/record-fields.ts';
import { recordTables, type RecordTable } from '../../proto/model/record-tables.ts';
import type { LandingKey } from '../../proto/wire/blobs.ts';

/** Longest line; the shipper's own bound is half of it. */
export const lineBytesMax = 2 * 1024 * 1024;

/** A column of the lake: a field that has one. */
interface Column extends RecordField {
  readonly column: ColumnType;
}

/** Columns of a table of records, by name. */
export function columnsOf({ fields }: RecordTable): ReadonlyMap<string, Column> {
  return new Map(
    Object.entries(fields).flatMap(([name, field]) =>
      field.column === undefined ? [] : [[name, { ...field, column: field.column }]],
    ),
  );
}

const tables: readonly RecordTable[] = Object.values(recordTables);

/** Columns of the lake: those of every table, each once. */
const lakeColumns: ReadonlyMap<string, Column> = new Map(tables.flatMap((table) => [...columnsOf(table)]));
for (const table of tables)
  for (const [name, { column, meaning }] of columnsOf(table))
    invariant(
      lakeColumns.get(name)?.column === column &&
        JSON.stringify(lakeColumns.get(name)?.meaning) === JSON.stringify(meaning),
      `${name} means the same in every table`,
    );

const jsonTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  timestampMs: 'BIGINT',
};

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const among = (name: string, values: readonly string[]): string =>
  `${name} IN (${values.map(literal).join(', ')})`;

/** A number that JavaScript and every engine can hold. */
const anyNumber: Meaning = { kind: 'between', spans: [[0, Number.MAX_SAFE_INTEGER]] };

/** Says in SQL that a value means something; never null where the value is not. */
function means(name: string, meaning: Meaning): string {
  switch (meaning.kind) {
    case 'among':
      return among(name, meaning.values);
    case 'pattern':
      return `regexp_full_match(${name}, ${literal(meaning.pattern)})`;
    case 'list': {
      // In a CASE, since what is no JSON must not be read as such.
      const list = literal(`$.${meaning.at}`);
      return (
        `CASE WHEN strlen(${name}) <= ${meaning.bytesMax} AND json_valid(${name}) ` +
        `THEN coalesce(json_type(${name}, ${list}) = 'ARRAY' AND json_array_length(${name}, ${list}) <= ${meaning.itemsMax}, false) ELSE false END`
      );
    }
    case 'between':
      return meaning.spans
        .map(([min, max]) => (min === max ? `${name} = ${min}` : `${name} BETWEEN ${min} AND ${max}`))
        .join(' OR ');
  }
}

/** Says in SQL that a record's time means nothing. */
export const hasBadTime = `NOT coalesce(${means('timestamp', lakeColumns.get('timestamp')?.meaning ?? anyNumber)}, false)`;

/**
 * Says in SQL that a line is a record: its own kind, its time, or whose it is can be read of it. All columns are null of a line that is no
 * JSON, and there is nothing to keep of it.
 */
export const isRecord = `(${['type', 'timestamp', ...Object.keys(tenantFields)].map((name) => `${name} IS NOT NULL`).join(' OR ')})`;

/**
 * A column as it goes into Parquet. Nothing here can fail, so a bad line holds up no other.
 *
 * A record whose type or time means nothing stays, for a human, as one of type `malformed`, and one that is refused as `refused`,
 * with the reason (origins/judged.ts); no question counts either. Other values that mean nothing become the safe one of their field.
 */
function selected(name: string, { column, meaning }: Column): string {
  if (name === 'type') return 'verdict';
  if (column === 'timestampMs')
    return `CASE WHEN ${means(name, meaning ?? anyNumber)} THEN epoch_ms(${name})::TIMESTAMP_MS END`;
  if (column === 'integer') return `CASE WHEN ${means(name, meaning ?? anyNumber)} THEN ${name} END`;
  if (meaning === undefined) return name;
  const otherwise = 'otherwise' in meaning ? meaning.otherwise : undefined;
  if (otherwise === undefined) return `CASE WHEN ${means(name, meaning)} THEN ${name} END`;
  return `CASE WHEN ${name} IS NULL OR ${means(name, meaning)} THEN ${name} ELSE ${literal(otherwise)} END`;
}

/** How the lines of a stream are read and written. */
export interface LineColumns {
  /** As DuckDB's JSON reader wants them; what a line has beyond them is ignored. */
  readonly json: string;
  /**
   * As they go into Parquet: plain types that ClickHouse, Trino and Spark read, and values that mean something.
   *
   * Beside them stand those that say whose the record is, whatever it says itself: its tenant and gateway (origins/judged.ts), and `spool`
   * and `spool_offset`, which no line says and which are its identity.
   */
  readonly selection: string;
  /** Says of a record that it is of no table of this stream, or says nothing of it. */
  readonly hasBadType: string;
}

function lineColumns(stream: LandingKey['stream']): LineColumns {
  const own = tables.filter(({ streams }) => streams.includes(stream));
  const types = own.map(({ type }) => type);
  const columns = [...new Map(own.flatMap((table) => [...columnsOf(table)]))];
  return {
    json: `{${columns.map(([name, { column }]) => `${name}: '${jsonTypes[column]}'`).join(', ')}}`,
    selection: columns
      .filter(([name]) => !Object.hasOwn(tenantFields, name))
      .map(([name, column]) => `${selected(name, column)} AS ${name}`)
      .join(', '),
    hasBadType: `NOT coalesce(${among('type', types)}, false)`,
  };
}

/** Of each stream; logs come in segments and landing objects of their own, and so into files of their own. */
export const columnsOfStream: Readonly<Record<LandingKey['stream'], LineColumns>> = {
  records: lineColumns('records'),
  logs: lineColumns('logs'),
};

/** What DuckDB calls a column when it reads a file of the lake. */
export const parquetType = (column: ColumnType): string =>
  column === 'timestampMs' ? 'TIMESTAMP' : jsonTypes[column];

/** Of every column that a file of the lake may have; one that an older version wrote has fewer. */
export const parquetTypes: ReadonlyMap<string, string> = new Map([
  ...[...lakeColumns].map(([name, { column }]): [string, string] => [name, parquetType(column)]),
  ['spool', 'VARCHAR'],
  ['spool_offset', 'BIGINT'],
  ['refused_because', 'VARCHAR'],
]);

/** Columns without which no question can be put to a file: whose records it holds, of which kind, from when, and which ones. */
export const parquetColumnsNeeded: readonly string[] = [
  'type',
  'org_id',
  'env_id',
  'timestamp',
  'spool',
  'spool_offset',
];
