import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { databaseNowMs, keepLease, releaseLease, takeLease, type LeaseWish } from './leases.ts';
import { openStorage, type Storage } from './storage.ts';

const log = { info: () => undefined, warn: () => undefined };
const hourMs = 3_600_000;
const wish = (holder: string): LeaseWish => ({ name: 'chore', holder, leaseMs: 30_000 });

async function open(t: TestContext, database: TestDatabase): Promise<Storage> {
  const dataDir = tempDir(t);
  const storage = await openStorage({ url: await database.createWithSchema(dataDir), dataDir, log });
  t.after(() => storage.close());
  return storage;
}

async function nowMs({ db, dialect }: Storage): Promise<number> {
  const row = await db.selectNoFrom(databaseNowMs(dialect).as('now')).executeTakeFirstOrThrow();
  return row.now;
}

/** As if the holder had taken the lease under a clock that was wrong by this much. */
async function leaseOf(storage: Storage, holder: string, clockErrorMs: number): Promise<void> {
  await storage.db.deleteFrom('lease').execute();
  const expires_at_ms = (await nowMs(storage)) + 30_000 + clockErrorMs;
  await storage.db
    .insertInto('lease')
    .values({ name: 'chore', holder, expires_at_ms, lease_ms: 30_000 })
    .execute();
}

for (const database of testDatabases) {
  describe(`leases on ${database.name}`, { skip: database.skip }, () => {
    test('one holder at a time has a lease, until it is given back', async (t) => {
      const storage = await open(t, database);
      assert.equal(await takeLease(storage, wish('a')), 'taken');
      assert.equal(await takeLease(storage, wish('a')), 'kept');
      assert.equal(await takeLease(storage, wish('b')), undefined);
      await releaseLease(storage.db, 'chore', 'b');
      assert.equal(await takeLease(storage, wish('b')), undefined, 'only the holder gives it back');
      await releaseLease(storage.db, 'chore', 'a');
      assert.equal(await takeLease(storage, wish('b')), 'taken');
    });

    test('a holder that died with its clock an hour ahead, or seconds ahead, keeps nobody waiting', async (t) => {
      const storage = await open(t, database);
      for (const aheadMs of [hourMs, 5_000]) {
        await leaseOf(storage, 'dead', aheadMs);
        assert.equal(await takeLease(storage, wish('b')), 'taken', `${aheadMs} ms ahead`);
      }
      await leaseOf(storage, 'alive', -1_000);
      assert.equal(await takeLease(storage, wish('b')), undefined, 'a believable one holds');
      await leaseOf(storage, 'dead', -31_000);
      assert.equal(await takeLease(storage, wish('b')), 'taken', 'an expired one does not');
    });

    test('whoever slept past its lease cannot prove it any more', async (t) => {
      const storage = await open(t, database);
      await leaseOf(storage, 'sleeper', -31_000);
      assert.equal(await takeLease(storage, wish('b')), 'taken');
      const { dialect } = storage;
      assert.equal(await storage.transaction((trx) => keepLease(trx, dialect, wish('sleeper'))), false);
      assert.equal(await storage.transaction((trx) => keepLease(trx, dialect, wish('b'))), true);
    });

    test("leases are dated by the database's clock", async (t) => {
      const storage = await open(t, database);
      assert.ok(Math.abs((await nowMs(storage)) - Date.now()) < 60_000, 'both run on this machine here');
      await takeLease(storage, wish('a'));
      const row = await storage.db.selectFrom('lease').selectAll().executeTakeFirstOrThrow();
      const leftMs = row.expires_at_ms - (await nowMs(storage));
      assert.ok(leftMs > 20_000 && leftMs <= 30_000, String(leftMs));
    });
  });
}
