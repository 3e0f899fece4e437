import { Fault } from '../../proto/faults/fault.ts';
import type { Duck } from './duck.ts';
import { literal, parquetColumnsNeeded, parquetTypes } from './lake-columns.ts';
import type { FileFacts, PendingFile } from './lake.store.ts';
import { malformedType, refusedType } from './origins/judged.ts';
import { copyOptions, LakeProof, proofKey, type Covered } from './proof.ts';

type Facts = Omit<FileFacts, 'bytes'>;

/** How DuckDB says that it is the file that is wrong; when it is the disk, the memory or the time, the file may be right. */
export const saysTheFile = /^(Invalid|Binder|Conversion|Not implemented|Serialization|Out of Range)/;

/**
 * What a file of the lake says of itself and holds. `unreadable` when it says nothing, or of another file, or cannot be asked, which
 * stays so; `undecided` when it could not be read now.
 */
export async function readLakeFile(
  duck: Duck,
  path: string,
  file: PendingFile,
): Promise<(Facts & { readonly proof: LakeProof }) | 'unreadable' | 'undecided'> {
  try {
    const [row] = await duck.query(
      `SELECT decode(value) AS text FROM parquet_kv_metadata(${literal(path)}) WHERE decode(key) = ${literal(proofKey)}`,
    );
    const text = row?.['text'];
    if (typeof text !== 'string') return 'unreadable';
    const proof = LakeProof.parse(JSON.parse(text));
    if (!(await isOfTheLake(duck, path))) return 'unreadable';
    const facts = await factsOf(duck, path);
    const isOwn =
      proof.file === file.id &&
      proof.organization === file.organization &&
      proof.environment === file.environment &&
      proof.records === facts.records;
    return isOwn ? { proof, ...facts } : 'unreadable';
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError'))
      return 'unreadable';
    if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    return saysTheFile.test(error.internal ?? '') ? 'unreadable' : 'undecided';
  }
}

/** Whether every value of it can be read; true as well when that cannot be said now. */
export async function isWhole(duck: Duck, path: string): Promise<boolean> {
  try {
    await duck.query(`SELECT bit_xor(hash(t)) FROM read_parquet(${literal(path)}) t`);
    return true;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    return !saysTheFile.test(error.internal ?? '');
  }
}

/** Writes rows of files of the lake into another one, which says what it covers. */
export async function writeLakeFile(
  duck: Duck,
  wish: {
    readonly from: readonly string[];
    /** Which rows; all of them where it is not said. */
    readonly where?: string;
    readonly file: PendingFile;
    readonly covered: readonly Covered[];
    readonly output: string;
  },
): Promise<Facts> {
  const { id, organization, environment } = wish.file;
  const files = `read_parquet([${wish.from.map(literal).join(', ')}], union_by_name = true)`;
  const rows = `FROM ${files} WHERE ${wish.where ?? 'true'}`;
  const [row] = await duck.query(`SELECT count(*)::DOUBLE AS records ${rows}`);
  const records = Number(row?.['records'] ?? 0);
  const proof: LakeProof = {
    format: 1,
    file: id,
    organization,
    environment,
    records,
    covered: [...wish.covered],
  };
  await duck.query(
    `COPY (SELECT * ${rows} ORDER BY api_id, timestamp) TO ${literal(wish.output)} ${copyOptions(proof)}`,
  );
  return factsOf(duck, wish.output);
}

/**
 * Whether questions can read it: they read all files of an environment at once, so one whose columns have other types would make all of
 * them fail. An older version wrote fewer columns, a newer one writes more.
 */
async function isOfTheLake(duck: Duck, path: string): Promise<boolean> {
  const rows = await duck.query(`DESCRIBE SELECT * FROM read_parquet(${literal(path)})`);
  const types = new Map(rows.map((row) => [String(row['column_name']), String(row['column_type'])]));
  return (
    parquetColumnsNeeded.every((name) => types.has(name)) &&
    [...types].every(([name, type]) => (parquetTypes.get(name) ?? type) === type)
  );
}

const counts = `type IS DISTINCT FROM '${malformedType}' AND type IS DISTINCT FROM '${refusedType}'`;

async function factsOf(duck: Duck, path: string): Promise<Facts> {
  const [row] = await duck.query(
    // What no question counts says nothing of when questions should read the file.
    `SELECT count(*)::DOUBLE AS records, coalesce(epoch_ms(min(timestamp) FILTER (${counts})), 0)::DOUBLE AS min_ms, ` +
      `coalesce(epoch_ms(max(timestamp) FILTER (${counts})), 0)::DOUBLE AS max_ms FROM read_parquet(${literal(path)})`,
  );
  const { records, min_ms, max_ms } = row ?? {};
  return { records: Number(records), minMs: Number(min_ms), maxMs: Number(max_ms) };
}
