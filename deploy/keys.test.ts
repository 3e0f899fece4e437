import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStorage } from '../control-plane/storage/storage.ts';
import { eventually } from '../test/kit/eventually.ts';
import { runIsthmus } from '../test/kit/processes/processes.ts';
import { startPlatform } from '../test/kit/processes/up.ts';

const log = { info: () => undefined, warn: () => undefined };

interface Health {
  readonly degraded: readonly string[];
  readonly sync: { readonly isConnected: boolean; readonly refused: object };
}
interface Ready {
  readonly environments: readonly { readonly epoch: number; readonly refused: object }[];
}

test('isthmus keys takes keys and the root out of use under a running platform; its gateway follows without a hand', async (t) => {
  const { dir, nodeApi, gateway } = await startPlatform(t);
  const keys = (...args: readonly string[]): Promise<string> =>
    runIsthmus(t, ['keys', ...args, '--data-dir', dir]);
  await assert.rejects(keys('revoke'), /say --yes/);
  await assert.rejects(keys('roll-root'), /say --yes/);
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

  const { degraded, sync } = (await (await fetch(`${nodeApi}/health`)).json()) as Health;
  assert.deepEqual([degraded, sync.isConnected, sync.refused], [[], true, {}]);
  assert.equal((await fetch(`${gateway}/demo/echo`)).status, 200);
  const storage = await openStorage({ dataDir: dir, log, mode: 'existing' });
  t.after(() => storage.close());
  const audit = await storage.db.selectFrom('audit').select(['event', 'user_id']).execute();
  const told = audit.filter((each) => each.user_id === 'isthmus keys').map(({ event }) => event);
  assert.deepEqual(told.toSorted(), ['KEYS_REVOKED', 'KEYS_REVOKED', 'ROOT_REPLACED']);
});
