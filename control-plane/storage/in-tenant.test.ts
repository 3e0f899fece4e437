import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../proto/process/log.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { inTenant } from './in-tenant.ts';
import { openStorage } from './storage.ts';

for (const database of testDatabases)
  test(
    `a query in a tenant finds, changes and deletes nothing of another environment or organization (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const log = createLog({ name: 'test', level: 'silent' });
      const dataDir = tempDir(t);
      const storage = await openStorage({ url: await database.createWithSchema(dataDir), dataDir, log });
      t.after(() => storage.close());
      const { db } = storage;
      const tenants = ['o/e', 'o/f', 'p/e'].map((name) => {
        const [organization = '', environment = ''] = name.split('/');
        return { organization, environment };
      });
      for (const tenant of tenants)
        await db
          .insertInto('quarantine_tally')
          .values({ ...tenant, hour_ms: 0, object_count: 1 })
          .execute();
      const at = { organization: 'o', environment: 'e' };
      const found = await inTenant(db.selectFrom('quarantine_tally'), at).selectAll().execute();
      assert.deepEqual(found, [{ ...at, hour_ms: 0, object_count: 1 }]);
      await inTenant(db.updateTable('quarantine_tally'), at).set({ object_count: 2 }).execute();
      const counts = async (): Promise<readonly number[]> => {
        const rows = await db
          .selectFrom('quarantine_tally')
          .select('object_count')
          .orderBy('object_count')
          .execute();
        return rows.map(({ object_count }) => object_count);
      };
      assert.deepEqual(await counts(), [1, 1, 2]);
      await inTenant(db.deleteFrom('quarantine_tally'), at).execute();
      assert.deepEqual(await counts(), [1, 1]);
      const lease = db.selectFrom('lease');
      // @ts-expect-error: a lease belongs to no environment, so this does not compile.
      assert.ok(inTenant(lease, at));
    },
  );
