import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../proto/faults/fault.ts';
import { apiBody, environment, type Office, openOffice } from '../../test/kit/control-plane/office.ts';
import { sqlite, testDatabases } from '../../test/kit/servers/databases.ts';
import { operationsSchema, patched } from './patch.ts';

const apis = `${environment}/apis`;
const operations = { 'content-type': 'application/json-patch+json' };

for (const database of testDatabases) {
  test(
    `a patch changes what it names and nothing else (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const path = `${apis}/${id}`;
      const patch = (at: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
        office.call('PATCH', at, { body, headers });
      const before = await office.call('GET', path);

      const dry = await patch(`${path}?dryRun=true`, { description: 'dry' });
      assert.deepEqual([dry.status, dry.body['description']], [200, 'dry']);
      assert.deepEqual((await office.call('GET', path)).body, before.body);
      assert.equal((await office.call('GET', path)).headers.get('etag'), before.headers.get('etag'));

      const merged = await patch(path, { description: 'patched', labels: ['one'] });
      assert.equal(merged.status, 200, JSON.stringify(merged.body));
      const { updatedAt: _at, deploymentState: _state, ...rest } = (await office.call('GET', path)).body;
      const { updatedAt: _before, deploymentState: _then, ...was } = before.body;
      assert.deepEqual(rest, { ...was, description: 'patched', labels: ['one'] });
      assert.equal((await patch(path, { labels: null })).body['labels'], undefined);
      const stale = { 'if-match': before.headers.get('etag') ?? '' };
      assert.equal((await patch(path, { description: 'late' }, stale)).status, 412);

      const list = [
        { op: 'test', path: '/name', value: merged.body['name'] },
        {
          op: 'replace',
          path: '/endpointGroups/0/endpoints/0/configuration/target',
          value: 'http://other.example',
        },
        { op: 'add', path: '/labels', value: ['a', 'b'] },
        { op: 'move', from: '/labels/0', path: '/labels/-' },
      ];
      const operated = await patch(path, list, operations);
      assert.equal(operated.status, 200, JSON.stringify(operated.body));
      assert.deepEqual(operated.body['labels'], ['b', 'a']);
      assert.match(JSON.stringify(operated.body['endpointGroups']), /other\.example/);

      const refused = async (
        body: unknown,
        headers: Readonly<Record<string, string>> = {},
      ): Promise<unknown> => {
        const answer = await patch(path, body, headers);
        const [first] = (answer.body['details'] ?? []) as { readonly location: string }[];
        return [answer.status, answer.body.technicalCode, first?.location];
      };
      assert.deepEqual(await refused({ state: 'STARTED' }), [400, 'request.invalid', 'state']);
      assert.deepEqual(await refused({ name: null }), [400, 'request.invalid', 'name']);
      assert.deepEqual(await refused({ name: 3 }), [400, 'request.invalid', 'name']);
      assert.deepEqual(await refused([]), [400, 'request.invalid', '']);
      assert.deepEqual(await refused({}, operations), [400, 'request.invalid', '']);
      assert.deepEqual(await refused('{}', { 'content-type': 'text/plain' }), [
        415,
        'request.unsupported_media_type',
        undefined,
      ]);
      const wrong = [{ op: 'test', path: '/name', value: 'another' }];
      assert.deepEqual(await refused(wrong, operations), [400, 'jsonPatch.testFailed', '[0]']);

      const plan = await patch(`${path}/plans/${planId}`, {
        description: 'fine',
        security: { configuration: {} },
      });
      assert.deepEqual(
        [plan.status, plan.body['description'], plan.body['status']],
        [200, 'fine', 'PUBLISHED'],
      );
      assert.equal((await patch(`${path}/plans/${planId}`, { status: 'CLOSED' })).status, 400);
      assert.equal(
        (await patch(`${path}/plans/${planId}?dryRun=true`, { name: 'other' })).body['name'],
        'other',
      );
      assert.equal((await office.call('GET', `${path}/plans/${planId}`)).body['name'], 'plan');
    },
  );
}

for (const database of testDatabases.slice(0, 1))
  test('a secret stays what it is when another field is patched', { skip: database.skip }, async (t) => {
    const office = await openOffice(t, database);
    const made = await office.call('POST', apis, {
      body: apiBody('/sealed', { resources: [basicResource] }),
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const path = `${apis}/${String(made.body['id'])}`;
    const sealed = await sealedIn(office);
    assert.doesNotMatch(sealed, /open sesame/);
    assert.equal((await office.call('PATCH', path, { body: { description: 'x' } })).status, 200);
    assert.equal(await sealedIn(office), sealed);
  });

const basicResource = {
  name: 'tokens',
  type: 'oauth2',
  enabled: true,
  configuration: {
    authorizationServerUrl: 'https://idp.example',
    introspectionEndpoint: '/introspect',
    clientId: 'gateway',
    clientSecret: 'open sesame',
  },
};

async function sealedIn({ storage }: Office): Promise<string> {
  const rows = await storage.db.selectFrom('api').select('definition').execute();
  const resources = rows.map(
    ({ definition }) => (JSON.parse(definition) as { resources?: unknown }).resources,
  );
  return JSON.stringify(resources);
}

test('operations are those of RFC 6902, and lead nowhere by the name of their place', () => {
  const schema = z.record(z.string(), z.unknown());
  const document = { list: [1, 2], 'a/b': { '~': 1 }, deep: { x: 1 } };
  const run = (list: unknown): unknown =>
    patched(document, operationsSchema.parse(list), {
      schema,
      patchable: ['list', 'a/b', 'deep', '', '__proto__'],
    });
  const fault = (list: unknown): unknown => {
    try {
      return run(list);
    } catch (error) {
      assert.ok(error instanceof Fault);
      return `${error.details[0]?.path ?? ''} ${error.details[0]?.message ?? ''}`;
    }
  };
  assert.deepEqual(run([{ op: 'add', path: '/list/1', value: 9 }]), { ...document, list: [1, 9, 2] });
  assert.deepEqual(run([{ op: 'remove', path: '/a~1b/~0' }]), { ...document, 'a/b': {} });
  assert.deepEqual(run([{ op: 'copy', from: '/list', path: '/deep/y' }]), {
    ...document,
    deep: { x: 1, y: [1, 2] },
  });
  assert.deepEqual(run([{ op: 'replace', path: '/list/0', value: 7 }]), { ...document, list: [7, 2] });
  for (const path of ['/list/2', '/list/01', '/list/x', '/deep/z', '/deep/z/y', '/deep/toString'])
    assert.match(String(fault([{ op: 'remove', path }])), /^\[0\]\.path leads nowhere/, path);
  assert.match(String(fault([{ op: 'add', path: '/list/3', value: 1 }])), /leads nowhere/);
  assert.match(String(fault([{ op: 'add', path: '/__proto__', value: {} }])), /leads nowhere/);
  assert.match(String(fault([{ op: 'add', path: '/deep/__proto__/x', value: 1 }])), /leads nowhere/);
  assert.match(String(fault([{ op: 'move', from: '/deep', path: '/deep/y' }])), /into itself/);
  assert.match(String(fault([{ op: 'add', path: '/other', value: 1 }])), /^other cannot be patched/);
  assert.match(String(fault([{ op: 'move', from: '/other', path: '/deep/y' }])), /^other cannot be patched/);
  // Each doubles what is there: 2^40 characters, were they counted no more.
  const doubling = Array.from({ length: 40 }, (_, n) => ({ op: 'copy', from: '/deep', path: `/deep/n${n}` }));
  assert.match(String(fault(doubling)), /copies more than/);
  assert.equal(operationsSchema.safeParse([{ op: 'add', path: 'list' }]).success, false);
  assert.equal(
    operationsSchema.safeParse(Array.from({ length: 257 }, () => ({ op: 'remove', path: '/a' }))).success,
    false,
  );
});

test('a list of operations that will not do is told what is wrong with the list', async (t) => {
  const office = await openOffice(t, sqlite);
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/a') });
  const said = async (operations: readonly unknown[]) => {
    const { status, body } = await office.call('PATCH', `${apis}/${String(made.body['id'])}`, {
      body: operations,
      headers: { 'content-type': 'application/json-patch+json' },
    });
    return [
      status,
      ...((body['details'] ?? []) as { location: string; message: string }[]).map(({ location, message }) =>
        `${location} ${message}`.trim(),
      ),
    ];
  };
  const named = { op: 'replace', path: '/name', value: 'b' };
  const many = (count: number): readonly unknown[] => Array.from({ length: count }, () => named);
  assert.deepEqual(await said(many(256)), [200]);
  for (const count of [257, 1_001])
    assert.deepEqual(await said(many(count)), [400, 'must have at most 256 entries']);
  assert.deepEqual(await said([named, { ...named, path: 'name' }]), [
    400,
    '[1].path must be a JSON pointer (RFC 6901)',
  ]);
});
