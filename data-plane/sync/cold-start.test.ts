import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { encodeApi, encodeApiKey } from '../../proto/wire/payloads.ts';
import type { RecordWithPayload } from '../../proto/wire/published.ts';
import { eventually } from '../../test/kit/eventually.ts';
import {
  createMemoryRepository,
  type MemoryChange,
  type MemoryRepository,
} from '../../test/kit/memory-repository.ts';
import { identityOf, startSyncGateway, type SyncGateway } from '../../test/kit/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStore } from '../store/store.ts';

const nowhere = 'http://127.0.0.1:9';
const definition = JSON.stringify({ name: 'orders', flows: [], text: 'x'.repeat(1_500) });

/** Writes a store as a gateway leaves it that had followed a bridge, with so many APIs and keys. */
async function written(t: TestContext, size: { readonly apis: number; readonly keys: number }) {
  const dir = tempDir(t, 'cold');
  const repository = createMemoryRepository();
  const changes: MemoryChange[] = [];
  for (let index = 0; index < size.apis; index += 1) {
    const id = `api-${index}`;
    changes.push({ kind: 'api', id, payload: encodeApi({ id, name: id, revision: '1', definition }) });
  }
  for (let index = 0; index < size.keys; index += 1) {
    const id = `key-${index}`;
    const hash = createHash('sha256').update(id).digest();
    const payload = encodeApiKey({
      id,
      hash,
      api: `api-${index % size.apis}`,
      subscriptions: [`s-${index}`],
      isRevoked: false,
    });
    changes.push({ kind: 'api-key', id, payload });
  }
  repository.publish('dev', changes);
  await save(repository, dir);
  const enrolled = repository.addGateway();
  const start = (): SyncGateway => {
    const gateway = startSyncGateway({
      dir,
      url: nowhere,
      identity: identityOf(repository, enrolled, nowhere),
    });
    t.after(() => gateway.close());
    return gateway;
  };
  return { dir, path: join(dir, 'store.sqlite'), start };
}

async function save(repository: MemoryRepository, dir: string): Promise<void> {
  const at = { organization: repository.organization, environment: 'dev' };
  const head = await repository.head(at);
  assert.ok(head !== undefined);
  const { headers } = await repository.headersAfter(at, 0, 1_000_000);
  const records: readonly RecordWithPayload[] = await repository.payloads(at, headers);
  const log = createLog({ name: 'test', level: 'silent' });
  const store = openStore({ path: join(dir, 'store.sqlite'), log, clock: systemClock });
  const certificates = await repository.certificates(at);
  const state = {
    ...at,
    epoch: 1,
    seq: head.seq,
    head: head.bytes,
    certificates,
    tags: [],
    refused: [],
    appliedAtMs: 0,
  };
  await store.save({ state, isFull: true, records, gone: [] });
  await store.settle('dev', []);
  await store.close();
}

test('1,000 APIs are read, proven and handed over within 500 ms of the start, with no bridge', async (t) => {
  const { start } = await written(t, { apis: 1_000, keys: 1_000 });
  const startedAtMs = performance.now();
  const gateway = start();
  const ms = performance.now() - startedAtMs;
  t.diagnostic(`${Math.round(ms)} ms`);
  assert.equal(gateway.served.size, 2_000);
  assert.equal(gateway.sync.state().isComplete, true);
  assert.ok(ms < 500, `${Math.round(ms)} ms`);
});

interface Spoilt {
  readonly name: string;
  readonly sql: string;
}
const spoilt: readonly Spoilt[] = [
  { name: 'a record was replaced', sql: "UPDATE records SET bytes = x'00ff' WHERE id = 'api-3'" },
  {
    name: 'a record and its hash were replaced',
    sql: "UPDATE records SET bytes = x'', sha256 = x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' WHERE id = 'api-3'",
  },
  { name: 'a record was removed', sql: "DELETE FROM records WHERE id = 'api-3'" },
  { name: 'a tag was changed', sql: "UPDATE records SET tags = '[\"x\"]' WHERE id = 'api-3'" },
  { name: 'a tombstone was raised', sql: "UPDATE records SET is_deleted = 1 WHERE id = 'api-3'" },
  { name: 'the head was changed', sql: "UPDATE environments SET head = x'0a00'" },
  { name: 'the certificates were taken away', sql: "UPDATE environments SET certificates = '[]'" },
  { name: 'a row is of another shape', sql: "UPDATE environments SET refused = '{'" },
];

for (const { name, sql } of spoilt) {
  test(`a store in which ${name} is set aside, not served`, async (t) => {
    const { path, start } = await written(t, { apis: 5, keys: 5 });
    const database = openSqlite(path, { durable: 'normal' });
    database.exec(sql);
    database.close();
    const gateway = start();
    assert.equal(gateway.served.size, 0);
    assert.equal(gateway.sync.state().isComplete, false);
    assert.equal(gateway.store.health().problem?.code, 'store.corrupt');
    assert.match(gateway.store.health().problem?.movedTo ?? '', /\.corrupt-/);
    await eventually(() => gateway.sync.state().lastError !== undefined);
  });
}

test('an organization with another root key does not believe the store', async (t) => {
  const { dir, start } = await written(t, { apis: 2, keys: 2 });
  await start().close();
  const other = createMemoryRepository();
  const identity = identityOf(other, other.addGateway(), nowhere);
  const gateway = startSyncGateway({ dir, url: nowhere, identity });
  t.after(() => gateway.close());
  assert.equal(gateway.served.size, 0);
});

test(
  '10,000 APIs and 100,000 keys',
  { skip: process.env['ISTHMUS_TEST_LARGE'] === undefined && 'set ISTHMUS_TEST_LARGE=1' },
  async (t) => {
    const { start } = await written(t, { apis: 10_000, keys: 100_000 });
    const startedAtMs = performance.now();
    const gateway = start();
    const ms = performance.now() - startedAtMs;
    t.diagnostic(`${Math.round(ms)} ms`);
    assert.equal(gateway.served.size, 110_000);
    assert.ok(ms < 2_500, `${Math.round(ms)} ms`);
  },
);
