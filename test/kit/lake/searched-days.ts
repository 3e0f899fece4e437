import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Condition } from '../../../control-plane/analytics/questions/conditions.ts';
import { foundCalls } from '../../../control-plane/analytics/questions/log-questions.ts';
import type { Beside } from '../../../control-plane/analytics/rollups/rollup-file.ts';
import { eventually } from '../eventually.ts';
import { land } from '../control-plane/landing.ts';
import type { TestAnalytics, TestLake } from '../control-plane/test-lake.ts';
import { always, hourMs, ours, rolling, startMs, within } from './rolled-lake.ts';

/** Days of which each becomes a file of the lake, in which something is searched for. */
export const days = 3;
/** When one of them begins. */
export const dayOf = (n: number): number => startMs + n * 24 * hourMs;

/** Lands the records of each day. */
export async function landDays(lake: TestLake, linesOf: (day: number) => readonly string[]): Promise<void> {
  for (let day = 0; day < days; day += 1)
    await land(lake.blobs, linesOf(day), { ...ours, spool: String(day).padStart(32, '0') });
}

/** A text in the URI. */
export const contains = (text: string): Condition => ({ by: 'URI', operator: 'CONTAINS', values: [text] });

/** Where something of a kind lies beside files of the lake. */
export const besideKeys = async (lake: TestLake, beside: Exclude<Beside, 'rollup'>) =>
  (await lake.keys('rollups/')).filter((key) => key.endsWith(`.${beside}`));

/** The files of the days before one go from the bucket, unknown to the manifest. */
export async function loseDaysBefore(lake: TestLake, day: number): Promise<void> {
  const files = await lake.storage.db
    .selectFrom('lake_file')
    .select('object_key')
    .where('min_ms', '<', dayOf(day))
    .execute();
  for (const { object_key } of files) await lake.blobs.delete(object_key);
}

/**
 * Of the days' files one has nothing beside it yet, of one it is gone, of the others it is damaged: who reads alone passes a check all the same, and so
 * does who mends, before and after everything is what it was; a search is what shows it the damage.
 */
export async function assertMended(
  lake: TestLake,
  {
    beside,
    search,
    check,
  }: {
    readonly beside: Exclude<Beside, 'rollup'>;
    readonly search: readonly Condition[];
    readonly check: (analytics: TestAnalytics) => Promise<void>;
  },
): Promise<void> {
  await lake.storage.db
    .updateTable('lake_file')
    .set({ rollup: null })
    .where('max_ms', '<', dayOf(1))
    .execute();
  const keys = await besideKeys(lake, beside);
  assert.equal(keys.length, days);
  const good = await Promise.all(keys.map(async (key) => lake.blobs.get(key)));
  for (const [n, key] of keys.entries())
    if (n === 0) await lake.blobs.delete(key);
    else await lake.blobs.put(key, Buffer.alloc(good[n]?.length ?? 0, 0x55));
  await check(await lake.start({ ...rolling, ingest: false }, { dir: join(lake.dir, 'elsewhere') }));
  const mender = await lake.start(rolling, { dir: join(lake.dir, 'mender') });
  await check(mender);
  const { question, params } = foundCalls(search, 25);
  await eventually(async () => {
    await mender.ask(question, always, params);
    const now = await Promise.all(keys.map(async (key) => lake.blobs.get(key)));
    return now.every(
      (bytes, n) => bytes !== undefined && Buffer.from(bytes).equals(good[n] ?? new Uint8Array()),
    );
  }, within);
  await check(mender);
  assert.deepEqual(await lake.events(), [], 'nothing of it is a record that is missing');
}
