import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from '../../../test/kit/control-plane/event-reader.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { basic, environment, openOffice, password } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import { callsPerLookMax, newsMsMax } from './tail.ts';

test('calls are told as they arrive, to whoever may read them and as narrowed; who comes back gets what he missed', async (t) => {
  const database = testDatabases[0] as TestDatabase;
  const lake = await createTestLake(t, database);
  const office = await openOffice(t, database, { analytics: await lake.start() });
  const { id } = await office.deployedApi('/pets');
  const { id: hidden } = await office.deployedApi('/hidden');
  const made = await office.call('POST', '/management/organizations/DEFAULT/users', {
    body: { username: 'ann', password: 'a password of twelve', email: 'ann@acme.com', displayName: 'Ann' },
  });
  const member = { userId: String(made.body['id']), roleName: 'OWNER' };
  await office.call('POST', `${environment}/apis/${id}/members`, { body: member });

  const where = { organization: office.at.organization, environment: office.at.environment };
  let offset = 0;
  /** Lets calls arrive, each some ms ago. */
  const arrive = async (...wishes: readonly object[]): Promise<void> => {
    const lines = wishes.flatMap((wish) =>
      recordLines(1, {
        org_id: where.organization,
        env_id: where.environment,
        api_id: id,
        timestamp: office.clock.now() - 2_000,
        transaction_id: 't',
        http_method: 'GET',
        uri: '/pets',
        ...wish,
      }),
    );
    await land(lake.blobs, lines, { ...where, first: offset });
    offset += lines.length;
    await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
  };
  const follow = async (path: string, { as = basic('admin', password), last = '' } = {}) => {
    const answer = await office.app.request(`http://office${environment}${path}`, {
      headers: { authorization: as, ...(last !== '' && { 'last-event-id': last }) },
    });
    assert.equal(answer.status, 200, path);
    const reader = readEvents(t, answer);
    const until = (found: () => unknown) =>
      eventually(async () => {
        await office.clock.advance(1_000);
        return found();
      });
    const calls = (): string[] => reader.named('call').map(({ data }) => String(data['requestId']));
    return { reader, until, calls };
  };

  await arrive({ request_id: 'before' });
  const all = await follow('/logs/_live');
  const one = await follow(`/apis/${id}/logs/_live?statuses=500`);
  const ann = await follow('/logs/_live', { as: basic('ann', 'a password of twelve') });
  const named = await follow(`/logs/_live?apiIds=${hidden}`);
  for (const { reader, until } of [all, one, ann, named])
    await until(() => reader.named('ready').length === 1);
  await arrive(
    { request_id: 'good' },
    { request_id: 'bad', status: 500 },
    { request_id: 'secret', api_id: hidden },
    { request_id: 'old', timestamp: office.clock.now() - newsMsMax - 60_000 },
    { request_id: 'foreign', org_id: 'p' },
  );
  await all.until(() => all.calls().length === 3);
  assert.deepEqual(new Set(all.calls()), new Set(['bad', 'good', 'secret']));
  await one.until(() => one.calls().length === 1);
  assert.deepEqual(one.calls(), ['bad']);
  await ann.until(() => ann.calls().length === 2);
  assert.deepEqual(new Set(ann.calls()), new Set(['bad', 'good']), 'of the APIs whose logs she may read');
  await named.until(() => named.calls().length === 1);
  const told = one.reader.named('call')[0]?.data ?? {};
  assert.deepEqual([told['apiId'], told['uri'], told['status'], told['method']], [id, '/pets', 500, 'GET']);

  const last = all.reader.named('call').at(-1)?.id ?? '';
  assert.match(last, /^\d+$/);
  await all.reader.cancel();
  await arrive({ request_id: 'meanwhile' });
  const back = await follow('/logs/_live', { last });
  await back.until(() => back.calls().includes('meanwhile'));
  assert.ok(!back.calls().includes('before'));
  const lying = await follow('/logs/_live', { last: "0' or 1=1" });
  await lying.until(() => lying.reader.named('ready').length === 1);
  assert.deepEqual(lying.calls(), []);

  const many = callsPerLookMax + 7;
  await arrive(...Array.from({ length: many }, (_, n) => ({ request_id: `of many ${n}` })));
  await lying.until(() => lying.calls().length === callsPerLookMax);
  await lying.until(() => lying.reader.named('skipped').length > 0);
  assert.deepEqual(lying.reader.named('skipped')[0]?.data, { count: 7 });

  // The second of the newest record may not be whole yet: it is not counted.
  await office.clock.advance(2_000);
  await arrive({ request_id: 'later' });
  const traffic = await follow(`/apis/${id}/analytics/_live`);
  await traffic.until(() => traffic.reader.named('traffic').length > 0);
  const figures = traffic.reader.named('traffic').at(-1)?.data ?? {};
  assert.ok(Number(figures['requests']) >= many, JSON.stringify(figures));
  assert.equal((figures['requestsBySecond'] as number[]).length, 60);
  assert.ok(Number(figures['serverErrors']) <= 1);
  await office.clock.advance(180_000);
  const over = (): boolean => traffic.reader.named('traffic').at(-1)?.data['requests'] === 0;
  await traffic.until(over);
  assert.ok(
    traffic.reader.named('traffic').at(-1)?.data['recordsUntil'] !== undefined,
    'and until when records came',
  );
  const mine = await follow('/analytics/_live', { as: basic('ann', 'a password of twelve') });
  await mine.until(() => mine.reader.named('traffic').length > 0);
  const health = await follow(`/apis/${id}/health/_live`);
  await health.until(() => health.reader.named('health').length > 0);
  assert.deepEqual(health.reader.named('health')[0]?.data, { endpoints: [], total: 0 });
});

test('without analytics nothing is followed that only they could tell of', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  const { id } = await office.deployedApi('/pets');
  for (const path of ['logs/_live', 'analytics/_live', `apis/${id}/health/_live`, `apis/${id}/logs/_live`])
    assert.equal((await office.call('GET', `${environment}/${path}`)).status, 503, path);
  const gone = await office.call('GET', `${environment}/apis/gone/deployments/_live`);
  assert.equal(gone.status, 404);
});
