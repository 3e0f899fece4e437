import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { eventually } from '../../test/kit/eventually.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { openStage } from './stage.test.ts';

for (const database of testDatabases)
  test(
    `a key that somebody holds, who may still write with it, is not deleted before he has ended (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const { storage, publisher, at } = await openStage(t, database);
      const { dataKeys } = publisher;
      await storage.transaction((trx) => dataKeys.make(trx, at));
      const [old] = await dataKeys.open(storage.db, at);
      await storage.transaction((trx) => dataKeys.add(trx, at));
      const ids = [old?.id ?? ''];
      const isHeld = Promise.withResolvers<void>();
      const mayEnd = Promise.withResolvers<void>();
      const order: string[] = [];
      const writing = storage.transaction(async (trx) => {
        const keys = await dataKeys.hold(trx, at);
        assert.deepEqual([keys.length, keys[1]?.id], [2, old?.id], 'the newest seals');
        isHeld.resolve();
        await mayEnd.promise;
        order.push('written');
      });
      await isHeld.promise;
      const forgetting = storage.transaction((trx) =>
        dataKeys.forget(trx, at, {
          ids,
          isUnused: async () => {
            order.push('looked');
            return true;
          },
        }),
      );
      if (database.name === 'postgres')
        // On SQLite it waits to begin.
        await eventually(async () => {
          const waiting = await sql`select 1 from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`.execute(storage.db);
          return waiting.rows.length > 0;
        });
      mayEnd.resolve();
      await writing;
      assert.equal(await forgetting, true);
      assert.deepEqual(order, ['written', 'looked']);
      assert.deepEqual(
        (await dataKeys.open(storage.db, at)).map(({ id }) => ids.includes(id)),
        [false],
      );
      const stays = await storage.transaction((trx) =>
        dataKeys.forget(trx, at, { ids: [], isUnused: async () => false }),
      );
      assert.equal(stays, true);
    },
  );
