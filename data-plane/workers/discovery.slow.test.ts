import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { everySecond, startCheckedBackends } from '../../test/kit/gateway/endpoints/checked.ts';
import { byConsul, grouped, instanceOf } from '../../test/kit/gateway/endpoints/found.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';
import { startConsul } from '../../test/kit/servers/consul.ts';

test('with several workers one process asks and checks, all call what it finds, and a worker that comes later knows', async (t) => {
  const [a, b, c] = await startCheckedBackends(t, 'abc');
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [instanceOf(a), instanceOf(b)]);
  const checked = everySecond({ failureThreshold: 1, successThreshold: 1 });
  const api = grouped('api', { services: { ...byConsul(consul).services, ...checked } });
  const gateway = await startWorkerGateway(t, {
    apis: { api },
    set: ['healthCheck.jitterMsMax=0', 'report.enabled=false', 'discovery.everyMsMin=1'],
  });
  // Each call has a connection of its own, so that both workers are met.
  const found = async (): Promise<string> => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => gateway.call('/api')));
    return [...new Set(answers.map(({ status, text }) => (status === 200 ? text : String(status))))]
      .toSorted()
      .join(' ');
  };
  const isFound = (names: string) => eventually(async () => (await found()) === names, { timeoutMs: 10_000 });
  await isFound('a b');
  await eventually(() => consul.waiting() === 1);
  consul.register('web', [instanceOf(a), instanceOf(b), instanceOf(c)]);
  await isFound('a b c');
  b.health = 500;
  await isFound('a c');
  const asked = consul.asked.length;
  await gateway.replace();
  for (let turn = 0; turn < 5; turn += 1) assert.equal(await found(), 'a c');
  assert.equal(consul.asked.length, asked, 'the primary has asked, and waits');
  consul.fault = { kind: 'status', status: 503 };
  consul.cut();
  await eventually(async () => (await gateway.metric('isthmus_discovery_groups{state="problem"}')) === 1);
  await gateway.replace();
  assert.equal(await found(), 'a c');
  assert.equal(await gateway.metric('isthmus_discovery_endpoints'), 3);
});
