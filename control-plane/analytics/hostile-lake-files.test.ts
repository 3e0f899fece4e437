import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { eventually } from '../../test/kit/eventually.ts';
import { land } from '../../test/kit/landing.ts';
import { createTestLake, recordLines, type TestLake } from '../../test/kit/test-lake.ts';

const database = { create: async () => undefined };
const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const spool = 'e'.repeat(32);

/** Puts a Parquet file with one row straight into the lake of an environment; its proof is right but for what is given. */
async function plant(
  lake: TestLake,
  wish: { readonly columns?: string; readonly covered?: readonly object[] },
): Promise<void> {
  const id = randomUUID();
  const range = { spool, gateway: 'g', hash8: '1a2b3c4d', first: 0, last: 9 };
  const proof = {
    format: 1,
    file: id,
    organization: 'o',
    environment: 'e',
    records: 1,
    covered: wish.covered?.map((over) => ({ ...range, ...over })) ?? [range],
  };
  const path = join(lake.dir, `${id}.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const metadata = JSON.stringify(proof).replaceAll("'", "''");
  await connection.run(
    `COPY (SELECT ${wish.columns ?? '1 AS timestamp'}) TO '${path}' (FORMAT parquet, KV_METADATA {isthmus: '${metadata}'})`,
  );
  connection.closeSync();
  instance.closeSync();
  await lake.blobs.put(`lake/v1/org=o/env=e/ingested=2026-01-01/${id}.parquet`, readFileSync(path));
}

test('a file of the lake that contradicts itself or is of another shape is left out, and holds up no record and no question', async (t) => {
  const lake = await createTestLake(t, database);
  const first = await lake.start();
  await land(lake.blobs, recordLines(3));
  await eventually(async () => (await first.requestsCount(span)).total === 3);
  await first.close();

  await plant(lake, { covered: [{}, {}] });
  await plant(lake, { covered: [{}, { first: 5, last: 20 }] });
  await plant(lake, { covered: [{ gateway: 'g\0' }] });
  await plant(lake, { covered: [{ hash8: 'x'.repeat(1_000) }] });
  await plant(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp, 7 AS api_id" });
  await plant(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp" });

  const second = await lake.start();
  await land(lake.blobs, recordLines(4), { first: 3 });
  await eventually(async () => (await second.requestsCount(span)).total === 7);
  assert.match(await second.metrics.text(), /reconciled_files_total\{outcome="unreadable"\} [6-9]/);
});
