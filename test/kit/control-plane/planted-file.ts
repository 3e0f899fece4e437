import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TestLake } from './test-lake.ts';

/** What stands in a planted file; its proof is right but for what is given. */
export interface PlantedFile {
  /** Select list of its one row. */
  readonly columns?: string;
  /** Put over the covered range, one for each. */
  readonly covered?: readonly object[];
  /** Of the range that it covers. */
  readonly spool?: string;
  /** Whose folder it lies in; the proof says the same. */
  readonly organization?: string;
  readonly environment?: string;
  /** Below the folder of its day. */
  readonly folder?: string;
}

/** Puts a Parquet file with one row straight into the lake of an environment, as another version or a stranger would; returns its key. */
export async function plantFile(lake: TestLake, wish: PlantedFile): Promise<string> {
  const id = randomUUID();
  const { organization = 'o', environment = 'e', spool = 'e'.repeat(32), folder = '' } = wish;
  const range = { spool, gateway: 'g', hash8: '1a2b3c4d', first: 0, last: 9 };
  const covered = wish.covered?.map((over) => ({ ...range, ...over })) ?? [range];
  const proof = { format: 1, file: id, organization, environment, records: 1, covered };
  const path = join(lake.dir, `${id}.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const metadata = JSON.stringify(proof).replaceAll("'", "''");
  await connection.run(
    `COPY (SELECT ${wish.columns ?? '1 AS timestamp'}) TO '${path}' (FORMAT parquet, KV_METADATA {isthmus: '${metadata}'})`,
  );
  connection.closeSync();
  instance.closeSync();
  const key = `lake/v1/org=${organization}/env=${environment}/ingested=2026-01-01/${folder}${id}.parquet`;
  await lake.blobs.put(key, readFileSync(path));
  return key;
}
