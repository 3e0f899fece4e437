import { readFileSync, writeFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { invariant } from '../../proto/faults/fault.ts';
import type { BadInput, ConvertInput, ConvertJob, ConvertResult } from './duck-jobs.ts';
import { columnsOfStream, lineBytesMax, literal } from './lake-columns.ts';
import { coveredBy, isWhole, proofKey, type LakeProof } from './proof.ts';
import type { Row } from './questions/question.ts';
import type { OffsetRange } from './ranges.ts';
import { dataFrames } from './zstd-frames.ts';

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
        `(${literal(path)}, ${literal(input.key.spool)}, ${first - (seen.get(path)?.firstRow ?? 0)})`,
    );
    await sql.run(
      `CREATE OR REPLACE TEMP TABLE source AS SELECT * FROM (VALUES ${source.join(', ')}) piece(filename, spool, spool_base)`,
    );
    return { ...(await writeParquet(sql, job, refused)), bad };
  } finally {
    await sql.run('DROP TABLE IF EXISTS batch');
    await sql.run('DROP TABLE IF EXISTS source');
  }
}

/** The file itself when all of it is wanted, else a file per part. The folder goes with the caller. */
function piecesOf(input: ConvertInput, prefix: string): readonly Piece[] {
  const { path, key, parts } = input;
  if (parts.length === 1 && isWhole(key, parts[0]))
    return [{ path, input, first: key.first, last: key.last }];
  // Its lines were counted before, within their bounds.
  const bytes = Buffer.concat(
    (dataFrames(readFileSync(path)) ?? []).map((frame) => zstdDecompressSync(frame)),
  );
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
  readonly strangers: number;
  readonly firstRow: number;
}

async function look(sql: Sql, { organization, environment }: ConvertJob): Promise<ReadonlyMap<string, Seen>> {
  const rows = await sql.rows(
    `SELECT filename, count(*)::DOUBLE AS lines, min(rowid)::DOUBLE AS first_row, (count(*) FILTER (type IS NOT NULL AND ` +
      `(org_id IS DISTINCT FROM ${literal(organization)} OR env_id IS DISTINCT FROM ${literal(environment)})))::DOUBLE AS strangers ` +
      `FROM batch GROUP BY filename`,
  );
  return new Map(
    rows.map((row) => [
      String(row['filename']),
      {
        lines: Number(row['lines']),
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
  for (const { path, first, last } of pieces.filter((piece) => piece.input === input)) {
    const found = seen.get(path);
    // DuckDB passes over empty lines, which no shipper writes.
    if (found?.lines !== last - first + 1)
      return [{ path: input.path, reason: 'its lines are not as many as its key says' }];
    if (found.strangers > 0) return [{ path: input.path, reason: 'it holds records of another tenant' }];
  }
  return [];
}

/** Rows of a table are numbered as they were read, file by file, so a row's number gives its offset. */
async function writeParquet(sql: Sql, job: ConvertJob, refused: ReadonlySet<string>) {
  const { selection, isMalformed } = columnsOfStream[job.stream];
  const [row] = await sql.rows(
    `SELECT (count(*) FILTER (type IS NOT NULL))::DOUBLE AS records, (count(*) FILTER (${isMalformed}))::DOUBLE AS malformed, ` +
      `coalesce(min(timestamp) FILTER (NOT ${isMalformed}), 0)::DOUBLE AS min_ms, ` +
      `coalesce(max(timestamp) FILTER (NOT ${isMalformed}), 0)::DOUBLE AS max_ms FROM batch SEMI JOIN source USING (filename)`,
  );
  invariant(row !== undefined, 'an aggregate has a row');
  const records = Number(row['records']);
  const { file, organization, environment } = job;
  const good = job.inputs.filter(({ path }) => !refused.has(path));
  const covered = good.flatMap(({ key, parts }) => coveredBy(key, parts));
  const proof: LakeProof = { format: 1, file, organization, environment, records, covered };
  await sql.run(
    `COPY (SELECT ${selection}, spool, spool_base + batch.rowid AS spool_offset FROM batch JOIN source USING (filename) ` +
      `WHERE type IS NOT NULL ORDER BY api_id, timestamp) TO ${literal(job.output)} (FORMAT parquet, COMPRESSION zstd, ` +
      `ROW_GROUP_SIZE 122880, KV_METADATA {${proofKey}: ${literal(JSON.stringify(proof))}})`,
  );
  return {
    kind: 'converted' as const,
    records,
    malformed: Number(row['malformed']),
    minMs: Number(row['min_ms']),
    maxMs: Number(row['max_ms']),
  };
}
