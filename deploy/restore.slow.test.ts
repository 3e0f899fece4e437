import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext } from 'node:test';
import { openStorage } from '../control-plane/storage/storage.ts';
import { createLog } from '../proto/process/log.ts';
import { shortTest as test, testOnce } from '../test/kit/long-run.ts';
import { testDatabases, type TestDatabase } from '../test/kit/servers/databases.ts';
import { eventually } from '../test/kit/eventually.ts';
import { startIsthmus, type HouseProcess } from '../test/kit/processes/processes.ts';
import { createTestRole, runAsOwner } from '../test/kit/servers/roles.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const log = createLog({ name: 'test', level: 'silent' });

interface Installation {
  readonly dir: string;
  readonly url: string | undefined;
  readonly backup: string;
  /** Runs a command on it to its end; what `over` sets goes before what the installation sets. */
  run(
    args: readonly string[],
    over?: readonly string[],
  ): Promise<{ readonly code: number; readonly said: string }>;
  start(): Promise<HouseProcess>;
  /** Of its environments; a restore raises them. */
  epochs(): Promise<readonly number[]>;
}

type Made = Pick<Installation, 'dir' | 'url'>;
const made = new Map<TestDatabase, Promise<Made>>();

/** A database that a control plane has made, and a backup of it; made once and copied. */
async function install(t: TestContext, database: TestDatabase): Promise<Installation> {
  if (!made.has(database)) made.set(database, makeOnce(t, database));
  const first = await made.get(database);
  const dir = tempDir(t);
  cpSync(first?.dir ?? '', dir, { recursive: true });
  return open(t, { dir, url: await database.copy(first?.url) });
}

async function makeOnce(t: TestContext, database: TestDatabase): Promise<Made> {
  // It stays until the process ends.
  const dir = tempDir({ after: () => undefined });
  const { url, backup, run, start } = open(t, { dir, url: await database.create() });
  const first = await start();
  assert.equal((await run(['backup', backup])).code, 0);
  first.kill('SIGTERM');
  assert.equal(await first.ended, 0, first.output());
  return { dir, url };
}

function open(t: TestContext, { dir, url }: Made): Installation {
  const backup = join(dir, 'isthmus.backup');
  const settings = [
    ...(url === undefined ? [] : ['--set', `database.url=${url}`]),
    '--set',
    `blobs.dir=${join(dir, 'bucket')}`,
    '--data-dir',
    dir,
  ];
  const run: Installation['run'] = async (args, over = []) => {
    const child = startIsthmus(t, [...args, ...settings, ...over]);
    return { code: await child.ended, said: child.output() };
  };
  const start = async (): Promise<HouseProcess> => {
    const ports = ['listen.port=0', 'admin.port=0', 'lameDuckMs=0'].flatMap((pair) => ['--set', pair]);
    const child = startIsthmus(t, ['control-plane', ...settings, ...ports]);
    await eventually(() => child.output().includes('control plane listening'), { timeoutMs: 60_000 });
    return child;
  };
  const epochs = async (): Promise<readonly number[]> => {
    const storage = await openStorage({ url, dataDir: dir, log, mode: 'existing' });
    const rows = await storage.db.selectFrom('environment').select('epoch').execute();
    await storage.close();
    return rows.map(({ epoch }) => epoch);
  };
  return { dir, url, backup, run, start, epochs };
}

/** What a control plane that runs changes all the time: heads are signed again, leases taken. */
async function rowsOf({ url, dir }: { readonly url: string | undefined; readonly dir: string }) {
  const storage = await openStorage({ url, dataDir: dir, log, mode: 'existing' });
  const heads = await storage.db.selectFrom('published_head').selectAll().execute();
  const leases = await storage.db.selectFrom('lease').selectAll().execute();
  await storage.close();
  return { heads, leases };
}

for (const database of testDatabases) {
  // What a command says and refuses hangs on no database: on PostgreSQL the long run asks again.
  describe(`isthmus restore on ${database.name}`, { skip: database.skip }, () => {
    test('is refused while a control plane runs, also one of another folder, and taken when it has gone', async (t) => {
      const { dir, url, backup, run, start } = await install(t, database);
      const running = await start();
      const here = await run(['restore', '--yes', backup]);
      assert.equal(here.code, 1, here.said);
      assert.match(here.said, /in use by another control-plane \(isthmus control-plane, process \d+/);
      assert.match(here.said, /Stop that one \(kill \d+\) and wait.*needs the folder for itself\.$/m);
      if (url !== undefined) {
        const key = ['--set', `secrets.dir=${join(dir, 'secrets')}`];
        const elsewhere = await run(['restore', '--yes', backup], [...key, '--data-dir', tempDir(t)]);
        assert.equal(elsewhere.code, 1, elsewhere.said);
        assert.match(
          elsewhere.said,
          /A control plane runs on this database.*storage\.in_use.*Stop every control plane/,
        );
      }
      assert.ok(running.isRunning());
      running.kill('SIGKILL');
      await running.ended;
      const restored = async (): Promise<boolean> => (await run(['restore', '--yes', backup])).code === 0;
      await eventually(restored, { timeoutMs: 20_000 });
    });

    test('under a control plane that stood still and lost its hold ends that one before it writes anything', async (t) => {
      const { dir, url, backup, run, start } = await install(t, database);
      const running = await start();
      running.kill('SIGSTOP');
      rmSync(join(dir, 'control-plane.lock'));
      if (url !== undefined)
        await runAsOwner(
          url,
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
      const restored = await run(['restore', '--yes', backup]);
      assert.equal(restored.code, 0, restored.said);
      const before = await rowsOf({ url, dir });
      running.kill('SIGCONT');
      assert.equal(await running.ended, 1, running.output());
      assert.match(
        running.output(),
        /storage\.replaced.*not the one this process started on.*writes nothing more and ends/s,
      );
      assert.deepEqual(await rowsOf({ url, dir }), before);
    });

    testOnce(database)(
      'with another bucket is refused and changes nothing, unless --any-bucket says so',
      async (t) => {
        const { dir, backup, run, epochs } = await install(t, database);
        const other = ['--set', `blobs.dir=${join(dir, 'other')}`];
        const before = await epochs();
        const refused = await run(['restore', '--yes', backup], other);
        assert.equal(refused.code, 1, refused.said);
        assert.match(refused.said, /blobs\.wrong_bucket.*Nothing was changed.*--any-bucket/s);
        assert.deepEqual(await epochs(), before);
        const taken = await run(['restore', '--yes', '--any-bucket', backup], other);
        assert.equal(taken.code, 0, taken.said);
        assert.match(
          taken.said,
          /isthmus bucket adopt first, with the same settings, then start the control plane/,
        );
        assert.notDeepEqual(await epochs(), before);
        const own = await run(['restore', '--yes', '--any-bucket', backup]);
        assert.match(own.said, /^start the control plane again$/m);
        assert.doesNotMatch(own.said, /bucket adopt/);
      },
    );

    testOnce(database)('says what it found in sentences, without lines of a log', async (t) => {
      const { dir, backup, run } = await install(t, database);
      const again = await run(['backup', `${backup}.again`]);
      const counted = /\d+ rows of \d+ tables/.exec(again.said)?.[0];
      const day = join(dir, 'bucket', 'lake', 'v1', 'org=o', 'env=e', 'ingested=2026-01-01');
      mkdirSync(day, { recursive: true });
      writeFileSync(join(day, `${randomUUID()}.parquet`), 'no parquet');
      const { code, said } = await run(['restore', '--yes', backup]);
      assert.equal(code, 0, said);
      assert.ok(counted !== undefined && said.includes(`restored ${counted}`), `${again.said} ${said}`);
      assert.match(said, /1 files of the lake compared.*1 say nothing of themselves/s);
      assert.doesNotMatch(said, /^\{/m);
    });

    testOnce(database)('of a file that is damaged or not there is refused with what to do', async (t) => {
      const { dir, backup, run } = await install(t, database);
      const cut = join(dir, 'cut');
      writeFileSync(cut, readFileSync(backup).subarray(0, 300));
      const damaged = await run(['restore', '--yes', cut]);
      assert.match(
        damaged.said,
        /not a whole backup.*request\.invalid\] Nothing was changed\. Copy the file again/,
      );
      const missing = await run(['restore', '--yes', join(dir, 'missing')]);
      assert.match(missing.said, /missing is not there.*system\.missing\] Check the path/);
      assert.deepEqual([damaged.code, missing.code], [1, 1]);
    });
  });
}

const postgres = testDatabases.find(({ name }) => name === 'postgres');

describe('roles on PostgreSQL', { skip: postgres?.skip ?? false }, () => {
  test('a restore under a role that does not own the tables names the role that is needed', async (t) => {
    assert.ok(postgres !== undefined);
    const { url = '', backup, run } = await install(t, postgres);
    const role = await createTestRole(t, url, 'control-plane');
    const { code, said } = await run(['restore', '--yes', backup], ['--set', `database.url=${role.url}`]);
    assert.equal(code, 1, said);
    assert.match(
      said,
      /only the role that owns them may.*storage\.not_granted\] Put the URL of the role that owns/,
    );
    assert.doesNotMatch(said, /print-grants/);
  });

  test('the printed SQL ends psql with an error for a role that may make no roles', async (t) => {
    assert.ok(postgres !== undefined);
    const { url = '', run } = await install(t, postgres);
    const role = await createTestRole(t, url, 'control-plane');
    const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
    const { said } = await run(['migrate', '--print-grants', '--role', name]);
    const psql = (as: string) => spawnSync('psql', ['-q', as], { input: said, encoding: 'utf8' });
    const refused = psql(role.url);
    assert.equal(refused.status, 3, refused.stderr);
    assert.match(refused.stderr, /permission denied to create role/);
    const made = psql(url);
    assert.equal(made.status, 0, made.stderr);
    await runAsOwner(url, `DROP OWNED BY "${name}"; DROP ROLE "${name}"`);
  });
});
