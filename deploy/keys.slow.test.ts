import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStorage } from '../control-plane/storage/storage.ts';
import { eventually } from '../test/kit/eventually.ts';
import { letAuditGo } from '../test/kit/control-plane/audit-triggers.ts';
import { apiBody } from '../test/kit/control-plane/office.ts';
import { createManagementClient } from '../test/kit/control-plane/management-client.ts';
import { runIsthmus, startIsthmus } from '../test/kit/processes/processes.ts';
import { adminPassword, startPlatform } from '../test/kit/processes/up.ts';

const log = { info: () => undefined, warn: () => undefined };

interface Health {
  readonly degraded: readonly string[];
  readonly sync: { readonly isConnected: boolean; readonly refused: object };
}
interface Ready {
  readonly environments: readonly { readonly epoch: number; readonly refused: object }[];
}

test('isthmus keys takes keys and the root out of use under a running platform; its gateway follows without a hand', async (t) => {
  const { dir, nodeApi, gateway, management } = await startPlatform(t);
  const keys = (...args: readonly string[]): Promise<string> =>
    runIsthmus(t, ['keys', ...args, '--data-dir', dir]);
  await assert.rejects(keys('revoke'), /say --yes/);
  await assert.rejects(keys('roll-root'), /say --yes/);
  await assert.rejects(keys('roll-data'), /say --yes/);
  await assert.rejects(keys('roll-kek'), /say --yes/);
  await assert.rejects(
    keys('roll-data', '--yes', '--environment', 'nowhere'),
    /There is no environment nowhere/,
  );
  await assert.rejects(
    keys('revoke', '--yes', '--environment', 'nowhere'),
    /There is no environment nowhere/,
  );

  const follows = async (epoch: number): Promise<void> => {
    await eventually(
      async () => {
        const { environments } = (await (await fetch(`${nodeApi}/health/ready`)).json()) as Ready;
        return environments[0]?.epoch === epoch;
      },
      { timeoutMs: 20_000 },
    );
  };
  const revoke = async (): Promise<number> => {
    const { revoked } = JSON.parse(await keys('revoke', '--yes', '--json')) as {
      revoked: { epoch: number; revoked: string[] }[];
    };
    assert.equal(revoked[0]?.revoked.length, 1);
    return revoked[0].epoch;
  };
  await follows(await revoke());
  const rolled = JSON.parse(await keys('roll-root', '--yes', '--json')) as {
    environments: number;
    tokens: number;
  };
  assert.deepEqual([rolled.environments, rolled.tokens], [1, 1]);
  await follows(await revoke());

  const client = createManagementClient(management, adminPassword);
  const makeSecret = (path: string) =>
    client.call<{ id: string }>('POST', '/v2/environments/DEFAULT/apis', {
      body: apiBody(path, { properties: [{ key: 'token', value: 'hunter2', encrypted: true }] }),
    });
  assert.deepEqual(JSON.parse(await keys('roll-data', '--yes', '--json')), { rolled: [] });
  await makeSecret('/sealed');
  const rolledData = async (...args: readonly string[]) =>
    (
      JSON.parse(await keys('roll-data', ...args, '--json')) as {
        rolled: { key: string; forgotten: string[] }[];
      }
    ).rolled[0];
  const foreseen = await rolledData('--dry-run', '--environment', 'DEFAULT');
  const done = await rolledData('--yes');
  assert.deepEqual(foreseen?.forgotten, done?.forgotten);
  assert.deepEqual(done?.forgotten, [foreseen?.key]);
  assert.notEqual(done?.key, foreseen?.key);

  // Killed, wherever it is, under a platform that runs.
  const kek = (): readonly string[] =>
    (JSON.parse(readFileSync(join(dir, 'secrets', 'kek'), 'utf8')) as { keys: { id: string }[] }).keys.map(
      ({ id }) => id,
    );
  const before = kek();
  const dying = startIsthmus(t, ['keys', 'roll-kek', '--yes', '--data-dir', dir]);
  await eventually(() => /was made/.test(dying.output()), { timeoutMs: 20_000 });
  dying.kill('SIGKILL');
  await dying.ended;
  await makeSecret('/between');
  await follows(await revoke());
  await keys('roll-kek', '--yes', '--json');
  assert.equal(kek().length, 1);
  assert.notDeepEqual(kek(), before);
  await makeSecret('/after');
  await follows(await revoke());

  const { degraded, sync } = (await (await fetch(`${nodeApi}/health`)).json()) as Health;
  assert.deepEqual([degraded, sync.isConnected, sync.refused], [[], true, {}]);
  assert.equal((await fetch(`${gateway}/demo/echo`)).status, 200);
  const storage = await openStorage({ dataDir: dir, log, mode: 'existing' });
  t.after(() => storage.close());
  const audit = await storage.db.selectFrom('audit').select(['event', 'user_id']).execute();
  const told = audit.filter((each) => each.user_id === 'isthmus keys').map(({ event }) => event);
  assert.deepEqual([...new Set(told)].toSorted(), [
    'DATA_KEY_REPLACED',
    'KEK_REPLACED',
    'KEYS_REVOKED',
    'ROOT_REPLACED',
  ]);

  const verify = (...args: readonly string[]): Promise<string> =>
    runIsthmus(t, ['audit', 'verify', ...args, '--data-dir', dir]);
  const { head, faults } = JSON.parse(await verify('--json')) as {
    head: { seq: number; hash: string };
    faults: unknown[];
  };
  assert.deepEqual([head.seq, faults], [audit.length, []]);
  assert.match(await verify('--head', `${head.seq}:${head.hash}`), /each as it was written/);
  await letAuditGo(storage);
  await storage.db.deleteFrom('audit').where('event', '=', 'ROOT_REPLACED').execute();
  const broken = ['audit', 'verify', '--data-dir', dir];
  assert.match(await runIsthmus(t, broken, { exitCode: 1 }), /NOT as they were written/);
  await assert.rejects(verify('--head', 'none'), /must be like/);
});
