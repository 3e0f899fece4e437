import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { testDatabases } from '../kit/servers/databases.ts';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type Hybrid } from '../kit/processes/hybrid.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { runIsthmus } from '../kit/processes/processes.ts';
import { join } from 'node:path';

const skip = testDatabases.find((database) => database.name === 'postgres')?.skip ?? false;
const apiCount = 1_000;

test(
  'the border is cut: the gateway serves, restarts cold from SQLite, and converges alone',
  { skip },
  async (t) => {
    const upstream = await startUpstream(t);
    const hybrid = await startHybrid(t, {
      database: 'postgres',
      bucket: 'folder',
      isBorderStrict: false,
      gateways: 1,
    });
    const gateway = hybrid.gateways[0] ?? '';
    const status = async (path: string): Promise<number> => {
      const answer = await fetch(`${gateway}${path}`);
      await answer.arrayBuffer();
      return answer.status;
    };
    for (let n = 0; n < apiCount; n += 1) {
      await hybrid.client.createApi({ path: `/api-${n}`, target: upstream.url, security: 'KEY_LESS' });
    }
    await eventually(async () => (await status(`/api-${apiCount - 1}`)) === 200);

    await t.test('without its bridge it goes on', async () => {
      await hybrid.kill('bridge');
      assert.equal(await status('/api-0'), 200);
      assert.equal((await fetch(`${hybrid.nodeApis[0]}/health/ready`)).status, 200);
    });

    await t.test(
      `killed and started cold without a bridge it serves ${apiCount} APIs from SQLite within 1.5 s`,
      async (sub) => {
        await hybrid.kill('gateway-0');
        const versionMs = await timeOfVersion(t);
        const startedMs = performance.now();
        hybrid.startUnready('gateway-0');
        await eventually(async () => (await status(`/api-${apiCount - 1}`)) === 200, {
          timeoutMs: 10_000,
          everyMs: 5,
        });
        const tookMs = performance.now() - startedMs;
        sub.diagnostic(
          `first answer ${tookMs.toFixed(0)} ms after the start of the process; isthmus version takes ${versionMs.toFixed(0)} ms`,
        );
        // A machine that is busy with other work starts everything later.
        assert.ok(tookMs <= Math.max(1_500, 20 * versionMs), `served after ${tookMs.toFixed(0)} ms`);
        assert.match(hybrid.process('gateway-0').output(), /serving seq \d+, age/);
      },
    );

    await t.test('what was deployed meanwhile arrives when the bridge is back', async () => {
      await hybrid.client.createApi({ path: '/meanwhile', target: upstream.url, security: 'KEY_LESS' });
      assert.equal(await status('/meanwhile'), 404);
      await hybrid.start('bridge');
      await eventually(async () => (await status('/meanwhile')) === 200, { timeoutMs: 30_000, everyMs: 50 });
    });

    await t.test(
      'after a restore of an older backup gateways follow the new epoch without a hand',
      async () => {
        const file = join(hybrid.dir, 'backup.isthmus');
        const config = join(hybrid.dir, 'control-plane.yaml');
        await runIsthmus(t, ['backup', '--config', config, file]);
        await hybrid.client.createApi({ path: '/after-backup', target: upstream.url, security: 'KEY_LESS' });
        await eventually(async () => (await status('/after-backup')) === 200);
        await hybrid.kill('control-plane', 'SIGTERM');
        await hybrid.kill('bridge', 'SIGTERM');
        await runIsthmus(t, ['restore', '--config', config, '--yes', file]);
        await hybrid.start('control-plane');
        await hybrid.start('bridge');
        await eventually(async () => (await status('/after-backup')) === 404, {
          timeoutMs: 30_000,
          everyMs: 50,
        });
        assert.equal(await status('/meanwhile'), 200);
        await hybrid.client.createApi({ path: '/new-epoch', target: upstream.url, security: 'KEY_LESS' });
        await eventually(async () => (await status('/new-epoch')) === 200);
        await eventually(async () => (await epochOf(hybrid)) >= 2);
      },
    );
  },
);

/** The shortest that any process of ours takes here, from start to end. */
async function timeOfVersion(t: TestContext): Promise<number> {
  let best = Infinity;
  for (let n = 0; n < 3; n += 1) {
    const startedMs = performance.now();
    await runIsthmus(t, ['version']);
    best = Math.min(best, performance.now() - startedMs);
  }
  return best;
}

async function epochOf(hybrid: Hybrid): Promise<number> {
  const health = (await (await fetch(`${hybrid.nodeApis[0]}/health/ready`)).json()) as {
    environments: { epoch: number }[];
  };
  return Math.max(...health.environments.map((environment) => environment.epoch));
}
