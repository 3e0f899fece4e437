/**
 * The child process that DuckDB runs in: a query or a file that makes it grow, hang or crash takes nobody with it.
 *
 * One job at a time; the parent kills it when it takes too long.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { invariant } from '../../proto/faults/fault.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { isMalformed, jsonColumns, lakeSelection, literal } from './lake-columns.ts';
import type {
  ConvertInput,
  ConvertJob,
  ConvertResult,
  DuckAnswer,
  DuckJob,
  DuckSettings,
} from './duck-jobs.ts';

closeBuiltIns();

const lineBytesMax = 2 * 1024 * 1024;
const objectBytesMax = 1024 * 1024 * 1024;
const settings = JSON.parse(process.argv[2] ?? '{}') as DuckSettings;
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: `${settings.memoryMegabytesMax}MB`,
  threads: String(settings.threads),
  temp_directory: settings.dir,
  max_temp_directory_size: `${settings.memoryMegabytesMax * 4}MB`,
});
const connection: DuckDBConnection = await instance.connect();
// It reads and writes files in its own folder and nowhere else, and no later statement can change that. In this order:
// the list is no start option, and closes with external access.
await connection.run(`SET allowed_directories = [${literal(settings.dir)}]`);
await connection.run('SET enable_external_access = false');
await connection.run('SET lock_configuration = true');

async function rowsOf(sql: string): Promise<readonly Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowObjectsJson();
}

/** Reads each line once into a table of its own, checks it there, and writes from there: parsing is what costs. */
async function convert(job: ConvertJob): Promise<ConvertResult> {
  const { organization, environment, output } = job;
  const cut: string[] = [];
  try {
    const files = new Map<string, ConvertInput & { readonly wanted: number }>();
    const bad: { path: string; reason: string }[] = [];
    for (const [index, input] of job.inputs.entries()) {
      if (input.keep === undefined) {
        files.set(input.path, { ...input, wanted: input.lines });
        continue;
      }
      const bytes = zstdDecompressSync(readFileSync(input.path), { maxOutputLength: objectBytesMax });
      if (countLines(bytes) !== input.lines) {
        bad.push({ path: input.path, reason: 'its lines are not as many as its key says' });
        continue;
      }
      const path = `${output}.${index}.ndjson`;
      writeFileSync(path, cutLines(bytes, input.keep));
      cut.push(path);
      files.set(path, {
        ...input,
        wanted: input.keep.reduce((sum, { first, last }) => sum + last - first + 1, 0),
      });
    }
    if (bad.length > 0) return { kind: 'refused', bad };
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE batch AS SELECT * FROM read_json([${[...files.keys()].map(literal).join(', ')}], ` +
        `format = 'newline_delimited', ignore_errors = true, filename = true, ` +
        `maximum_object_size = ${lineBytesMax}, columns = ${jsonColumns})`,
    );
    const seen = await rowsOf(
      `SELECT filename, count(*)::DOUBLE AS lines, (count(*) FILTER (type IS NOT NULL AND ` +
        `(org_id IS DISTINCT FROM ${literal(organization)} OR env_id IS DISTINCT FROM ${literal(environment)})))::DOUBLE AS strangers ` +
        `FROM batch GROUP BY filename`,
    );
    const byFile = new Map(seen.map((row) => [String(row['filename']), row]));
    for (const [file, { path, wanted }] of files) {
      const row = byFile.get(file);
      if (Number(row?.['lines'] ?? 0) !== wanted)
        bad.push({ path, reason: 'its lines are not as many as its key says' });
      else if (Number(row?.['strangers']) > 0)
        bad.push({ path, reason: 'it holds records of another tenant' });
    }
    return bad.length > 0 ? { kind: 'refused', bad } : await writeParquet(output);
  } finally {
    await connection.run('DROP TABLE IF EXISTS batch');
    for (const path of cut) rmSync(path, { force: true });
  }
}

async function writeParquet(output: string): Promise<ConvertResult> {
  await connection.run(
    `COPY (SELECT ${lakeSelection} FROM batch WHERE type IS NOT NULL ORDER BY api_id, timestamp) ` +
      `TO ${literal(output)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
  );
  const [row] = await rowsOf(
    `SELECT (count(*) FILTER (type IS NOT NULL))::DOUBLE AS records, (count(*) FILTER (${isMalformed}))::DOUBLE AS malformed, ` +
      `coalesce(min(timestamp) FILTER (NOT ${isMalformed}), 0)::DOUBLE AS min_ms, ` +
      `coalesce(max(timestamp) FILTER (NOT ${isMalformed}), 0)::DOUBLE AS max_ms FROM batch`,
  );
  invariant(row !== undefined, 'an aggregate has a row');
  return {
    kind: 'converted',
    records: Number(row['records']),
    malformed: Number(row['malformed']),
    minMs: Number(row['min_ms']),
    maxMs: Number(row['max_ms']),
  };
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** Keeps lines by their index; ranges are in order. */
function cutLines(bytes: Buffer, keep: readonly { readonly first: number; readonly last: number }[]): Buffer {
  const parts: Buffer[] = [];
  let line = 0;
  let at = 0;
  for (const { first, last } of keep) {
    while (line < first) {
      at = bytes.indexOf(10, at) + 1;
      line += 1;
    }
    const from = at;
    while (line <= last) {
      at = bytes.indexOf(10, at) + 1;
      line += 1;
    }
    parts.push(bytes.subarray(from, at));
  }
  return Buffer.concat(parts);
}

async function run(job: DuckJob): Promise<unknown> {
  switch (job.kind) {
    case 'convert':
      return convert(job);
    case 'query':
      return rowsOf(job.sql);
  }
}

const answer = (message: DuckAnswer): void => void process.send?.(message);
process.on('message', (job: DuckJob) => {
  run(job).then(
    (result) => answer({ kind: 'result', result }),
    (error: unknown) =>
      answer({ kind: 'error', message: error instanceof Error ? error.message : String(error) }),
  );
});
// Without a parent there is nobody to work for.
process.on('disconnect', () => process.exit(0));
answer({ kind: 'ready' });
