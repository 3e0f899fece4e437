import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where a lake lies that a test looks into, past our own queries. */
export interface LakePlace {
  readonly databaseUrl: string | undefined;
  readonly blobDir: string;
}

/**
 * Counts how often each request id stands in the files of the manifest.
 *
 * It reads the manifest and the Parquet files with their own clients, as a stranger would who was given both.
 */
export async function countRequestIds(place: LakePlace): Promise<ReadonlyMap<string, number>> {
  const client = new pg.Client({ connectionString: place.databaseUrl });
  await client.connect();
  const manifest = await client.query<{ object_key: string }>(
    "SELECT object_key FROM lake_file WHERE state = 'live'",
  );
  await client.end();
  const files = manifest.rows.map((row) => join(place.blobDir, row.object_key));
  // Compaction may have replaced a file since the manifest was read; the caller asks again.
  if (files.length === 0 || !files.every((file) => existsSync(file))) return new Map();
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const list = files.map((file) => `'${file}'`).join(', ');
    const answer = await connection.runAndReadAll(
      `SELECT request_id, count(*)::INTEGER AS times FROM read_parquet([${list}]) WHERE type = 'v4-metrics' GROUP BY request_id`,
    );
    return new Map(answer.getRowObjects().map((row) => [String(row['request_id']), Number(row['times'])]));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
