import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { land } from '../../test/kit/control-plane/landing.ts';
import { startNode, withoutFaketime, type HouseProcess } from '../../test/kit/processes/processes.ts';
import { createTestLake, recordLines, type TestLake } from '../../test/kit/control-plane/test-lake.ts';

/* Ingesters in processes of their own: their clocks are wrong, or they are stopped in the midst of their work. */

const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const within = { timeoutMs: 30_000 };
const main = join(import.meta.dirname, '../../test/kit/control-plane/ingester-main.ts');

/** Only what counts lies in the lake, and it counts once. */
async function isExact(lake: TestLake): Promise<boolean> {
  const files = await lake.storage.db.selectFrom('lake_file').select(['state', 'object_key']).execute();
  const named = files.map(({ object_key }) => object_key).toSorted((a, b) => (a < b ? -1 : 1));
  const found = (await lake.keys('lake/')).toSorted((a, b) => (a < b ? -1 : 1));
  return files.every(({ state }) => state === 'live') && JSON.stringify(named) === JSON.stringify(found);
}

for (const database of testDatabases) {
  describe(`ingesters with wrong clocks on ${database.name}`, { skip: database.skip }, () => {
    for (const clock of ['+1h', '+2y', '-1h', '-2y'])
      test(
        `one that died with its clock off by ${clock} keeps nobody waiting longer than its lease`,
        { skip: withoutFaketime },
        async (t) => {
          const lake = await createTestLake(t, database);
          const leaseMs = 3_000;
          await land(lake.blobs, recordLines(7));
          const dead = startNode(
            t,
            [main, lake.dir, 'converted', lake.url ?? '', 'SIGKILL', String(leaseMs)],
            {
              clock,
            },
          );
          assert.equal(await dead.ended, -1, dead.output());
          const diedMs = performance.now();
          const successor = await lake.start({ leaseMs });
          await eventually(async () => (await successor.requestsCount(span)).total === 7, within);
          assert.ok(performance.now() - diedMs < leaseMs + 10_000);
          await eventually(() => isExact(lake), within);
        },
      );

    for (const step of ['named', 'converted', 'durable'] as const)
      test(`one that is stopped past its lease after "${step}" leaves no file behind, and nothing counts twice`, async (t) => {
        const lake = await createTestLake(t, database);
        await land(lake.blobs, recordLines(7));
        const sleeper = startNode(t, [main, lake.dir, step, lake.url ?? '', 'SIGSTOP', '300']);
        await eventually(() => isStopped(sleeper), within);
        const successor = await lake.start({ leaseMs: 300 });
        await eventually(async () => (await successor.requestsCount(span)).total === 7, within);
        await land(lake.blobs, recordLines(3), { first: 7 });
        await eventually(async () => (await successor.requestsCount(span)).total === 10, within);
        sleeper.kill('SIGCONT');
        // It wakes, believes in its lease, is refused, and takes away what it wrote; then whichever of them holds the lease goes on.
        await land(lake.blobs, recordLines(2), { first: 10 });
        await eventually(async () => (await successor.requestsCount(span)).total === 12, within);
        sleeper.kill('SIGTERM');
        assert.equal(await sleeper.ended, 0, sleeper.output());
        await eventually(() => isExact(lake), within);
        assert.equal((await successor.requestsCount(span)).total, 12);
        assert.deepEqual(await lake.events(), []);
      });
  });
}

function isStopped({ pid, isRunning, output }: HouseProcess): boolean {
  if (!isRunning()) throw new Error(output());
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
