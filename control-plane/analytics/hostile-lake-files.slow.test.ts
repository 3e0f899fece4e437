import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { sqlite, testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { land, landBytes } from '../../test/kit/control-plane/landing.ts';
import { plantFile } from '../../test/kit/control-plane/planted-file.ts';
import { createTestLake, recordLines, type TestLake } from '../../test/kit/control-plane/test-lake.ts';
import { rebuildLake } from './reconcile/rebuild.ts';
import { unreadableFilesMax } from './reconcile/reconcile.store.ts';
import { analyticsSettings } from './settings.ts';

// Each look is a question, which costs more than a look at a variable.
const within = { timeoutMs: 20_000, everyMs: 100 };
const span = { organization: 'o', environment: 'e', api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
test('a file of the lake that contradicts itself or is of another shape is left out, and holds up no record and no question', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const first = await lake.start();
  await land(lake.blobs, recordLines(3));
  await eventually(async () => (await first.requestsCount(span)).total === 3, within);
  await first.close();

  await plantFile(lake, { covered: [{}, {}] });
  await plantFile(lake, { covered: [{}, { first: 5, last: 20 }] });
  await plantFile(lake, { covered: [{ gateway: 'g\0' }] });
  await plantFile(lake, { covered: [{ hash8: 'x'.repeat(1_000) }] });
  await plantFile(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp, 7 AS api_id" });
  await plantFile(lake, { columns: "TIMESTAMP '2026-01-01' AS timestamp" });

  const second = await lake.start();
  await land(lake.blobs, recordLines(4), { first: 3 });
  await eventually(async () => (await second.requestsCount(span)).total === 7, within);
  assert.match(await second.metrics.text(), /reconciled_files_total\{outcome="unreadable"\} [6-9]/);
});

/** A bucket that notes which files of the lake are read. */
function watched(lake: TestLake): { readonly blobs: TestLake['blobs']; readonly read: string[] } {
  const read: string[] = [];
  const get: TestLake['blobs']['get'] = async (key, options) => {
    if (key.startsWith('lake/')) read.push(key);
    return lake.blobs.get(key, options);
  };
  return { blobs: { ...lake.blobs, get }, read };
}

test('a file that cannot be read is read once, again when it has changed or a human asks, and forgotten when it is gone', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const keys: string[] = [];
  for (let n = 0; n < 5; n++) keys.push(await plantFile(lake, {}));
  const cut = keys[4]?.replace(/[0-9a-f]{8}-/, 'cafecafe-') ?? '';
  await lake.blobs.put(cut, Buffer.from('half of a file'));
  const starts = async (): Promise<number> => {
    const { blobs, read } = watched(lake);
    const analytics = await lake.start({}, { blobs });
    await eventually(async () => /outcome="unreadable"\} \d/.test(await analytics.metrics.text()), within);
    await land(lake.blobs, recordLines(1), { spool: randomBytes(16).toString('hex') });
    await eventually(async () => (await lake.keys('landing/')).length === 0, within);
    await analytics.close();
    return read.length;
  };
  assert.equal(await starts(), 6);
  assert.equal(await starts(), 0);

  const [changed = '', gone = ''] = keys;
  await lake.blobs.put(changed, Buffer.from('PAR1 changed PAR1'));
  await lake.blobs.delete(gone);
  assert.equal(await starts(), 1);
  const known = await lake.storage.db.selectFrom('unreadable_file').select('object_key').execute();
  assert.deepEqual(
    new Set(known.map(({ object_key }) => object_key)),
    new Set([...keys.filter((key) => key !== gone), cut]),
  );

  // A newer version may read what this one does not.
  await lake.storage.db.updateTable('unreadable_file').set({ judge: 'older' }).execute();
  assert.equal(await starts(), 5);
  const { blobs, read } = watched(lake);
  const rebuilt = await rebuildLake({
    storage: lake.storage,
    blobs,
    dir: join(lake.dir, 'analytics'),
    settings: analyticsSettings.parse({ leaseMs: 100 }),
    log: createLog({ name: 'test', level: 'silent' }),
    clock: systemClock,
    isDryRun: false,
  });
  assert.equal(rebuilt.unreadable, 5);
  assert.equal(read.length, 5);
});

test('files that are remembered as unreadable are bounded; one more is read again at each look', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const rows = Array.from({ length: unreadableFilesMax - 1 }, (_, n) => ({
    object_key: `lake/v1/org=z/env=z/ingested=2026-01-01/${n}`,
    byte_count: 1,
    judge: 'older',
    judged_at_ms: 1,
  }));
  for (let from = 0; from < rows.length; from += 500)
    await lake.storage.db
      .insertInto('unreadable_file')
      .values(rows.slice(from, from + 500))
      .execute();
  for (let n = 0; n < 3; n++) await plantFile(lake, {});
  const keys = await lake.keys('lake/');
  const start = async (): Promise<readonly string[]> => {
    const { blobs, read } = watched(lake);
    const analytics = await lake.start({}, { blobs });
    await eventually(async () => /outcome="unreadable"\} [3-9]/.test(await analytics.metrics.text()), within);
    await analytics.close();
    return read;
  };
  assert.deepEqual(new Set(await start()), new Set(keys));
  const known = await lake.storage.db.selectFrom('unreadable_file').select('object_key').execute();
  assert.equal(known.length, unreadableFilesMax);
  const remembered = new Set(known.map(({ object_key }) => object_key));
  assert.deepEqual(new Set(await start()), new Set(keys.filter((key) => !remembered.has(key))));
});

for (const database of testDatabases)
  test(
    `many landing objects in quarantine are a bounded number of events, which count what they do not tell (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const lake = await createTestLake(t, database);
      const junk = Buffer.from('junk');
      let landed = 0;
      const start = async (count: number, atMs: number): Promise<void> => {
        for (let n = 0; n < count; n++, landed++)
          await landBytes(lake.blobs, { first: landed, last: landed }, () => junk);
        const clock = { ...systemClock, now: () => atMs };
        const analytics = await lake.start({ quarantineEventsPerHourMax: 5 }, { clock });
        await eventually(async () => (await lake.keys('landing/')).length === 0, within);
        await analytics.close();
      };
      const hourMs = 3_600_000;
      const atMs = 500_000 * hourMs + 1;
      await landBytes(lake.blobs, { first: 0, last: 0, environment: 'quiet' }, () => junk);
      await start(12, atMs);
      // A restart does not begin to count anew; the next hour does.
      await start(3, atMs + hourMs / 2);
      const told = 'records.quarantined it does not say whose lines it holds';
      const untold = 'records.quarantined 10 more, not told one by one';
      const events = Array.from({ length: 6 }, () => told);
      assert.deepEqual(await lake.events(), [untold, ...events]);
      await start(2, atMs + hourMs);
      assert.deepEqual(await lake.events(), [untold, ...events, told, told]);
      assert.equal((await lake.keys('quarantine/landing/')).length, 18);
    },
  );

const other = { ...span, organization: 'other' };

test('a file of the lake that cannot be fetched stops no ingestion, and counts once it can be', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const before = await createTestLake(t, sqlite);
  await land(before.blobs, recordLines(2), { spool: 'b'.repeat(32) });
  const writer = await before.start();
  await eventually(async () => (await writer.requestsCount(span)).total === 2, within);
  await writer.close();
  const [archived = ''] = await before.keys('lake/');
  await lake.blobs.put(archived, (await before.blobs.get(archived)) ?? new Uint8Array());
  const get: TestLake['blobs']['get'] = async (key, options) => {
    if (key === archived) throw new Fault('blobs.unavailable', { internal: 'InvalidObjectState 403' });
    return lake.blobs.get(key, options);
  };
  const first = await lake.start({}, { blobs: { ...lake.blobs, get } });
  await land(lake.blobs, recordLines(4));
  await land(lake.blobs, recordLines(3, { org_id: 'other' }), { organization: 'other' });
  await eventually(async () => (await first.requestsCount(other)).total === 3, within);
  await eventually(async () => (await first.requestsCount(span)).total === 4, within);
  await first.close();
  const second = await lake.start();
  await eventually(async () => (await second.requestsCount(span)).total === 6, within);
});

test('a file of the lake that is cut or garbled in the bucket is left out and told of; the others answer', async (t) => {
  const damages: readonly ((whole: Uint8Array) => Uint8Array)[] = [
    (whole) => whole.subarray(0, whole.length >> 1),
    (whole) => Buffer.concat([whole.subarray(0, 60), Buffer.alloc(whole.length - 260), whole.subarray(-200)]),
  ];
  for (const damaged of damages) {
    const lake = await createTestLake(t, sqlite);
    await land(lake.blobs, recordLines(5));
    const first = await lake.start();
    await eventually(async () => (await first.requestsCount(span)).total === 5, within);
    await first.close();
    const [key = ''] = await lake.keys('lake/');
    await lake.blobs.put(key, damaged((await lake.blobs.get(key)) ?? new Uint8Array()));
    rmSync(join(lake.dir, 'analytics'), { recursive: true, force: true });
    const second = await lake.start();
    await land(lake.blobs, recordLines(3), { first: 5 });
    // Until the ingester has looked at it questions may fail.
    const total = () =>
      second.requestsCount(span).then(
        (answer) => answer.total,
        () => undefined,
      );
    await eventually(async () => (await total()) === 3, within);
    assert.deepEqual(await lake.keys(key), [key]);
    assert.match((await lake.events()).join(), /records.file_missing/);
    // What it held counts again where it comes again.
    await land(lake.blobs, recordLines(5));
    await eventually(async () => (await total()) === 8, within);
    await second.close();
  }
});
