import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { openStorage } from '../control-plane/storage/storage.ts';
import { createLog } from '../proto/process/log.ts';
import { shortTest as test, testOnce } from '../test/kit/long-run.ts';
import { testDatabases } from '../test/kit/servers/databases.ts';
import { eventually } from '../test/kit/eventually.ts';
import { install } from '../test/kit/processes/installation.ts';
import { createTestRole, runAsOwner } from '../test/kit/servers/roles.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const log = createLog({ name: 'test', level: 'silent' });

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
