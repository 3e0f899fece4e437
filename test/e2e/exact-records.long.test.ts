import assert from 'node:assert/strict';
import { Random } from '../kit/random.ts';
import { test } from 'node:test';
import { testDatabases } from '../kit/servers/databases.ts';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type ProcessName } from '../kit/processes/hybrid.ts';
import { countRequestIds } from '../kit/control-plane/lake.ts';
import { startLoad } from '../kit/servers/load.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

const skip = testDatabases.find((database) => database.name === 'postgres')?.skip ?? false;
const rounds = Number(process.env['ISTHMUS_TEST_KILL_ROUNDS'] ?? 10);
const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? 20_261_124);
const victims: readonly ProcessName[] = [
  'gateway-0',
  'shipper-0',
  'bridge',
  'control-plane',
  'gateway-1',
  'shipper-1',
];

test(
  `every answered request is in the lake exactly once though processes are killed in turn (${rounds} rounds, seed ${seed})`,
  { skip },
  async (t) => {
    const upstream = await startUpstream(t);
    const hybrid = await startHybrid(t, {
      database: 'postgres',
      bucket: 'folder',
      isBorderStrict: false,
      gateways: 2,
    });
    await hybrid.client.createApi({ path: '/exact', target: upstream.url, security: 'KEY_LESS' });
    for (const gateway of hybrid.gateways)
      await eventually(async () => (await fetch(`${gateway}/exact`)).status === 200);
    const warmUps = hybrid.gateways.length;

    const random = new Random(seed, 0);
    const load = startLoad({
      urls: hybrid.gateways.map((gateway) => `${gateway}/exact/x`),
      concurrency: 8,
      pauseMs: 2,
    });
    for (let round = 0; round < rounds; round += 1) {
      // Every process is the victim once before the seed chooses.
      const victim = victims[round] ?? victims[random.below(victims.length)] ?? 'bridge';
      const answeredBefore = load.answeredSoFar();
      await eventually(() => load.answeredSoFar() > answeredBefore + 50 + random.below(400), {
        timeoutMs: 30_000,
      });
      await hybrid.kill(victim, 'SIGKILL');
      const answeredAtKill = load.answeredSoFar();
      await eventually(() => load.answeredSoFar() > answeredAtKill + random.below(200), {
        timeoutMs: 30_000,
      });
      await hybrid.start(victim);
    }
    const result = await load.stop();
    t.diagnostic(
      `${result.answered.size} answered, ${result.failed.length} without an answer, ${rounds} kills`,
    );
    assert.deepEqual(result.unexpected, []);

    // The lake is complete when every answered request is there; what stands beside them is judged then.
    const missing = async (): Promise<number> => {
      const seen = await countRequestIds(hybrid);
      return [...result.answered.keys()].filter((id) => !seen.has(id)).length;
    };
    await eventually(
      async () =>
        (await missing()) === 0 ||
        Promise.reject(new Error(`${await missing()} answered requests are not in the lake`)),
      {
        timeoutMs: 120_000,
        everyMs: 1_000,
      },
    );
    const seen = await countRequestIds(hybrid);
    assert.deepEqual(
      [...seen].filter(([, count]) => count > 1),
      [],
      'records that stand in the lake more than once',
    );
    // Whoever was refused a connection had no request in flight.
    const inFlight = result.failed.filter((why) => !why.includes('ECONNREFUSED')).length;
    const extra = [...seen.keys()].filter((id) => !result.answered.has(id)).length - warmUps;
    assert.ok(
      extra <= inFlight,
      `${extra} records of requests that nobody was answered; only ${inFlight} were in flight at a kill`,
    );
  },
);
