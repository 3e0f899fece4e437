import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../kit/eventually.ts';
import { startNode } from '../kit/processes/processes.ts';
import { adminPassword, startPlatform } from '../kit/processes/up.ts';

const writers = 8;
const rounds = 5;
const roundMs = 3_000;
/** A few callers with pauses: what is asked is how long one waits, not how many fit. */
const callers = 4;
const pauseMs = 10;
const writersMain = join(import.meta.dirname, '../kit/control-plane/management-writers-main.ts');

/**
 * Eight writers, their control plane, the gateway and the callers want more cores than a machine may have. So the yardstick is the same
 * work on another platform of this machine: it takes the same cores away, and can hold up nothing but by that.
 */
test('eight clients that write to the management API hold up callers of /demo/echo little more than if they wrote to another platform', async (t) => {
  const [here, elsewhere] = [await startScene(t), await startScene(t)];
  const echo = `${here.up.gateway}/demo/echo`;
  await waits(echo);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const idle = await waits(echo);
    const foreign = await elsewhere.whileWriting(() => waits(echo));
    const own = await here.whileWriting(() => waits(echo));
    ratios.push(own.result.p99 / foreign.result.p99);
    t.diagnostic(
      `idle ${say(idle)}; writers elsewhere ${say(foreign.result)}, ${foreign.deploys} deploys; writers here ${say(own.result)}, ${own.deploys} deploys`,
    );
  }
  const median = ratios.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Infinity;
  t.diagnostic(`p99 here / elsewhere: ${ratios.map((one) => one.toFixed(2)).join(', ')}`);
  // Twice is what is promised and measured on a quiet machine (1.7 and 1.8); a p99 of some hundred calls is noisy where others work.
  assert.ok(median <= 3, `p99 is ${ratios.map((one) => one.toFixed(1)).join(', ')} times as long`);
});

const say = ({ p50, p99, max }: Waits): string =>
  `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(0)} ms`;

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

/** How long answers took, in milliseconds. */
interface Waits {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Asks for a while. */
async function waits(url: string): Promise<Waits> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const times: number[] = [];
  const untilMs = performance.now() + roundMs;
  const call = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      assert.equal(await ask(agent, url), 200);
      times.push(performance.now() - startedMs);
      await delay(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function ask(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
