import { METHODS } from 'node:http';
import {
  accessRecordColumns,
  entrypointIds,
  gapReasons,
  recordOutcomes,
  recordTypes,
  type ColumnType,
} from '../../proto/model/access-record.ts';
import { planSecurityTypes } from '../../proto/model/plan.ts';

/** Longest line; the shipper's own bound is half of it. */
export const lineBytesMax = 2 * 1024 * 1024;

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

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const among = (values: readonly string[]): string => `IN (${values.map(literal).join(', ')})`;

/** When a record can be from; beyond, a clock was wrong or somebody lied: 2000 to 2100. */
const timeMs = { min: 946_684_800_000, max: 4_102_444_800_000 };
const isKnown = `type ${among(recordTypes)} AND timestamp BETWEEN ${timeMs.min} AND ${timeMs.max}`;

/**
 * What a line says comes from a gateway and is foreign: where only certain values mean something, no others come into the lake.
 *
 * A record whose kind or time means nothing stays, for a human, as one of type `malformed`, which no question counts; other values
 * that mean nothing become the safe one given here. Nothing here can fail, so a bad line holds up no other.
 */
const judged: ReadonlyMap<string, string> = new Map([
  ['type', `CASE WHEN ${isKnown} THEN type ELSE 'malformed' END`],
  [
    'timestamp',
    `CASE WHEN timestamp BETWEEN ${timeMs.min} AND ${timeMs.max} THEN epoch_ms(timestamp)::TIMESTAMP_MS END`,
  ],
  ['entrypoint_id', orElse('entrypoint_id', among(entrypointIds), 'unknown')],
  ['http_method', orElse('http_method', among(['', ...METHODS]), 'OTHER')],
  ['security_type', orElse('security_type', among(planSecurityTypes), 'OTHER')],
  ['outcome', orElse('outcome', among(recordOutcomes), 'unknown')],
  ['reason', orElse('reason', among(gapReasons), 'unknown')],
  ['status', `CASE WHEN status = 0 OR status BETWEEN 100 AND 999 THEN status END`],
  [
    'error_key',
    `CASE WHEN error_key IS NULL OR regexp_full_match(error_key, '[A-Z][A-Z0-9_]{0,127}') THEN error_key ELSE 'UNKNOWN' END`,
  ],
  ['key_hash8', `CASE WHEN regexp_full_match(key_hash8, '[0-9a-f]{8}') THEN key_hash8 END`],
]);

function orElse(name: string, isAmong: string, otherwise: string): string {
  return `CASE WHEN ${name} IS NULL OR ${name} ${isAmong} THEN ${name} ELSE ${literal(otherwise)} END`;
}

/** A number that JavaScript and every engine can hold, or none. */
const bounded = (name: string): string =>
  `CASE WHEN ${name} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} THEN ${name} END`;

/**
 * The columns as they go into Parquet: plain types that ClickHouse, Trino and Spark read, and values that mean something.
 *
 * Beside them stand `spool` and `spool_offset`, which no line says and which are a record's identity.
 */
export const lakeSelection = Object.entries(lakeColumns)
  .map(([name, type]) => `${judged.get(name) ?? (type === 'text' ? name : bounded(name))} AS ${name}`)
  .join(', ');

/** Says of a line that it cannot be read (then it is left out) or that {@link lakeSelection} makes it `malformed`. */
export const isMalformed = `NOT coalesce(${isKnown}, false)`;

/** What DuckDB says of the columns of such a file when it reads it again. */
export const parquetTypes: ReadonlyMap<string, string> = new Map([
  ...Object.entries(lakeColumns).map(([name, type]): [string, string] => [
    name,
    name === 'timestamp' ? 'TIMESTAMP' : jsonTypes[type],
  ]),
  ['spool', 'VARCHAR'],
  ['spool_offset', 'BIGINT'],
]);
