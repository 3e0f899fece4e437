import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { sql } from 'kysely';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, spoolName } from '../../../test/kit/control-plane/landing.ts';
import { plantFile } from '../../../test/kit/control-plane/planted-file.ts';
import { createTestLake, recordLines, type TestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import { readRows, userTables } from '../../storage/tables-dump.ts';
import { dataFrames } from '../zstd-frames.ts';
import { deletionRow, type DeletionRow, filesLeft, filesUnread, insertDeletion } from './deletions.store.ts';
import { countOf, type SubjectKind } from './subject.ts';

const at = { organization: 'o', environment: 'e' };
const within = { timeoutMs: 60_000, everyMs: 50 };
const span = { ...at, api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
const atMs = 1_700_000_000_000;
const nobodyDeletes = { objectsPerFileMax: 1, retireEveryMs: 3_600_000 };
const deleting = { objectsPerFileMax: 1, retireEveryMs: 1, mergeEveryMs: 1 };
const address = '203.0.113.77';

interface Wish {
  readonly toMs?: number;
  readonly lateMs?: number;
  readonly environment?: string;
}

async function ask(
  lake: TestLake,
  [subject, value]: readonly [SubjectKind, string],
  wish: Wish = {},
): Promise<string> {
  const id = randomUUID();
  const nowMs = Date.now();
  const { toMs = nowMs, lateMs = 0, environment = 'e' } = wish;
  await lake.storage.transaction((trx) =>
    insertDeletion(trx, {
      id,
      organization: 'o',
      environment,
      subject,
      value,
      from_ms: null,
      to_ms: toMs,
      asked_by: 'u',
      asked_at_ms: nowMs,
      late_until_ms: nowMs + lateMs,
    }),
  );
  return id;
}

async function row({ storage }: TestLake, id: string, environment = 'e'): Promise<DeletionRow> {
  const found = await deletionRow(storage.db, { ...at, environment }, id);
  assert.ok(found !== undefined);
  return found;
}

const reaches = (lake: TestLake, id: string, state: DeletionRow['state']): Promise<boolean> =>
  eventually(async () => (await row(lake, id)).state === state, within);

/** Everything that lies on disk: bucket, copies, work folders; Parquet as its rows, landing objects as their lines. */
async function everything(lake: TestLake): Promise<string> {
  const texts: string[] = [];
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const entry of readdirSync(lake.dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.sqlite|\.db/.test(entry.name)) continue;
    texts.push(path);
    if (path.endsWith('.parquet')) {
      const rows = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
      texts.push(JSON.stringify(rows.getRowObjectsJson()));
    } else if (path.endsWith('.zst')) {
      const frames = dataFrames(readFileSync(path)) ?? [];
      texts.push(...frames.map((frame) => zstdDecompressSync(frame).toString()));
    }
  }
  connection.closeSync();
  instance.closeSync();
  await lake.storage.transaction(async (trx) => {
    const { dialect } = lake.storage;
    for (const table of (await userTables(trx, dialect)).tables)
      for await (const rows of readRows(trx, dialect, table)) texts.push(JSON.stringify(rows));
  });
  return texts.join('\n');
}

async function ingested(lake: TestLake): Promise<void> {
  const ingester = await lake.start(nobodyDeletes);
  await eventually(async () => (await lake.keys('landing/')).length === 0, within);
  await ingester.close();
}

for (const database of testDatabases)
  describe(`deletions on ${database.name}`, { skip: database.skip }, () => {
    test('a caller is in no file, no copy and no row any more, late ones neither, and nobody else is missed', async (t) => {
      const lake = await createTestLake(t, database);
      const { blobs } = lake;
      const his = (n: number) => ({ remote_address: address, request_id: `his-${n}` });
      const calls = [
        ...recordLines(5),
        ...recordLines(2, his(1)),
        ...recordLines(1, { ...his(2), timestamp: 5 }),
      ];
      await land(blobs, calls, { spool: spoolName(1) });
      await land(blobs, recordLines(4, his(3)), { spool: spoolName(2) });
      await land(blobs, recordLines(4), { spool: spoolName(3) });
      const log = { type: 'v4-log', entrypoint_request_body: 'his words' };
      const logs = [
        ...recordLines(1, { type: 'v4-log', request_id: 'of another' }),
        ...recordLines(1, { ...log, request_id: 'his-1' }),
      ];
      await land(blobs, logs, { spool: spoolName(4), stream: 'logs' });
      const other = { environment: 'f', spool: spoolName(5) };
      await land(blobs, recordLines(3, { ...his(4), env_id: 'f' }), other);
      // One that is not what its key says goes to quarantine, with whom it names.
      await land(blobs, recordLines(3, his(5)), { spool: spoolName(6), count: 4 });
      await ingested(lake);
      assert.ok((await everything(lake)).includes('his words'));

      const id = await ask(lake, ['CONSUMER_IP', address], { toMs: atMs + 10_000, lateMs: 3_600_000 });
      const asked = await row(lake, id);
      assert.equal(await filesLeft(lake.storage.db, asked), 4);
      const analytics = await lake.start(deleting);
      await reaches(lake, id, 'WATCHING');
      const { records_deleted, logs_deleted, objects_deleted } = await row(lake, id);
      assert.deepEqual([records_deleted, logs_deleted, objects_deleted], [7, 1, 1]);
      assert.equal(await filesLeft(lake.storage.db, await row(lake, id)), 0);

      // What was on its way, a log before its request, goes; what is newer than what was asked for stays.
      await land(blobs, recordLines(2, { ...log, request_id: 'his-6' }), {
        spool: spoolName(7),
        stream: 'logs',
      });
      await eventually(async () => (await lake.keys('landing/')).length === 0, within);
      const late = [...recordLines(3, his(6)), ...recordLines(2, { ...his(7), timestamp: atMs + 20_000 })];
      await land(blobs, late, { spool: spoolName(8) });
      await eventually(async () => {
        const now = await row(lake, id);
        return now.records_deleted === 10 && now.logs_deleted === 3;
      }, within);
      await land(blobs, recordLines(3, his(9)), { spool: spoolName(9), count: 4 });
      await eventually(async () => (await lake.keys('quarantine/')).length === 1, within);
      await lake.storage.db
        .updateTable('lake_deletion')
        .set({ late_until_ms: 1 } as never)
        .execute();
      await reaches(lake, id, 'DONE');
      assert.equal((await row(lake, id)).value, null);
      assert.equal((await row(lake, id)).objects_deleted, 2, 'what came into quarantine late');
      await eventually(
        async () =>
          (await lake.storage.db.selectFrom('lake_file').select('id').where('state', '!=', 'live').execute())
            .length === 0,
        within,
      );
      await eventually(async () => (await analytics.requestsCount(span)).total === 11, within);
      assert.equal((await analytics.requestsCount({ ...span, environment: 'f' })).total, 3);
      assert.deepEqual(await analytics.holes(at), []);
      await analytics.close();

      const left = await everything(lake);
      for (const his of ['his words', 'his-1', 'his-2', 'his-3', 'his-5', 'his-6', 'his-9'])
        assert.ok(!left.includes(his), his);
      assert.ok(left.includes('of another') && left.includes('his-4') && left.includes('his-7'));
      assert.deepEqual(await lake.keys('deletions/'), []);
    });

    test('killed between any two steps, everything is deleted and counted once', async (t) => {
      const lake = await createTestLake(t, database);
      const all = [
        'rewrite noted',
        'rewrite named',
        'rewrite written',
        'rewrite durable',
        'rewrite committed',
      ];
      const steps = database.name === 'postgres' ? ['rewrite committed'] : all;
      const of = { application_id: 'app', remote_address: address, request_id: 'his' };
      for (let n = 0; n < 3; n++)
        await land(lake.blobs, [...recordLines(5), ...recordLines(2, of)], { first: n * 7 });
      const logs = [
        ...recordLines(1, { type: 'v4-log' }),
        ...recordLines(3, { type: 'v4-log', application_id: 'app' }),
      ];
      await land(lake.blobs, logs, { spool: spoolName(4), stream: 'logs' });
      await ingested(lake);
      const byApplication = await ask(lake, ['APPLICATION', 'app']);
      const byAddress = await ask(lake, ['CONSUMER_IP', address]);
      const main = join(import.meta.dirname, '../../../test/kit/control-plane/ingester-main.ts');
      for (const step of steps) {
        const child = startNode(t, [main, lake.dir, step, ...(lake.url === undefined ? [] : [lake.url])]);
        assert.equal(await child.ended, -1, `killed at ${step}: ${child.output()}`);
      }
      const analytics = await lake.start(deleting);
      for (const id of [byApplication, byAddress]) await reaches(lake, id, 'DONE');
      const counts = async (id: string): Promise<readonly number[]> => {
        const { records_deleted, logs_deleted } = await row(lake, id);
        return [records_deleted, logs_deleted];
      };
      assert.deepEqual(await counts(byApplication), [6, 3]);
      assert.deepEqual(await counts(byAddress), [6, 0]);
      assert.equal((await row(lake, byApplication)).value, 'app');
      assert.equal((await analytics.requestsCount(span)).total, 15);
      assert.deepEqual(await analytics.holes(at), []);
      assert.deepEqual(await lake.events(), []);
    });
  });

test('each kind of subject is found in files of every version, and only as a whole', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const metrics = (user: string) => ({ custom_metrics: JSON.stringify({ 'the/user': user }) });
  const lines = [
    ...recordLines(1, { subscription_id: 's' }),
    ...recordLines(2, { subscription_id: 'ss' }),
    ...recordLines(1, { key_hash8: '0a1b2c3d' }),
    ...recordLines(1, metrics("o'neil")),
    ...recordLines(1, metrics("o'neil2")),
    ...recordLines(1, { custom_metrics: 'no json' }),
  ];
  await land(lake.blobs, lines);
  await plantFile(lake, {
    columns:
      `'v4-metrics' AS type, 'o' AS org_id, 'e' AS env_id, 'a' AS api_id, 'old' AS request_id, 200::BIGINT AS status, ` +
      `make_timestamp_ms(1700000000000) AS timestamp, '${'e'.repeat(32)}' AS spool, 0::BIGINT AS spool_offset`,
    covered: [{ last: 0 }],
  });
  await ingested(lake);
  const reader = await lake.start(nobodyDeletes);
  const wishes: readonly (readonly [SubjectKind, string])[] = [
    ['SUBSCRIPTION', 's'],
    ['API_KEY', '0a1b2c3d'],
    ['custom.the/user', "o'neil"],
    ['CONSUMER_IP', "' OR true --"],
  ];
  const counted = await Promise.all(
    wishes.map(async ([kind, value]) => {
      const { question, params } = countOf(kind, 'requests', value);
      return reader.ask(question, span, params);
    }),
  );
  assert.deepEqual(counted, [1, 1, 1, 0], 'what would be deleted');
  await reader.close();
  const ids: string[] = [];
  for (const wish of wishes) ids.push(await ask(lake, wish));
  const analytics = await lake.start(deleting);
  for (const id of ids) await reaches(lake, id, 'DONE');
  const deleted = await Promise.all(ids.map(async (id) => (await row(lake, id)).records_deleted));
  assert.deepEqual(deleted, [1, 1, 1, 0]);
  assert.equal((await analytics.requestsCount(span)).total, lines.length - 3 + 1);
});

test('a copy on the disk of another control plane goes as well', async (t) => {
  const lake = await createTestLake(t, sqlite);
  await land(lake.blobs, recordLines(3, { remote_address: address }));
  await ingested(lake);
  const dir = join(lake.dir, 'elsewhere');
  const reader = await lake.start({ ingest: false, retireEveryMs: 25 }, { dir });
  assert.equal((await reader.requestsCount(span)).total, 3);
  assert.equal(readdirSync(join(dir, 'cache')).length, 1);
  const id = await ask(lake, ['CONSUMER_IP', address]);
  await lake.start(deleting);
  await reaches(lake, id, 'DONE');
  await eventually(() => readdirSync(join(dir, 'cache')).length === 0, within);
  assert.equal(
    (await sql<{ n: number }>`select count(*) as n from lake_file`.execute(lake.storage.db)).rows[0]?.n,
    0,
  );
});

test('a damaged file holds up neither the others nor is it passed over: a deletion says that nobody can read it', async (t) => {
  const lake = await createTestLake(t, sqlite);
  for (let n = 0; n < 3; n++)
    await land(lake.blobs, recordLines(2, { remote_address: address }), { first: n * 2 });
  await ingested(lake);
  const [damaged = ''] = await lake.keys('lake/');
  const bytes = await lake.blobs.get(damaged);
  assert.ok(bytes !== undefined);
  const bad = Buffer.from(bytes).fill(0x55, 4, bytes.length - 600);
  await lake.blobs.put(damaged, bad);
  rmSync(join(lake.dir, 'analytics/cache'), { recursive: true });
  const id = await ask(lake, ['CONSUMER_IP', address], { lateMs: 3_600_000 });
  await lake.start(deleting);
  await reaches(lake, id, 'WATCHING');
  const found = await row(lake, id);
  assert.equal(found.records_deleted, 4);
  assert.equal(await filesUnread(lake.storage.db, found), 1);
  assert.deepEqual(await lake.keys('lake/'), [damaged]);
});
