import assert from 'node:assert/strict';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import type { Fault } from '../../proto/faults/fault.ts';
import { createLog } from '../../proto/process/log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { PostgresHold, requireAbsence } from './hold.ts';
import { migrations } from './migrations/index.ts';
import { openStorage, type Storage, type Trx } from './storage.ts';
import { replaceAll } from './tables-dump.ts';

const log = createLog({ name: 'test', level: 'silent' });
const schema = migrations.at(-1)?.version ?? 0;
const organization = (id: string) => ({
  id,
  name: id,
  description: '',
  hrid: id,
  created_at_ms: 1,
  updated_at_ms: 1,
});

/** A control plane's storage and an operator's, on one database. */
async function openBoth(t: TestContext, database: TestDatabase) {
  const dataDir = tempDir(t);
  const place = { url: await database.createWithSchema(dataDir), dataDir, log };
  const lost: Fault[] = [];
  const held = await openStorage({ ...place, hold: { onLost: (fault) => void lost.push(fault) } });
  t.after(() => held.close());
  const other = await openStorage(place);
  t.after(() => other.close());
  return { held, other, lost, place };
}

/** What a restore does to the tables. */
async function restore(storage: Storage): Promise<void> {
  await storage.transaction(async (trx) => {
    await requireAbsence(trx, storage.dialect);
    await replaceAll(trx, storage.dialect, {
      schema,
      fill: async () => trx.insertInto('organization').values(organization('restored')).execute(),
    });
  });
}

/** Restores in the moment in which a control plane has lost its connections. */
async function restoreOver({ held, other }: { readonly held: Storage; readonly other: Storage }) {
  if (held.dialect === 'sqlite') return restore(other);
  await eventually(async () => {
    await cut(other);
    await restore(other);
    return true;
  });
}

/** Runs a transaction up to its end, and ends it when it is told to. */
async function hangIn(storage: Storage, work: (trx: Trx) => Promise<unknown>) {
  const [inside, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = storage.transaction(async (trx) => {
    await work(trx);
    inside.resolve();
    await told.promise;
  });
  await Promise.race([inside.promise, done]);
  return { end: async () => (told.resolve(), done) };
}

/** Cuts every connection of the control plane, and waits until the server has ended them; this one of the operator's stays. */
async function cut(storage: Storage, name = 'isthmus%'): Promise<void> {
  await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like ${name}`.execute(
    storage.db,
  );
}

const names = async (storage: Storage): Promise<readonly string[]> =>
  (await storage.db.selectFrom('organization').select('id').orderBy('id').execute()).map(({ id }) => id);

/** The two ways to write; each has to be refused, and leave nothing. */
async function assertReplaced({ held, other, lost }: Awaited<ReturnType<typeof openBoth>>): Promise<void> {
  const replaced = { code: 'storage.replaced' };
  const rows = await names(other);
  await assert.rejects(held.db.insertInto('organization').values(organization('late')).execute(), replaced);
  await assert.rejects(
    held.transaction((trx) => trx.insertInto('organization').values(organization('late')).execute()),
    replaced,
  );
  await assert.rejects(held.db.updateTable('organization').set({ name: 'late' }).execute(), replaced);
  await assert.rejects(sql`delete from organization`.execute(held.db), replaced);
  assert.deepEqual(await names(other), rows);
  assert.deepEqual(
    lost.map(({ code }) => code),
    ['storage.replaced'],
  );
}

for (const database of testDatabases) {
  describe(`the hold on ${database.name}`, { skip: database.skip }, () => {
    test('who held the database writes nothing into a restored one, by no way, and is told once', async (t) => {
      const both = await openBoth(t, database);
      await both.held.db.insertInto('organization').values(organization('before')).execute();
      await restoreOver(both);
      assert.deepEqual(await names(both.other), ['restored']);
      await assertReplaced(both);
    });

    test('an idle process is told as well', async (t) => {
      const both = await openBoth(t, database);
      await restoreOver(both);
      await eventually(() => both.lost.length === 1);
    });

    test('who opens after a restore, and opens again, holds the database as it is', async (t) => {
      const { held, other, place } = await openBoth(t, database);
      await held.close();
      await eventually(async () => (await restore(other), true));
      for (let start = 0; start < 2; start += 1) {
        const again = await openStorage({ ...place, hold: { onLost: () => assert.fail('lost') } });
        const row = organization(`start-${start}`);
        await again.db.insertInto('organization').values(row).execute();
        await again.close();
      }
      assert.deepEqual(await names(other), ['restored', 'start-0', 'start-1']);
    });
  });
}

const postgres = testDatabases.find(({ name }) => name === 'postgres') as TestDatabase;

describe('the hold on PostgreSQL alone', { skip: postgres.skip }, () => {
  test('who held the database writes nothing into one that pg_restore brought back with its generation', async (t) => {
    const both = await openBoth(t, postgres);
    await eventually(async () => {
      await cut(both.other);
      await both.other.transaction(async (trx) => {
        await requireAbsence(trx, both.other.dialect);
        const rows = await trx.selectFrom('database_generation').selectAll().execute();
        await trx.deleteFrom('database_generation').execute();
        await trx.insertInto('database_generation').values(rows).execute();
      });
      return true;
    });
    await assertReplaced(both);
  });

  test('a vacuum, and connections that were cut, replace nothing', async (t) => {
    const { held, other, lost } = await openBoth(t, postgres);
    for (const kind of ['freeze', 'full']) {
      await sql`vacuum (${sql.raw(kind)}, analyze) database_generation`.execute(other.db);
      await cut(other);
      await eventually(
        async () => (await held.db.insertInto('organization').values(organization(kind)).execute(), true),
      );
    }
    assert.deepEqual(lost, []);
  });

  test('an answer that another one overtakes does not say that the database was brought back', async (t) => {
    const url = (await postgres.createWithSchema(tempDir(t))) ?? assert.fail('no database');
    const lost: Fault[] = [];
    const hold = new PostgresHold(url, log, { onLost: (fault) => void lost.push(fault) });
    t.after(() => hold.close());
    await hold.take();
    await hold.know();
    const open = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      t.after(() => client.end());
      return client;
    };
    const [early, late] = [await open(), await open()];
    const asked = Promise.withResolvers<void>();
    const overtaken = Promise.withResolvers<void>();
    const slow = new Proxy(early, {
      get: (client, name) =>
        name === 'query'
          ? async (text: string) => {
              const answer = await client.query(text);
              if (!text.includes('txid_current_snapshot')) return answer;
              asked.resolve();
              await overtaken.promise;
              return answer;
            }
          : Reflect.get(client, name),
    });
    const proven = hold.prove(slow);
    await asked.promise;
    for (let n = 0; n < 5; n += 1) await late.query('select txid_current()');
    await hold.prove(late);
    overtaken.resolve();
    await proven;
    assert.deepEqual(lost, []);
  });

  test('connections that were cut come back to the same database, and all goes on', async (t) => {
    const { held, other, lost } = await openBoth(t, postgres);
    for (let round = 0; round < 3; round += 1) {
      await cut(other);
      await eventually(() =>
        held.db
          .insertInto('organization')
          .values(organization(`round-${round}`))
          .execute(),
      );
    }
    assert.deepEqual(await names(other), ['round-0', 'round-1', 'round-2']);
    assert.deepEqual(lost, []);
    await eventually(async () => {
      await assert.rejects(restore(other), { code: 'storage.in_use' });
      return true;
    });
  });

  test('a transaction keeps a restore away although the connection that holds the database is gone', async (t) => {
    const { held, other } = await openBoth(t, postgres);
    const slow = await hangIn(held, (trx) =>
      trx.insertInto('organization').values(organization('slow')).execute(),
    );
    for (let round = 0; round < 5; round += 1) {
      await cut(other, 'isthmus control-plane');
      await assert.rejects(restore(other), { code: 'storage.in_use' });
    }
    await slow.end();
    assert.deepEqual(await names(other), ['slow']);
  });

  test('while a restore runs nothing is written, and afterwards nothing either', async (t) => {
    const both = await openBoth(t, postgres);
    const { held, other } = both;
    const running = await eventually(async () => {
      await cut(other);
      return hangIn(other, async (trx) => {
        await requireAbsence(trx, 'postgres');
        await replaceAll(trx, 'postgres', { schema, fill: async () => undefined });
      });
    });
    await assert.rejects(held.db.insertInto('organization').values(organization('amid')).execute(), {
      code: 'storage.unavailable',
    });
    await running.end();
    assert.deepEqual(await names(other), []);
    await assertReplaced(both);
  });

  test('another database behind the same address is no database of ours', async (t) => {
    const both = await openBoth(t, postgres);
    await cut(both.other);
    await sql`drop table database_generation`.execute(both.other.db);
    await assertReplaced(both);
  });
});

test('an SQLite file that was deleted or replaced under a control plane is written no more', async (t) => {
  const both = await openBoth(t, testDatabases[0] as TestDatabase);
  const file = join(both.place.dataDir, 'control-plane.db');
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
  await assertReplaced(both);
});
