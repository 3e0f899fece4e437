import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { startWorkerGateway, type WorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import { countFor } from './counting.ts';

const limit = 100;

/** Two workers and an API that lets 100 requests of all its callers pass. */
async function stage(t: TestContext, waitMsMax: number): Promise<WorkerGateway> {
  const { url } = await startUpstream(t);
  const rate = { limit, periodTime: 600, periodTimeUnit: 'MINUTES' };
  const flows = [flow('/', { request: [['rate-limit', { rate, addHeaders: true }]] })];
  return startWorkerGateway(t, {
    apis: { a: apiDefinition('a', url, { flows }) },
    set: [`limits.waitMsMax=${waitMsMax}`],
  });
}

/** Asks on new connections, ten at a time; how many passed, by worker. */
async function ask(gateway: WorkerGateway, times: number) {
  const passed = new Map<string, number>();
  const statuses: Record<number, number> = {};
  const remaining: number[] = [];
  for (let asked = 0; asked < times; asked += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => gateway.call('/a')));
    for (const { status, headers } of answers) {
      const worker = String(headers['x-gravitee-request-id']).slice(0, 24);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status !== 200) continue;
      passed.set(worker, (passed.get(worker) ?? 0) + 1);
      remaining.push(Number(headers['x-rate-limit-remaining']));
    }
  }
  return { statuses, passed, remaining };
}

test('a limit of 100 over two workers lets exactly 100 pass, each with another number remaining', async (t) => {
  const gateway = await stage(t, 60_000);
  const { statuses, passed, remaining } = await ask(gateway, 300);
  assert.deepEqual(statuses, { 200: limit, 429: 200 });
  assert.equal(passed.size, 2, 'both workers let some pass');
  assert.deepEqual(
    remaining.toSorted((a, b) => a - b),
    Array.from({ length: limit }, (_, index) => index),
  );
  assert.equal(await gateway.metric('isthmus_gateway_counted_alone_total'), 0);
});

test('while the primary is late the workers together let no more pass than the limit, mark it and say so once; then the primary counts again', async (t) => {
  const gateway = await stage(t, 300);
  const alone = (): Promise<number> => gateway.metric('isthmus_gateway_counted_alone_total');
  gateway.process.kill('SIGSTOP');
  const asked = 2 * limit + 100;
  const { statuses, passed } = await ask(gateway, asked);
  gateway.process.kill('SIGCONT');
  const { 200: all = 0, 429: refused = 0 } = statuses;
  assert.equal(all + refused, asked);
  assert.ok(all >= limit / 2 && all <= limit, `${all}`);
  for (const count of passed.values()) assert.ok(count <= limit / 2, `${count}`);
  assert.match(gateway.process.output(), /RATE_LIMIT_NOT_APPLIED/);
  const said = (): number => gateway.process.output().split('the primary did not count within').length - 1;
  await eventually(() => said() === passed.size);
  await eventually(async () => {
    const before = await alone();
    await ask(gateway, 10);
    return before >= limit && (await alone()) === before;
  });
  assert.equal(said(), passed.size);
});

test('the primary counts a batch in its order, apart by environment', () => {
  const counters = createMemoryCounters({ windowsMax: 10, clock: createFakeClock(0) });
  const rule = { kind: 'fixed', windowMs: 1_000 } as const;
  const take = (environment: string, amount: number) => ({ environment, key: 'k', rule, amount });
  const takes = [take('one', 1), take('one', 2), take('two', 1), take('one', 0)];
  assert.deepEqual(countFor({ kind: 'take', batch: 7, takes }, counters), {
    kind: 'taken',
    batch: 7,
    counts: [1, 3, 1, 3],
    resetsAtMs: [1_000, 1_000, 1_000, 1_000],
  });
});
