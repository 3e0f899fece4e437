import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { land } from '../../test/kit/landing.ts';
import { plantFile } from '../../test/kit/planted-file.ts';
import { createTestLake, recordLines } from '../../test/kit/test-lake.ts';

const database = { create: async () => undefined };
const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
test('a file of the lake that contradicts itself or is of another shape is left out, and holds up no record and no question', async (t) => {
  const lake = await createTestLake(t, database);
  const first = await lake.start();
  await land(lake.blobs, recordLines(3));
  await eventually(async () => (await first.requestsCount(span)).total === 3);
  await first.close();

  await plantFile(lake, { covered: [{}, {}] });
  await plantFile(lake, { covered: [{}, { first: 5, last: 20 }] });
  await plantFile(lake, { covered: [{ gateway: 'g\0' }] });
  await plantFile(lake, { covered: [{ hash8: 'x'.repeat(1_000) }] });
  await plantFile(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp, 7 AS api_id" });
  await plantFile(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp" });

  const second = await lake.start();
  await land(lake.blobs, recordLines(4), { first: 3 });
  await eventually(async () => (await second.requestsCount(span)).total === 7);
  assert.match(await second.metrics.text(), /reconciled_files_total\{outcome="unreadable"\} [6-9]/);
});
