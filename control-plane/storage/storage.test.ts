import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';
import { eventually } from '../../test/kit/eventually.ts';
import { runAsOwner } from '../../test/kit/servers/roles.ts';
import { sqlite, testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { translate } from './faults.ts';
import { migrations } from './migrations/index.ts';
import { isUniqueViolation, openStorage, type Storage, type StorageOptions } from './storage.ts';

/** Numbers may have holes while several migrations are on their way. */
const newest = Math.max(...migrations.map(({ version }) => version));

test('migrations stand in the order of their numbers, of which no two have one', () => {
  for (const [n, { version, name }] of migrations.entries())
    assert.ok(version > (migrations[n - 1]?.version ?? 0), `${name} has the number ${version}`);
});

const log = { info: () => undefined, warn: () => undefined };

async function open(
  t: TestContext,
  database: TestDatabase,
  more: Partial<StorageOptions> = {},
): Promise<Storage> {
  const dataDir = tempDir(t);
  const options = { url: await database.createWithSchema(dataDir), dataDir, log, ...more };
  const storage = await openStorage(options);
  t.after(() => storage.close());
  return storage;
}

const organization = (id: string) => ({
  id,
  name: id,
  description: '',
  hrid: id,
  created_at_ms: 1_800_000_000_000,
  updated_at_ms: 1,
});

for (const database of testDatabases) {
  describe(`storage on ${database.name}`, { skip: database.skip }, () => {
    test('a time is a number again when it is read', async (t) => {
      const { db } = await open(t, database);
      await db.insertInto('organization').values(organization('o')).execute();
      const row = await db.selectFrom('organization').selectAll().executeTakeFirstOrThrow();
      assert.equal(row.created_at_ms, 1_800_000_000_000);
      const sum = await db
        .selectFrom('organization')
        .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('created_at_ms').as('sum')])
        .executeTakeFirstOrThrow();
      assert.deepEqual({ ...sum }, { count: 1, sum: 1_800_000_000_000 });
    });

    test('who asks one query after the other holds up nobody else in the process', async (t) => {
      const { db } = await open(t, database);
      const other = { isHeard: false };
      const timer = setTimeout(() => (other.isHeard = true), 1);
      t.after(() => clearTimeout(timer));
      let queries = 0;
      for (; queries < 100_000 && !other.isHeard; queries += 1)
        await db.selectFrom('organization').selectAll().execute();
      assert.ok(other.isHeard, `nobody after ${queries} queries`);
    });

    test('no query of another caller slips into a transaction', async (t) => {
      const storage = await open(t, database);
      const rolledBack = storage.transaction(async (trx) => {
        await trx.insertInto('organization').values(organization('inside')).execute();
        // Many turns of the event loop in which the others below get their chance.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        throw new Error('roll back');
      });
      const others = Array.from({ length: 10 }, (_, n) =>
        storage.db
          .insertInto('organization')
          .values(organization(`outside-${n}`))
          .execute(),
      );
      await assert.rejects(rolledBack, /roll back/);
      await Promise.all(others);
      const rows = await storage.db.selectFrom('organization').select('id').execute();
      assert.equal(rows.length, 10);
      assert.ok(!rows.some((row) => row.id === 'inside'));
    });

    test('concurrent read-modify-write transactions lose no update', async (t) => {
      const storage = await open(t, database);
      await storage.db.insertInto('organization').values(organization('o')).execute();
      await Promise.all(
        Array.from({ length: 20 }, () =>
          storage.transaction(async (trx) => {
            const row = await trx
              .updateTable('organization')
              .set((eb) => ({ updated_at_ms: eb('updated_at_ms', '+', 1) }))
              .where('id', '=', 'o')
              .returning('updated_at_ms')
              .executeTakeFirstOrThrow();
            await trx
              .updateTable('organization')
              .set({ name: `name ${row.updated_at_ms}` })
              .where('id', '=', 'o')
              .execute();
          }),
        ),
      );
      const row = await storage.db.selectFrom('organization').selectAll().executeTakeFirstOrThrow();
      assert.deepEqual([row.updated_at_ms, row.name], [21, 'name 21']);
    });

    test('a query beside its own transaction is refused at once instead of waiting for itself', async (t) => {
      const storage = await open(t, database);
      await assert.rejects(
        storage.transaction(() => storage.db.selectFrom('organization').selectAll().execute()),
        /goes through its trx/,
      );
      await assert.rejects(
        storage.transaction(() => storage.transaction(async () => undefined)),
        /do not nest/,
      );
      assert.deepEqual(await storage.db.selectFrom('organization').selectAll().execute(), []);
    });

    test('all reads of a snapshot see the same state', async (t) => {
      const storage = await open(t, database);
      const [before, after] = await storage.snapshot(async (trx) => {
        const first = await trx.selectFrom('organization').select('id').execute();
        const write = storage.notifier.notify('x', 'y');
        await write;
        return [first, await trx.selectFrom('organization').select('id').execute()];
      });
      assert.deepEqual(before, after);
    });

    test('a row with the same key is told apart from other failures', async (t) => {
      const { db } = await open(t, database);
      const insert = () => db.insertInto('organization').values(organization('o')).execute();
      await insert();
      await assert.rejects(insert, isUniqueViolation);
      await assert.rejects(sql`select no_such_column`.execute(db), (error) => !isUniqueViolation(error));
    });

    test('opening again migrates nothing, opening with an older version is refused', async (t) => {
      const options = { url: await database.create(), dataDir: tempDir(t), log };
      const newer = {
        version: newest + 1,
        name: 'newer',
        up: async () => undefined,
      };
      const first = await openStorage({ ...options, migrations: [...migrations, newer] });
      await first.close();
      const again = await openStorage({ ...options, migrations: [...migrations, newer] });
      await again.close();
      await assert.rejects(openStorage(options), { code: 'storage.newer_schema' });
    });

    test('a migration that fails leaves the database as it was', async (t) => {
      const options = { url: await database.create(), dataDir: tempDir(t), log };
      const failing = {
        version: newest + 1,
        name: 'failing',
        up: async () => {
          throw new Error('half way');
        },
      };
      await assert.rejects(openStorage({ ...options, migrations: [...migrations, failing] }), /half way/);
      const storage = await openStorage(options);
      t.after(() => storage.close());
      assert.deepEqual(await storage.db.selectFrom('organization').selectAll().execute(), []);
    });

    test('a hint reaches the subscribers of its topic only, and not after unsubscribing', async (t) => {
      const storage = await open(t, database);
      const seen: string[] = [];
      storage.notifier.subscribe('other', (payload) => seen.push(`other:${payload}`));
      const unsubscribe = storage.notifier.subscribe('published', (payload) => seen.push(payload));
      await eventually(async () => {
        await storage.notifier.notify('published', 'env 1');
        return seen.includes('env 1');
      });
      unsubscribe();
      seen.length = 0;
      await storage.notifier.notify('published', 'env 2');
      await eventually(async () => {
        await storage.notifier.notify('other', 'done');
        return seen.includes('other:done');
      });
      assert.ok(!seen.includes('env 2'));
    });
  });
}

describe('storage on PostgreSQL alone', () => {
  const postgres = testDatabases.find((database) => database.name === 'postgres');
  const skip = postgres?.skip ?? false;

  test(
    'what moves the schema may take longer than other statements, and not for ever',
    { skip },
    async (t) => {
      const dataDir = tempDir(t);
      const url = await postgres?.createWithSchema(dataDir);
      const migrationsWith = (seconds: number) => [
        ...migrations,
        {
          version: newest + 1,
          name: 'slow',
          up: async (db: Kysely<unknown>) => void (await sleep(db, seconds)),
        },
      ];
      const sleep = (db: QueryExecutorProvider, seconds: number) =>
        sql`select pg_sleep(${seconds})`.execute(db);
      const openWith = async (seconds: number, bounds: StorageOptions['bounds']): Promise<Storage> => {
        const storage = await openStorage({ url, dataDir, log, bounds, migrations: migrationsWith(seconds) });
        t.after(() => storage.close());
        return storage;
      };
      await assert.rejects(openWith(60, { migrationStatementMsMax: 300 }), { code: 'storage.unavailable' });
      const storage = await openWith(1.5, { statementMsMax: 1_000 });
      assert.equal(storage.schema, 'moved');
      await assert.rejects(sleep(storage.db, 60), { code: 'storage.unavailable' });
    },
  );

  test('two control planes that start at once migrate once', { skip }, async (t) => {
    const url = await postgres?.create();
    const open = () => openStorage({ url, dataDir: tempDir(t), log });
    const storages = await Promise.all([open(), open(), open()]);
    for (const storage of storages) t.after(() => storage.close());
    const rows = await sql<{
      count: number;
    }>`select count(*) as count from schema_migration`.execute((storages[0] as Storage).db);
    assert.equal(rows.rows[0]?.count, migrations.length);
  });

  test(
    'connections that break together are told in one line without stacks, and hints once, until they are back',
    { skip },
    async (t) => {
      const url = await (postgres as TestDatabase).create();
      const lines: { readonly details: { connections?: number; why?: string }; readonly message: string }[] =
        [];
      const take = (details: object, message: string): void => void lines.push({ details, message });
      const storage = await openStorage({ url, dataDir: tempDir(t), log: { info: take, warn: take } });
      t.after(() => storage.close());
      const seen: string[] = [];
      storage.notifier.subscribe('published', (payload) => seen.push(payload));
      await eventually(() => seen.includes(''));
      await Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.2)`.execute(storage.db)));
      const said = (words: RegExp) => lines.filter(({ message }) => words.test(message));
      await runAsOwner(
        url ?? '',
        `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
      );
      const broken = () => said(/connections to the database broke/);
      const count = (): number => broken().reduce((sum, { details }) => sum + (details.connections ?? 0), 0);
      await eventually(() => count() >= 5);
      assert.ok(broken().length < 3, `${broken().length} lines`);
      assert.match(broken()[0]?.details.why ?? '', /^terminating connection/);
      await eventually(() => said(/hints from the database are back/).length === 1);
      assert.equal(said(/hints from the database are away/).length, 1);
      assert.ok(lines.every(({ details }) => !('err' in details)));
    },
  );

  test('hints arrive again after the listening connection was cut', { skip }, async (t) => {
    const storage = await open(t, postgres as TestDatabase);
    const seen: string[] = [];
    storage.notifier.subscribe('published', (payload) => seen.push(payload));
    await eventually(() => seen.includes(''));
    const cut = await sql<{
      killed: number;
    }>`select count(pg_terminate_backend(pid)) as killed from pg_stat_activity
      where application_name = 'isthmus-listen' and datname = current_database()`.execute(storage.db);
    assert.equal(cut.rows[0]?.killed, 1);
    await eventually(async () => {
      await storage.notifier.notify('published', 'again');
      return seen.includes('again');
    });
    assert.ok(
      seen.filter((payload) => payload === '').length >= 2,
      'a reconnect says that hints may be lost',
    );
  });

  test(
    'a database that cannot be reached by TLS is storage.unavailable, and the hint names the url',
    { skip },
    async (t) => {
      const url = `${await postgres?.create()}?sslmode=verify-full`;
      await assert.rejects(openStorage({ url, dataDir: tempDir(t), log }), (error: unknown) => {
        assert.ok(error instanceof Fault && error.code === 'storage.unavailable', String(error));
        return /sslrootcert.*database\.url/.test(error.hint ?? '');
      });
    },
  );

  test('a database that is away is storage.unavailable', { skip }, async (t) => {
    await assert.rejects(
      openStorage({ url: 'postgresql://nobody@127.0.0.1:1/none', dataDir: tempDir(t), log }),
      { code: 'storage.unavailable' },
    );
    const spoilt = [
      { spoil: (url: URL) => (url.pathname = '/none'), said: /no database of that name.*database\.url/ },
      { spoil: (url: URL) => (url.password = 'wrong'), said: /the user or the password.*database\.url/ },
    ];
    for (const { spoil, said } of spoilt) {
      const url = new URL((await postgres?.create()) ?? '');
      spoil(url);
      await assert.rejects(openStorage({ url: url.href, dataDir: tempDir(t), log }), (error) => {
        assert.ok(error instanceof Fault && error.code === 'storage.unavailable', String(error));
        return said.test(`${error.detail} ${error.hint}`);
      });
    }
    const unknown = translate(Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' }));
    assert.match(
      unknown instanceof Fault ? `${unknown.detail} ${unknown.hint}` : '',
      /The host .*database\.url/,
    );
    const storage = await open(t, postgres as TestDatabase);
    await assert.rejects(
      storage.transaction(async (trx) => {
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
      }),
      { code: 'storage.unavailable' },
    );
    await storage.db.selectFrom('organization').selectAll().execute();
  });

  test('a query that comes again finds the columns that the table has by then (sqlite)', async (t) => {
    const { db } = await open(t, sqlite);
    await db.insertInto('organization').values(organization('o')).execute();
    const read = () => db.selectFrom('organization').selectAll().executeTakeFirstOrThrow();
    const before = Object.keys(await read());
    await sql`ALTER TABLE organization ADD COLUMN colour TEXT DEFAULT 'red'`.execute(db);
    assert.deepEqual(Object.entries(await read()).slice(before.length), [['colour', 'red']]);
  });

  test('a url of another database is a fault of configuration', async (t) => {
    await assert.rejects(openStorage({ url: 'mysql://x', dataDir: tempDir(t), log }), {
      code: 'config.invalid',
    });
  });
});
