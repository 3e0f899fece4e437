import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { apiDefinition, flow, startLocalGateway } from '../kit/gateway/gateway.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { percentile } from '../kit/percentile.ts';

/**
 * Scripts that would run for ever, or take all memory, are ended beside traffic that has nothing to do with them. That each is ended within
 * 200 ms of its budget `data-plane/script/sandbox.slow.test.ts` holds, which has no thread to wait for.
 */

const timeoutMs = 100;
const windows = 12;
const windowMs = 1_000;
/** Both kinds of window alternate, so that a machine that others use too is late in both. */
const ratioMax = 2;
/** A thread of scripts on a machine of two cores takes slices of the kernel from the others: 5 to 6 ms on a quiet machine that waits 2 to 3 without. */
const slicesMsMax = 20;

const bombs: Readonly<Record<string, string>> = {
  loop: 'while (true);',
  caught: 'for (;;) { try { while (true); } catch {} finally { continue; } }',
  memory: 'const a = []; for (;;) a.push("x".repeat(100_000) + a.length)',
  doubled: 'let x = "a"; for (;;) { try { x += x } catch { x = "a" } }',
};

test('others are served while scripts that never end are ended: p99 grows by time slices of the kernel, not by budgets of scripts', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      plain: apiDefinition('plain', url),
      ...Object.fromEntries(
        Object.entries(bombs).map(([name, script]) => [
          name,
          apiDefinition(name, url, { flows: [flow('/', { request: [['js', { script }]] })] }),
        ]),
      ),
    },
    // One of the two cores is the gateway's and this test's.
    config: { policy: { js: { timeoutMs, threadsMax: 1, waitMsMax: 5_000 } } },
  });
  const paced = pacer(t, gateway.port);
  for (const name of Object.keys(bombs)) await gateway.call(`/${name}`);
  await paced(windowMs);
  const calm: number[] = [];
  const bombed: number[] = [];
  const ended: number[] = [];
  for (let window = 0; window < windows; window += 1) {
    calm.push(p99(await paced(windowMs)));
    const stop = new AbortController();
    const throwing = throwBombs(gateway, stop.signal);
    bombed.push(p99(await paced(windowMs)));
    stop.abort();
    ended.push(...(await throwing));
  }
  const [without, beside] = [median(calm), median(bombed)];
  t.diagnostic(
    `p99 ${without.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside ${ended.length} bombs, which were answered after ${median(ended).toFixed(0)} ms, ${Math.max(...ended).toFixed(0)} ms at most`,
  );
  assert.ok(ended.length >= windows, `${ended.length} bombs`);
  assert.ok(beside <= ratioMax * without + slicesMsMax, `${beside} ms beside ${without} ms`);
});

type Gateway = Awaited<ReturnType<typeof startLocalGateway>>;

/** One after another; how long each took, in ms. */
async function throwBombs(gateway: Gateway, signal: AbortSignal): Promise<readonly number[]> {
  const took: number[] = [];
  while (!signal.aborted)
    for (const name of Object.keys(bombs)) {
      const startedMs = performance.now();
      const { status, text } = await gateway.call(`/${name}`);
      took.push(performance.now() - startedMs);
      assert.equal(status, 500, text);
    }
  return took;
}

/** Requests at planned times, so that one that waits holds no other back; latencies in ms, from when each was planned. */
function pacer(t: Pick<TestContext, 'after'>, port: number): (forMs: number) => Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  t.after(() => agent.destroy());
  const everyMs = 4;
  const one = (plannedMs: number): Promise<number> =>
    new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/plain', agent }, (response) => {
        response.resume().on('end', () => resolve(performance.now() - plannedMs));
      })
        .on('error', reject)
        .end();
    });
  return async (forMs) => {
    const startMs = performance.now();
    const asked: Promise<number>[] = [];
    while (performance.now() - startMs < forMs) {
      const dueMs = startMs + asked.length * everyMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0.5) await delay(waitMs);
      asked.push(one(Math.max(dueMs, startMs)));
    }
    return Promise.all(asked);
  };
}

const p99 = (values: readonly number[]): number => percentile(values, 0.99);
const median = (values: readonly number[]): number => percentile(values, 0.5);
