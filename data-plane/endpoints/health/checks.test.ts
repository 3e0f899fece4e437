import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { HealthRecord } from '../../../proto/model/api/health-record.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import {
  endpointsOf,
  everySecond,
  groupOf,
  startCheckedBackends,
  startCheckingGateway,
} from '../../../test/kit/gateway/endpoints/checked.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { readRecords } from '../../../test/kit/gateway/reporter.ts';
import { swapDefinition } from '../../../test/kit/gateway/swap.ts';

/** So many records of checks, once they are on disk. */
const healthRecords = ({ folder }: { readonly folder: string }, count: number) =>
  eventually(async () => {
    const all = await readRecords(join(folder, '..', 'data', 'spool'));
    const found = all.filter(({ type }) => type === 'health-check');
    return found.length === count && found;
  });

test('what hangs or cannot be connected to is a failure within checkMsMax, and no more checks run than may, of one API and in all', async (t) => {
  const backends = await startCheckedBackends(t, 'abcdefgh');
  for (const backend of backends) backend.health = 'hang';
  const api = (id: string) => {
    const endpoints = endpointsOf(backends).map((each) => ({ ...each, name: `${id}-${each.name}` }));
    return apiDefinition(id, '', groupOf(endpoints, { services: everySecond({ failureThreshold: 1 }) }));
  };
  const bounds = { inFlightMax: 5, inFlightPerApiMax: 3, checkMsMax: 400 };
  const gateway = await startCheckingGateway(
    t,
    { one: api('one'), two: api('two') },
    { healthCheck: bounds },
  );
  const hanging = (): number => backends.reduce((sum, backend) => sum + backend.hanging(), 0);
  await gateway.clock.advance(1_000);
  await eventually(() => hanging() === 5);
  assert.deepEqual(new Set(Object.values(await gateway.states())), new Set(['UP']));
  for (let turn = 0; turn < 4; turn += 1) {
    await gateway.clock.advance(400);
    await eventually(async () => {
      const down = Object.values(await gateway.states()).filter((state) => state === 'DOWN').length;
      return down >= Math.min(16, 5 * (turn + 1));
    });
    assert.ok(hanging() <= 5);
  }
  const { data } = (await (await fetch(`${gateway.nodeApi}/endpoints`)).json()) as {
    readonly data: readonly { problem: string }[];
  };
  assert.ok(data.some(({ problem }) => problem === 'was not answered within its time'));
});

test('endpoints are checked at different times within jitterMsMax, each always at the same', async (t) => {
  const backends = await startCheckedBackends(t, 'abcdefgh');
  const api = apiDefinition('api', '', groupOf(endpointsOf(backends), { services: everySecond() }));
  const config = { healthCheck: { jitterMsMax: 900 }, report: { enabled: true } };
  const gateway = await startCheckingGateway(t, { api }, config);
  const all = endpointsOf(backends)
    .map(({ name }) => `${name} UP`)
    .join(', ');
  await gateway.tick(backends, all);
  await gateway.tick(backends, all);
  const offsets = new Map<unknown, Set<number>>();
  for (const { endpoint_name: name, timestamp } of await healthRecords(gateway, 16))
    offsets.set(name, (offsets.get(name) ?? new Set()).add(Number(timestamp) % 1_000));
  const different = new Set([...offsets.values()].flatMap((each) => [...each]));
  assert.deepEqual(new Set([...offsets.values()].map((each) => each.size)), new Set([1]));
  assert.ok(different.size >= 4 && [...different].every((ms) => ms < 900), [...different].join(', '));
});

test('a timer that is early makes no second check', async (t) => {
  const [a] = await startCheckedBackends(t, 'a');
  assert.ok(a !== undefined);
  const clock = createFakeClock();
  const early: Clock = { ...clock, now: clock.now, after: (ms, callback) => clock.after(ms - 2, callback) };
  const api = apiDefinition('api', '', groupOf(endpointsOf([a]), { services: everySecond() }));
  const config = { healthCheck: { jitterMsMax: 0 } };
  const gateway = await startLocalGateway(t, { apis: { api }, clock: early, config });
  const checkedAt = async (): Promise<string | undefined> => {
    const answer = await fetch(`${gateway.nodeApi}/endpoints`);
    return ((await answer.json()) as { readonly data: readonly { checkedAt?: string }[] }).data[0]?.checkedAt;
  };
  for (let turn = 0; turn < 3; turn += 1) {
    await clock.advance(998);
    // Whoever is still at it leaves the next check out.
    await eventually(async () => (await checkedAt()) === new Date(clock.now()).toISOString());
    await clock.advance(2);
  }
  assert.equal(a.checks.length, 3);
});

test('a new revision keeps the state of an endpoint that is where it was, and no timer, whatever else of it changes; another target begins anew', async (t) => {
  const [a, b] = await startCheckedBackends(t, 'ab');
  assert.ok(a !== undefined && b !== undefined);
  const version = (changes: object, target = b.url) =>
    apiDefinition('api', '', {
      ...groupOf(endpointsOf([a, b], { b: { configuration: { target } } }), {
        services: everySecond({ failureThreshold: 1, successThreshold: 1 }),
      }),
      ...changes,
    });
  // A thousand revisions in one turn hold up the event loop for longer than a gateway lets requests wait.
  const config = { listen: { eventLoopLagMsMax: 0 } };
  const gateway = await startCheckingGateway(t, { api: version({}) }, config);
  b.health = 500;
  await gateway.tick([a, b], 'a UP, b DOWN');
  const open = (): readonly number[] => [
    gateway.clock.pending,
    process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length,
  ];
  await gateway.found('/api', 2);
  const opened = open();
  for (let turn = 0; turn < 1_000; turn += 1)
    swapDefinition(gateway, version({ apiVersion: `${turn}` }), turn);
  await eventually(() => open().every((count, at) => count <= (opened[at] ?? 0)));
  assert.equal(await gateway.found('/api', 3), 'a a a');
  const before = b.checks.length;
  await gateway.tick([a, b], 'a UP, b DOWN');
  await gateway.tick([a, b], 'a UP, b DOWN');
  assert.equal(b.checks.length, before + 2, 'one check a second, as before a thousand revisions');
  swapDefinition(gateway, version({}, `${b.url}/elsewhere`), 1_001);
  assert.deepEqual(await gateway.states(), { a: 'UP', b: 'UP' });
  swapDefinition(gateway, apiDefinition('api', '', groupOf(endpointsOf([a, b]))), 1_002);
  assert.deepEqual(await gateway.states(), {});
  const checks = a.checks.length + b.checks.length;
  await gateway.clock.advance(3_000);
  assert.equal(a.checks.length + b.checks.length, checks, 'nobody checks what nobody asks for');
});

test('every check has a record, whose fields are those of the table; an API without analytics has none', async (t) => {
  const [a, b] = await startCheckedBackends(t, 'ab');
  assert.ok(a !== undefined && b !== undefined);
  b.health = 500;
  const services = everySecond({ failureThreshold: 1, target: '/health?api-key=secret' });
  const gateway = await startCheckingGateway(
    t,
    {
      api: apiDefinition('api', '', groupOf(endpointsOf([a, b]), { services })),
      quiet: apiDefinition('quiet', '', {
        ...groupOf(endpointsOf([a], { a: { name: 'q' } }), { services }),
        analytics: { enabled: false },
      }),
    },
    { report: { enabled: true } },
  );
  await gateway.tick([a, b], 'a UP, b DOWN, q UP');
  await gateway.tick([a, b], 'a UP, b DOWN, q UP');
  const records = await healthRecords(gateway, 4);
  for (const record of records) assert.deepEqual(HealthRecord.parse(record), record);
  const ofB = records.filter((record) => record['endpoint_name'] === 'b');
  assert.deepEqual(
    ofB.map(({ success, available, state, transition, check_status, message }) => [
      success,
      available,
      state,
      transition,
      check_status,
      message,
    ]),
    [
      [0, 0, 0, 1, 500, 'the assertion does not hold'],
      [0, 0, 0, 0, 500, 'the assertion does not hold'],
    ],
  );
  assert.ok(!JSON.stringify(records).includes('secret'));
});
