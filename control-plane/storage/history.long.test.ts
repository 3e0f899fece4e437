import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Fault } from '../../proto/faults/fault.ts';
import { createLog } from '../../proto/process/log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { skipWithout } from '../../test/kit/require.ts';
import { findPostgres } from '../../test/kit/servers/postgres-cluster.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from './storage.ts';

const log = createLog({ name: 'test', level: 'silent' });
const organization = (id: string) => ({
  id,
  name: id,
  description: '',
  hrid: id,
  created_at_ms: 1,
  updated_at_ms: 1,
});

/** A server whose files can be kept and brought back, as its operator does. */
async function startServer(t: TestContext) {
  const bin = findPostgres() ?? '';
  // Before the folder goes.
  t.after(() => stop());
  const root = tempDir(t);
  chmodSync(root, 0o777);
  const port = await freePort();
  const run = (script: string): void => {
    const shell = process.getuid?.() === 0 ? ['su', 'postgres', '-s', '/bin/sh', '-c'] : ['/bin/sh', '-c'];
    const [command, ...args] = [...shell, `set -e; cd ${root}; ${script}`];
    execFileSync(command, args, { stdio: 'pipe', cwd: '/' });
  };
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
  const start = (): void => run(`${bin}/pg_ctl -D data -w -l log -o "${options}" start >/dev/null`);
  const stop = (): void => run(`${bin}/pg_ctl -D data -m fast -w stop >/dev/null`);
  run(
    `printf isthmus > pw; ${bin}/initdb -D data -U isthmus --pwfile=pw --auth=scram-sha-256 --no-sync >/dev/null`,
  );
  start();
  const url = `postgresql://isthmus:isthmus@127.0.0.1:${port}/postgres`;
  return {
    url,
    start,
    stop,
    keep: () => run('cp -a data kept'),
    bringBack: () => run('rm -r data; mv kept data'),
  };
}

test(
  'who held the database goes on after a restart of its server, and writes nothing into one that was brought back to a former moment',
  { skip: skipWithout('postgresql', findPostgres() !== undefined) },
  async (t) => {
    const server = await startServer(t);
    const place = { url: server.url, dataDir: tempDir(t), log };
    const lost: Fault[] = [];
    const held = await openStorage({ ...place, hold: { onLost: (fault) => void lost.push(fault) } });
    t.after(() => held.close());
    const write = (id: string): Promise<unknown> =>
      held.db.insertInto('organization').values(organization(id)).execute();
    await write('before');
    server.stop();
    server.keep();
    server.start();
    await eventually(() => write('since').then(() => true), { timeoutMs: 20_000 });
    for (let n = 0; n < 20; n += 1) await write(`since-${n}`);
    assert.equal(lost.length, 0);
    // A connection made now sees how far the history has come.
    server.stop();
    server.start();
    await eventually(() => write('restarted').then(() => true), { timeoutMs: 20_000 });
    assert.equal(lost.length, 0);

    server.stop();
    server.bringBack();
    server.start();
    await eventually(() => lost.length === 1, { timeoutMs: 20_000 });
    assert.equal(lost[0]?.code, 'storage.replaced');
    await assert.rejects(write('late'), { code: 'storage.replaced' });
    const other = await openStorage(place);
    t.after(() => other.close());
    const rows = await other.db.selectFrom('organization').select('id').execute();
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['before'],
    );
  },
);
