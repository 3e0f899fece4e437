import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { sayWaits, waitsOf } from '../kit/processes/callers.ts';
import { startNode } from '../kit/processes/processes.ts';
import { adminPassword, startPlatform } from '../kit/processes/up.ts';
import { percentile } from '../kit/percentile.ts';

const writers = 8;
const rounds = 5;
const roundMs = 3_000;
const writersMain = join(import.meta.dirname, '../kit/control-plane/management-writers-main.ts');

/**
 * Eight writers, their control plane, the gateway and the callers want more cores than a machine may have. So the yardstick is the same
 * work on another platform of this machine: it takes the same cores away, and can hold up nothing but by that.
 */
test('eight clients that write to the management API hold up callers of /demo/echo little more than if they wrote to another platform', async (t) => {
  const [here, elsewhere] = [await startScene(t), await startScene(t)];
  const echo = `${here.up.gateway}/demo/echo`;
  await waitsOf(echo, roundMs);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const idle = await waitsOf(echo, roundMs);
    const foreign = await elsewhere.whileWriting(() => waitsOf(echo, roundMs));
    const own = await here.whileWriting(() => waitsOf(echo, roundMs));
    ratios.push(own.result.p99 / foreign.result.p99);
    t.diagnostic(
      `idle ${sayWaits(idle)}; writers elsewhere ${sayWaits(foreign.result)}, ${foreign.deploys} deploys; writers here ${sayWaits(own.result)}, ${own.deploys} deploys`,
    );
  }
  const median = percentile(ratios, 0.5);
  t.diagnostic(`p99 here / elsewhere: ${ratios.map((one) => one.toFixed(2)).join(', ')}`);
  // Twice is what is promised and measured on a quiet machine (1.7 and 1.8); a p99 of some hundred calls is noisy where others work.
  assert.ok(median <= 3, `p99 is ${ratios.map((one) => one.toFixed(1)).join(', ')} times as long`);
});

/** A platform with an API for each writer. */
async function startScene(t: TestContext) {
  // A machine that is busy with others may make any process late: then callers wait, and are not sent away.
  const up = await startPlatform(t, { args: ['--set', 'gateway.listen.eventLoopLagMsMax=0'] });
  const wish = { target: 'http://127.0.0.1:9', security: 'KEY_LESS' } as const;
  const apis: string[] = [];
  for (let n = 0; n < writers; n += 1)
    apis.push((await up.client.createApi({ ...wish, path: `/written-${n}` })).id);
  const whileWriting = async <Result>(work: () => Promise<Result>) => {
    const load = startNode(t, [writersMain, up.management, adminPassword, String(writers), ...apis]);
    await eventually(() => load.output().includes('.'), { timeoutMs: 20_000 });
    const before = load.output().length;
    const result = await work();
    assert.ok(load.isRunning(), load.output());
    load.kill('SIGKILL');
    await load.ended;
    return { result, deploys: load.output().length - before };
  };
  return { up, whileWriting };
}
