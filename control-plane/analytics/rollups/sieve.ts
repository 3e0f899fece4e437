import { hash } from 'node:crypto';
import type { Duck } from '../duck.ts';
import { literal } from '../lake-columns.ts';

/** Texts of requests of which there may be as many as requests: no figures tell them apart, and no order of a file says where one is. */
export const sievedColumns = [
  'request_id',
  'transaction_id',
  'remote_address',
  'host',
  'endpoint',
  'user_agent',
  'mapped_path',
] as const;

/** What is asked for: requests that say one of some texts in a column. */
export interface Sieved {
  readonly column: (typeof sievedColumns)[number];
  readonly values: readonly string[];
}

/** With more values than this the files are read. */
export const sievedValuesMax = 100;

/** Rows of a group, of which the least and the most hash are known: one text is in one group, or in none. */
const rowGroupSize = 32_768;
const hashDigits = 8;

/**
 * Writes which texts a file may hold: 32 bits of the MD5 of each, in order, about 2 bytes for each.
 *
 * Two texts may have one hash: a file is then read for nothing, one in some thousand of a million records. Errors: analytics.failed.
 */
export async function writeSieve(
  duck: Duck,
  { requests, output }: { readonly requests: string; readonly output: string },
): Promise<void> {
  const hashes = sievedColumns.map(
    (column) =>
      `SELECT DISTINCT ${literal(column)} AS name, ('0x' || left(md5(${column}), ${hashDigits}))::UINTEGER AS hash ` +
      `FROM (${requests}) WHERE ${column} IS NOT NULL`,
  );
  await duck.query(
    `COPY (SELECT * FROM (${hashes.join(' UNION ALL ')}) ORDER BY name, hash) TO ${literal(output)} ` +
      // Numbers in order are written as what is between them.
      `(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE ${rowGroupSize})`,
  );
}

/** Those of some local sieves whose files may hold what is asked for, all of it. Errors: as of the query. */
export async function passed(
  duck: Pick<Duck, 'query'>,
  paths: readonly string[],
  sieves: readonly Sieved[],
): Promise<ReadonlySet<string>> {
  let left = new Set(paths);
  for (const { column, values } of sieves) {
    if (left.size === 0 || values.length === 0) return new Set();
    const hashes = values.map((value) => Number.parseInt(hash('md5', value).slice(0, hashDigits), 16));
    const rows = await duck.query(
      `SELECT DISTINCT filename AS path FROM read_parquet([${[...left].map(literal).join(', ')}], filename = true) ` +
        `WHERE name = ${literal(column)} AND hash IN (${hashes.join(', ')})`,
    );
    left = new Set(rows.map((row) => String(row['path'])));
  }
  return left;
}
