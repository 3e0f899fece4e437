import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, openOffice, planBody } from '../../../../test/kit/control-plane/office.ts';
import { Random } from '../../../../test/kit/random.ts';
import { testDatabases } from '../../../../test/kit/servers/databases.ts';

const imports = `${environment}/apis/_import/swagger`;
const boats = {
  openapi: '3.1.0',
  info: { title: 'Boat hire', version: '3.1' },
  servers: [{ url: 'https://boats.example.com/v3' }],
};
const operation = (summary: string): object => ({
  get: { summary, responses: { 200: { description: 'ok' } } },
});
type Flow = { readonly selectors: readonly { readonly path: string }[] };
const pathsIn = (flows: unknown): readonly (string | undefined)[] =>
  (flows as readonly Flow[]).map(({ selectors }) => selectors[0]?.path);

test('an OpenAPI document imported 50 times, each time with other operations in another order, loses no flow of a plan', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const made = await office.call('POST', imports, {
    body: { payload: JSON.stringify({ ...boats, paths: {} }), withPolicyPaths: true },
  });
  const api = `${environment}/apis/${String(made.body['id'])}`;
  const step = { name: 'wait', enabled: true, policy: 'latency', configuration: { time: 1 } };
  const flows = ['one', 'two'].map((name) => ({
    name,
    enabled: true,
    selectors: [],
    request: [step],
    response: [],
  }));
  const before = new Map<unknown, unknown>();
  for (const name of ['gold', 'silver']) {
    const plan = await office.call('POST', `${api}/plans`, { body: planBody('API_KEY', { name, flows }) });
    before.set(plan.body['id'], plan.body['flows']);
  }
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed, 0);
  const names = ['boats', 'boats/{id}', 'sails', 'oars', 'ropes/{id}', 'lamps'];
  for (let round = 0; round < 50; round += 1) {
    const chosen = names.filter(() => random.chance(60)).toSorted(() => random.between(-1, 1));
    const paths = Object.fromEntries(
      chosen.map((name) => [`/${name}`, operation(`${name} ${random.below(3)}`)]),
    );
    const wish = { payload: JSON.stringify({ ...boats, paths }), withPolicyPaths: true };
    const imported = await office.call('PUT', `${api}/_import/swagger`, { body: wish });
    assert.equal(imported.status, 200, JSON.stringify(imported.body));
    assert.deepEqual(
      new Set(pathsIn(imported.body['flows'])),
      new Set(chosen.map((name) => `/${name.replace('{id}', ':id')}`)),
      `round ${round}`,
    );
  }
  const { data } = (await office.call('GET', `${api}/plans?statuses=STAGING`)).body as {
    data?: readonly Record<string, unknown>[];
  };
  assert.deepEqual(new Map((data ?? []).map(({ id, flows: kept }) => [id, kept])), before);
});
