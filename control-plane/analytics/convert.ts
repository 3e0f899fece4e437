import { readFileSync, writeFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { invariant } from '../../proto/faults/fault.ts';
import {
  judgedFields,
  type BadInput,
  type ConvertInput,
  type ConvertJob,
  type ConvertResult,
  type Refused,
} from './duck-jobs.ts';
import { columnsOfStream, isRecord, lineBytesMax, literal } from './lake-columns.ts';
import {
  grantedTable,
  isStranger,
  judgedView,
  malformedType,
  originColumns,
  originValues,
  ownColumns,
  refusedType,
} from './origins/judged.ts';
import { copyOptions, coveredBy, isWhole, type LakeProof } from './proof.ts';
import type { Row } from './questions/question.ts';
import type { OffsetRange } from './ranges.ts';
import { dataFrames, withoutOpenEnds } from './zstd-frames.ts';

/** What a conversion does with DuckDB. */
export interface Sql {
  run(sql: string): Promise<unknown>;
  /** Values are bound to `$name` in the text. */
  rows(sql: string, values?: Readonly<Record<string, string | number>>): Promise<readonly Row[]>;
}

/** A local file whose lines are offsets first to last of one spool. */
interface Piece extends OffsetRange {
  readonly path: string;
  readonly input: ConvertInput;
}

/** Reads each line once into a table of its own, checks it there, and writes from there: parsing is what costs. */
export async function convert(sql: Sql, job: ConvertJob): Promise<ConvertResult> {
  const pieces = job.inputs.flatMap((input, index) => piecesOf(input, `${job.output}.${index}`));
  try {
    await sql.run(
      `CREATE OR REPLACE TEMP TABLE batch AS SELECT * FROM read_json([${pieces.map(({ path }) => literal(path)).join(', ')}], ` +
        `format = 'newline_delimited', ignore_errors = true, filename = true, ` +
        `maximum_object_size = ${lineBytesMax * 2}, columns = ${columnsOfStream[job.stream].json})`,
    );
    const seen = await look(sql, job);
    const bad = job.inputs.flatMap((input) => judge(input, pieces, seen));
    const refused = new Set(bad.map(({ path }) => path));
    const good = pieces.filter(({ input }) => !refused.has(input.path));
    if (good.length === 0) return { kind: 'refused', bad };
    const source = good.map(
      ({ path, input, first }) =>
        `(${literal(path)}, ${literal(input.key.spool)}, ${first - (seen.get(path)?.firstRow ?? 0)}, ${originValues(input.origin)})`,
    );
    await sql.run(
      `CREATE OR REPLACE TEMP TABLE source AS SELECT * FROM (VALUES ${source.join(', ')}) piece(filename, spool, spool_base, ${originColumns})`,
    );
    for (const statement of grantedTable(job.grants)) await sql.run(statement);
    await sql.run(judgedView(job));
    return { ...(await writeParquet(sql, job, good)), refused: await countRefused(sql, good), bad };
  } finally {
    await sql.run('DROP VIEW IF EXISTS judged');
    for (const table of ['batch', 'source', 'granted']) await sql.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

/** The file itself when all of it is wanted as it is, else a file per part. The folder goes with the caller. */
function piecesOf(input: ConvertInput, prefix: string): readonly Piece[] {
  const { path, key, parts, isOdd } = input;
  if (!isOdd && parts.length === 1 && isWhole(key, parts[0]))
    return [{ path, input, first: key.first, last: key.last }];
  // Its lines were counted before, within their bounds.
  const counted = Buffer.concat(
    (dataFrames(readFileSync(path)) ?? []).map((frame) => zstdDecompressSync(frame)),
  );
  const bytes = isOdd ? withoutOpenEnds(counted) : counted;
  const cursor = { line: key.first, at: 0 };
  const skipTo = (line: number): number => {
    for (; cursor.line < line; cursor.line += 1) cursor.at = bytes.indexOf(10, cursor.at) + 1;
    return cursor.at;
  };
  return parts.map(({ first, last }) => {
    const piece = `${prefix}.${first}.ndjson`;
    const from = skipTo(first);
    writeFileSync(piece, bytes.subarray(from, skipTo(last + 1)));
    return { path: piece, input, first, last };
  });
}

interface Seen {
  readonly lines: number;
  readonly records: number;
  readonly strangers: number;
  readonly firstRow: number;
}

async function look(sql: Sql, job: ConvertJob): Promise<ReadonlyMap<string, Seen>> {
  const rows = await sql.rows(
    `SELECT filename, count(*)::DOUBLE AS lines, min(rowid)::DOUBLE AS first_row, ` +
      `(count(*) FILTER (${isRecord}))::DOUBLE AS records, ` +
      `(count(*) FILTER (${isRecord} AND ${isStranger(job)}))::DOUBLE AS strangers FROM batch GROUP BY filename`,
  );
  return new Map(
    rows.map((row) => [
      String(row['filename']),
      {
        lines: Number(row['lines']),
        records: Number(row['records']),
        strangers: Number(row['strangers']),
        firstRow: Number(row['first_row']),
      },
    ]),
  );
}

function judge(
  input: ConvertInput,
  pieces: readonly Piece[],
  seen: ReadonlyMap<string, Seen>,
): readonly BadInput[] {
  let records = 0;
  let strangers = 0;
  for (const { path, first, last } of pieces.filter((piece) => piece.input === input)) {
    const found = seen.get(path);
    // DuckDB passes over empty lines, which no shipper writes.
    if (found?.lines !== last - first + 1)
      return [{ path: input.path, reason: 'its lines are not as many as its key says' }];
    records += found.records;
    strangers += found.strangers;
  }
  // Where some are of this tenant those count, and the others are refused one by one.
  const isForeign = strangers > 0 && strangers === records;
  return isForeign ? [{ path: input.path, reason: 'it holds records of another tenant' }] : [];
}

/** Rows of a table are numbered as they were read, file by file, so a row's number gives its offset. */
async function writeParquet(sql: Sql, job: ConvertJob, pieces: readonly Piece[]) {
  const { selection } = columnsOfStream[job.stream];
  const counts = `verdict NOT IN ('${malformedType}', '${refusedType}')`;
  const [row] = await sql.rows(
    `SELECT count(verdict)::DOUBLE AS records, (count(*) FILTER (verdict IS NULL))::DOUBLE AS line, ` +
      `(count(*) FILTER (verdict = '${malformedType}' AND bad_type))::DOUBLE AS type, ` +
      `(count(*) FILTER (verdict = '${malformedType}' AND NOT bad_type))::DOUBLE AS timestamp, ` +
      `coalesce(min(timestamp) FILTER (${counts}), 0)::DOUBLE AS min_ms, ` +
      `coalesce(max(timestamp) FILTER (${counts}), 0)::DOUBLE AS max_ms FROM judged`,
  );
  invariant(row !== undefined, 'an aggregate has a row');
  const records = Number(row['records']);
  const { file, organization, environment } = job;
  const inputs = new Set(pieces.map(({ input }) => input));
  const covered = [...inputs].flatMap(({ key, parts }) => coveredBy(key, parts));
  const proof: LakeProof = { format: 1, file, organization, environment, records, covered };
  await sql.run(
    `COPY (SELECT ${selection}, ${ownColumns(job)}, spool, spool_base + row_number AS spool_offset FROM judged ` +
      `WHERE verdict IS NOT NULL ORDER BY api_id, timestamp) TO ${literal(job.output)} ${copyOptions(proof)}`,
  );
  return {
    kind: 'converted' as const,
    records,
    malformed: { line: Number(row['line']), type: Number(row['type']), timestamp: Number(row['timestamp']) },
    minMs: Number(row['min_ms']),
    maxMs: Number(row['max_ms']),
  };
}

async function countRefused(sql: Sql, pieces: readonly Piece[]): Promise<readonly Refused[]> {
  const counts = judgedFields.map((field) => `(count(*) FILTER (bad_${field}))::DOUBLE AS ${field}`);
  const rows = await sql.rows(
    `SELECT filename, count(*)::DOUBLE AS records, ${counts.join(', ')} FROM judged WHERE verdict = '${refusedType}' GROUP BY filename`,
  );
  return rows.map((row) => ({
    path: pieces.find(({ path }) => path === row['filename'])?.input.path ?? '',
    records: Number(row['records']),
    fields: judgedFields
      .map((field) => ({ field, records: Number(row[field]) }))
      .filter(({ records }) => records > 0),
  }));
}
