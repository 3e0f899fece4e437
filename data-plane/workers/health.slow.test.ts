import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { endpointsOf, everySecond, startCheckedBackend } from '../../test/kit/gateway/endpoints/checked.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

test('with several workers one process checks, with what definitions may name of its secrets, all take an endpoint out that it finds down, and a worker that comes later knows', async (t) => {
  const [a, b] = [await startCheckedBackend(t, 'a'), await startCheckedBackend(t, 'b')];
  const api = apiDefinition('api', '', {
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        endpoints: endpointsOf([a, b]),
        services: everySecond({ failureThreshold: 1, successThreshold: 1 }),
        sharedConfiguration: { headers: [{ name: 'X-Word', value: "{#secrets.get('/env/WORD')}" }] },
      },
    ],
  });
  const gateway = await startWorkerGateway(t, {
    apis: { api },
    env: { ISTHMUS_SECRET_WORD: 'sesame' },
    set: ['healthCheck.jitterMsMax=0', 'report.enabled=false'],
  });
  const state = async (name: string): Promise<string | undefined> => {
    const answer = await fetch(`${gateway.nodeApi}/endpoints`);
    const { data } = (await answer.json()) as {
      readonly data: readonly { endpoint: string; state: string }[];
    };
    return data.find(({ endpoint }) => endpoint === name)?.state;
  };
  // Each call has a connection of its own, so that both workers are met.
  const found = async (): Promise<string> => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => gateway.call('/api')));
    return [...new Set(answers.map(({ text }) => text))].toSorted().join(' ');
  };
  const isFound = (names: string) => eventually(async () => (await found()) === names, { timeoutMs: 10_000 });
  await isFound('a b');
  await eventually(() => a.checks.some(({ line }) => line === 'GET /health'));
  assert.equal(a.checks[0]?.headers['x-word'], 'sesame');
  await eventually(async () => {
    await gateway.call('/api/health/by-a-worker');
    return a.checks.some(({ line, headers }) => line.endsWith('worker') && headers['x-word'] === 'sesame');
  });

  b.health = 500;
  await eventually(async () => (await state('b')) === 'DOWN', { timeoutMs: 10_000 });
  await isFound('a');
  const [before, startedMs] = [a.checks.length, performance.now()];
  await gateway.replace();
  for (let turn = 0; turn < 5; turn += 1) assert.equal(await found(), 'a');
  const seconds = (performance.now() - startedMs) / 1_000;
  assert.ok(a.checks.length - before <= seconds + 2, 'one check a second, whoever comes and goes');

  b.health = 200;
  await eventually(async () => (await state('b')) === 'UP', { timeoutMs: 10_000 });
  await isFound('a b');
  assert.equal(await gateway.metric('isthmus_endpoint_up{api="api",endpoint="b"}'), 1);
});
