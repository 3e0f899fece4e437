import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startNodeApi, type NodeApiOptions } from './node-api.ts';

interface Started {
  readonly clock: FakeClock;
  readonly logged: readonly string[];
  close(): Promise<void>;
  ask(path: string): Promise<{ readonly status: number; readonly body: unknown }>;
}

async function start(t: TestContext, wish: Partial<NodeApiOptions>): Promise<Started> {
  const logged: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const clock = createFakeClock();
  const lifecycle = createLifecycle({ log, clock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const port = await startNodeApi({
    process: 'gateway',
    version: '1.2.3',
    address: { host: '127.0.0.1', port: 0 },
    metrics: createMetrics(),
    health: () => ({ degraded: [] }),
    ready: () => ({ parts: {} }),
    log,
    clock,
    lifecycle,
    ...wish,
  });
  return {
    clock,
    logged,
    close: () => lifecycle.close(),
    async ask(path) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, body: await answer.json() };
    },
  };
}

const named = { process: 'gateway', version: '1.2.3' };

test('health is 200 however degraded, 503 only when nothing works; the process lives either way', async (t) => {
  let isUp = true;
  const health = () => ({ isUp, degraded: ['spool'], facts: { spool: { state: 'degraded' } } });
  const { ask } = await start(t, { health });
  const facts = { degraded: ['spool'], spool: { state: 'degraded' } };
  assert.deepEqual(await ask('/health'), { status: 200, body: { ...named, status: 'UP', ...facts } });
  isUp = false;
  assert.deepEqual(await ask('/health'), { status: 503, body: { ...named, status: 'DOWN', ...facts } });
  assert.deepEqual(await ask('/health/live'), { status: 200, body: { status: 'UP' } });
});

test('one part that is not ready makes the whole not ready, and is named', async (t) => {
  const ready = () => ({ parts: { database: true, bucket: false }, facts: { waitsFor: 'the bucket' } });
  const { ask } = await start(t, { ready });
  const parts = { database: 'UP', bucket: 'DOWN', open: 'UP' };
  assert.deepEqual(await ask('/health/ready'), {
    status: 503,
    body: { ready: false, parts, waitsFor: 'the bucket' },
  });
});

test('what hangs makes a process degraded and not ready after 2 s, and the API answers', async (t) => {
  let asked = 0;
  const hang = (): Promise<never> => (asked++, new Promise(() => undefined));
  const { ask, clock } = await start(t, { health: hang, ready: hang });
  for (const [path, expected] of [
    ['/health', { status: 200, body: { ...named, status: 'UP', degraded: ['answer'] } }],
    ['/health/ready', { status: 503, body: { ready: false, parts: { answer: 'DOWN', open: 'UP' } } }],
  ] as const) {
    const before = asked;
    const answer = ask(path);
    while (asked === before) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2_000);
    assert.deepEqual(await answer, expected);
  }
});

test('what throws is a 500 without its words, which the log has', async (t) => {
  const health = (): never => {
    throw new Error('a secret word');
  };
  const { ask, logged } = await start(t, { health });
  assert.deepEqual(await ask('/health'), {
    status: 500,
    body: {
      httpStatus: 500,
      message: 'Unexpected error.',
      technicalCode: 'platform.bug',
      parameters: { hint: 'Report it with the transaction id; the log has the stack.' },
      details: [],
    },
  });
  assert.match(logged.join(''), /a secret word/);
});
