import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LRUCache } from 'lru-cache';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, spoolName } from '../../../test/kit/control-plane/landing.ts';
import {
  createTestLake,
  lakeParts,
  recordLines,
  type TestLake,
} from '../../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import { openLake } from '../lake.ts';
import { deletionRow, insertDeletion } from './deletions.store.ts';
import { EndedRanges } from './ended-ranges.ts';
import { endQuarantined } from './quarantined.ts';
import { chooseDays, RetentionStore } from './retention.store.ts';

const at = { organization: 'o', environment: 'e' };
const within = { timeoutMs: 60_000, everyMs: 20 };
const dayMs = 86_400_000;
const tenants = ['a', 'b', 'c'];

/** A lake's bucket, and of which environments it was asked what they have beside the lake since that was last asked. */
function watched(lake: TestLake): { readonly blobs: BlobStore; listed(): readonly string[] } {
  const prefixes: string[] = [];
  const list: BlobStore['list'] = (prefix, options) => {
    if (/^(?:quarantine|ended)\//.test(prefix)) prefixes.push(prefix);
    return lake.blobs.list(prefix, options);
  };
  const listed = (): readonly string[] =>
    prefixes.splice(0).map((prefix) => /\/env=([^/]*)\//.exec(prefix)?.[1] ?? prefix);
  return { blobs: { ...lake.blobs, list }, listed };
}

test('notes are looked for where some may be too old, and no further than as many as go at once', async (t) => {
  const { blobs, listed } = watched(await createTestLake(t, sqlite));
  const ended = new EndedRanges(blobs);
  const range = { spool: spoolName(1), gateway: 'g', hash8: '', first: 0, last: 9 };
  for (const [n, environment] of tenants.entries())
    for (const atMs of [1_000, 2_000 + n]) await ended.note({ ...at, environment }, [range], atMs);
  assert.equal(await ended.forget(1_500, 1), 1);
  assert.deepEqual(listed(), ['a']);
  assert.equal(await ended.forget(1_500, 100), 2);
  assert.deepEqual(listed(), ['b', 'c']);
  assert.equal(await ended.forget(2_000, 100), 0);
  assert.deepEqual(listed(), []);
  await ended.note({ ...at, environment: 'c' }, [range], 3_000);
  assert.equal(await ended.forget(2_002, 100), 2);
  assert.deepEqual(listed(), ['a', 'b']);
});

test('quarantine is looked through where something may have had its time', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const { blobs, listed } = watched(lake);
  const put = async (environment: string, days: number): Promise<void> => {
    const key = `quarantine/landing/v1/org=o/env=${environment}/fleet=f/${days}`;
    await lake.blobs.put(key, Buffer.from('x'));
    const writtenS = (Date.now() - days * dayMs) / 1_000;
    await utimes(join(lake.dir, 'bucket', key), writtenS, writtenS);
  };
  for (const [n, environment] of tenants.entries())
    for (const days of [40, 20 + n]) await put(environment, days);
  const parts = lakeParts(lake, { recordsKeptDays: 30 });
  const { store } = await openLake(parts);
  const retention = new RetentionStore(lake.storage, store, parts.settings);
  const log = createLog({ name: 'test', level: 'silent' });
  const oldest = new LRUCache<string, number>({ max: 10 });
  const end = (days = 0): Promise<boolean> => {
    const clock = { ...systemClock, now: () => Date.now() + days * dayMs };
    return endQuarantined({ blobs, clock, log }, retention, oldest);
  };
  assert.equal(await end(), false);
  assert.deepEqual(listed(), tenants);
  assert.equal((await lake.keys('quarantine/')).length, tenants.length);
  await end();
  assert.deepEqual(listed(), []);
  // What comes is younger than what is there.
  await put('a', 0);
  await end(5);
  assert.deepEqual(listed(), []);
  await end(9);
  assert.deepEqual(listed(), ['c']);
  const chosen = { records: 1, logs: undefined, nowMs: 1 };
  await lake.storage.transaction((trx) => chooseDays(trx, { ...at, environment: 'a' }, chosen));
  await end();
  assert.deepEqual(listed(), ['a'], 'what an environment has chosen since counts');
  assert.equal((await lake.keys('quarantine/')).length, 2);
});

test('a deletion whose time is over reads an object in quarantine once, however long it waits for its end', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await land(lake.blobs, recordLines(3), { spool: spoolName(1) });
  await land(lake.blobs, recordLines(3), { spool: spoolName(2), count: 4 });
  const ingester = await lake.start({ retireEveryMs: 3_600_000 });
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await ingester.close();
  assert.equal((await lake.keys('quarantine/')).length, 1);
  const nowMs = Date.now();
  const subject = { id: 'd', subject: 'APPLICATION', value: 'gone', from_ms: null, to_ms: nowMs } as const;
  const asked = { asked_by: 'u', asked_at_ms: nowMs, late_until_ms: nowMs + dayMs };
  await lake.storage.transaction((trx) => insertDeletion(trx, { ...at, ...subject, ...asked }));
  const { blobs, listed } = watched(lake);
  let [rounds, reads] = [0, 0];
  const counting: BlobStore = {
    ...blobs,
    folders: (prefix, depth) => {
      rounds += 1;
      return blobs.folders(prefix, depth);
    },
    get: (key, options) => {
      if (key.startsWith('quarantine/')) reads += 1;
      return blobs.get(key, options);
    },
  };
  // Nothing that is replaced leaves the bucket.
  await lake.start({ retireEveryMs: 1, ingestEveryMs: 1, graceMs: 3_600_000 }, { blobs: counting });
  const isState = (state: string) => async (): Promise<boolean> =>
    (await deletionRow(lake.storage.db, at, 'd'))?.state === state;
  await eventually(isState('WATCHING'), within);
  assert.equal(reads, 1);
  const left = { state: 'retired', swept: 0, changed_at_ms: nowMs } as const;
  await lake.storage.db.updateTable('lake_file').set(left).execute();
  await lake.storage.db
    .updateTable('lake_deletion')
    .set({ late_until_ms: nowMs } as never)
    .execute();
  listed();
  const before = rounds;
  await eventually(() => rounds > before + 40, within);
  assert.ok(await isState('WATCHING')());
  const looks = listed().length;
  // One look at each of the two streams.
  assert.ok(looks <= 2 + 2, `it was looked through ${looks} times`);
  assert.equal(reads, 1);
  await lake.storage.db.updateTable('lake_file').set({ state: 'live' }).execute();
  await eventually(isState('DONE'), within);
});
