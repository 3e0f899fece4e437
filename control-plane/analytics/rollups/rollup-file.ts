import { rm } from 'node:fs/promises';
import { customMetrics } from '../../../proto/model/access-record.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Duck } from '../duck.ts';
import { literal } from '../lake-columns.ts';
import { customNamesSql } from '../questions/conditions.ts';
import { from } from '../questions/from.ts';
import {
  binOf,
  type Cube,
  cubes,
  numberColumns,
  rollupColumns,
  rollupFormat,
  rowsPerRecordMax,
} from './cubes.ts';

/** Where figures of files lie, of this version and of others. */
export const rollupFolder = 'rollups/';
/** Where those of this version do, each below the rest of the file's own key. */
const rollupPrefix = `${rollupFolder}v${rollupFormat}/`;
const lakePrefix = 'lake/v1/';

/** What lies beside a file of the lake: its figures, its sieve (sieve.ts), and its narrow copy (narrow.ts). */
export const besides = ['rollup', 'sieve', 'narrow'] as const;
/** One of those. */
export type Beside = (typeof besides)[number];

/** Where that of a file of the lake lies. */
export const besideKey = (beside: Beside, key: string): string =>
  `${rollupPrefix}${key.slice(lakePrefix.length)}${beside === 'rollup' ? '' : `.${beside}`}`;
const besideEnd = new RegExp(`\\.(?:${besides.join('|')})$`);

/** The file beside which something lies; undefined of what another version wrote. */
export function keyOfRollup(key: string): string | undefined {
  const own = key.replace(besideEnd, '');
  return own.startsWith(rollupPrefix) ? `${lakePrefix}${own.slice(rollupPrefix.length)}` : undefined;
}

/**
 * Deletes a file of the lake from the bucket, its figures first: whoever has the file deleted leaves nothing of what it said.
 *
 * Errors: blobs.unavailable; to be repeated until it succeeds.
 */
export async function deleteLakeFile(blobs: BlobStore, key: string): Promise<void> {
  if (key.startsWith(lakePrefix)) await deleteFigures(blobs, key);
  await blobs.delete(key);
}

/** Deletes what lies beside a file of the lake and tells of it. Errors: blobs.unavailable. */
export async function deleteFigures(blobs: BlobStore, key: string): Promise<void> {
  for (const beside of besides) await blobs.delete(besideKey(beside, key));
}

/** Rows of each cube that a file of cubes holds, by its name. */
export type CubeRows = Readonly<Record<string, number>>;

/** A row of a cube is found by its column's least and most in a group of rows. */
const rowGroupSize = 16_384;
/** As late as DuckDB can tell. */
const everMs = 8_640_000_000_000_000;

/** The requests of a file, as questions see them. */
export const requestsIn = (path: string, at: EnvironmentRef): string =>
  from({ ...at, fromMs: 0, toMs: everMs }, { about: 'requests', paths: [path] });

/**
 * Writes the figures of one file of the lake into another; resolves to what it holds.
 *
 * A cube that would hardly be smaller than the file is left out: what it would answer is asked of the file. Errors: analytics.failed.
 */
export async function writeRollup(
  duck: Duck,
  {
    requests,
    output,
    at,
  }: { readonly requests: string; readonly output: string; readonly at: EnvironmentRef },
): Promise<CubeRows> {
  const [sizes = {}] = await duck.query(
    `SELECT count(*)::DOUBLE AS records, ${cubes.map((cube, n) => `${sizeOf(cube)}::DOUBLE AS c${n}`).join(', ')} FROM (${requests})`,
  );
  const records = Number(sizes['records']);
  const kept = cubes.filter(({ holds }, n) => Number(sizes[`c${n}`]) <= records * rowsPerRecordMax[holds]);
  const none = `SELECT ${[...rollupColumns].map(([name, type]) => `NULL::${type} AS ${name}`).join(', ')} WHERE false`;
  // One after the other, since each may need all the memory that there is.
  const parts: string[] = [];
  for (const rows of kept.flatMap((cube) => rowsOf(cube, requests))) {
    const part = `${output}.${parts.length}`;
    await duck.query(`COPY (${rows} ORDER BY ALL) TO ${literal(part)} (FORMAT parquet)`);
    parts.push(part);
  }
  const all =
    parts.length === 0
      ? none
      : `SELECT * FROM read_parquet([${parts.map(literal).join(', ')}], union_by_name = true) UNION ALL BY NAME ${none}`;
  const tenant = `* REPLACE (${literal(at.organization)} AS org_id, ${literal(at.environment)} AS env_id)`;
  await duck.query(
    `COPY (SELECT ${tenant} FROM (${all})) TO ${literal(output)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize})`,
  );
  for (const part of parts) await rm(part, { force: true });
  const found = await duck.query(
    `SELECT cube, count(*)::DOUBLE AS rows FROM read_parquet(${literal(output)}) GROUP BY cube`,
  );
  const counted = new Map(found.map((row) => [String(row['cube']), Number(row['rows'])]));
  return Object.fromEntries(kept.map(({ name }) => [name, counted.get(name) ?? 0]));
}

const stepOf = ({ stepMs }: Cube): string =>
  stepMs === undefined
    ? 'NULL::TIMESTAMP'
    : `epoch_ms(epoch_ms(timestamp) // ${stepMs} * ${stepMs})::TIMESTAMP`;

/** About how many rows it would have. */
function sizeOf(cube: Cube): string {
  const keys = [...cube.by, ...(cube.stepMs === undefined ? [] : [stepOf(cube)])];
  const distinct = (more: readonly string[]): string =>
    `approx_count_distinct(hash(${[...keys, ...more, '0'].join(', ')}))`;
  switch (cube.holds) {
    case 'sums':
      return distinct([]);
    case 'bins':
      // Each by itself: a latency has a tenth of the bins of a time, and an estimate is an eighth off now and then.
      return `(${cube.numbers.map((number) => distinct([binOf(number)])).join(' + ')})`;
    case 'names':
      return distinct([customNamesSql]);
  }
}

/** Its rows, as one SELECT or several. */
function rowsOf(cube: Cube, requests: string): readonly string[] {
  const { name, holds, by, numbers } = cube;
  const keys = [`${literal(name)} AS cube`, ...by, `${stepOf(cube)} AS timestamp`].join(', ');
  switch (holds) {
    case 'sums': {
      const figures = numbers.map((number) => {
        const { count, sum, least, most } = numberColumns(number);
        return `count(${number}) AS ${count}, sum(${number})::DOUBLE AS ${sum}, min(${number}) AS ${least}, max(${number}) AS ${most}`;
      });
      return [`SELECT ${keys}, count(*) AS requests, ${figures.join(', ')} FROM (${requests}) GROUP BY ALL`];
    }
    case 'bins':
      return numbers.map(
        (number) =>
          `SELECT ${keys}, ${literal(number)} AS number, ${binOf(number)} AS bin, count(*) AS requests, sum(${number})::DOUBLE AS sum, ` +
          `min(${number}) AS least, max(${number}) AS most FROM (${requests}) GROUP BY ALL`,
      );
    case 'names':
      return [
        `SELECT ${keys}, name, count(*) AS requests FROM (SELECT *, unnest(${customNamesSql}) AS name ` +
          `FROM (${requests}) WHERE custom_metrics IS NOT NULL) WHERE length(name) BETWEEN 1 AND ${customMetrics.nameCharsMax} GROUP BY ALL`,
      ];
  }
}
