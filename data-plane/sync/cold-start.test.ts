import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createMemoryRepository } from '../../test/kit/bridge/memory-repository.ts';
import { identityOf, startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { nowhere, writtenStore } from '../../test/kit/gateway/written-store.ts';
import { isWithin } from '../../test/kit/pace.ts';

test('1,000 APIs are read, proven and handed over within 500 ms of the start, with no bridge', async (t) => {
  const { start } = await writtenStore(t, { apis: 1_000, keys: 1_000 });
  const startedAtMs = performance.now();
  const gateway = start();
  const ms = performance.now() - startedAtMs;
  t.diagnostic(`${Math.round(ms)} ms`);
  assert.equal(gateway.served.size, 2_000);
  assert.equal(gateway.sync.state().isComplete, true);
  isWithin(ms, { msMax: 500 });
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
    const { path, start } = await writtenStore(t, { apis: 5, keys: 5 });
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
  const { dir, start } = await writtenStore(t, { apis: 2, keys: 2 });
  await start().close();
  const other = createMemoryRepository();
  const identity = identityOf(other, other.addGateway(), nowhere);
  const gateway = startSyncGateway({ dir, url: nowhere, identity });
  t.after(() => gateway.close());
  assert.equal(gateway.served.size, 0);
});
