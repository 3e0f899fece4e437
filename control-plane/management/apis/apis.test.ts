import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, basic, environment, openOffice } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(`a taken host and path is 400, a longer path is not (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const create = (body: unknown) => office.call('POST', `${environment}/apis`, { body });
    const first = await create(apiBody('/a'));
    assert.equal(first.status, 201);
    assert.equal((await create(apiBody('/a/b'))).status, 201);
    const taken = await create(apiBody('/a/'));
    assert.deepEqual([taken.status, taken.body.technicalCode], [400, 'api.listener.paths.path.exists']);
    assert.equal(taken.body['message'], `The API "api /a" (${String(first.body['id'])}) has /a/.`);
    const organization = '/management/organizations/DEFAULT';
    const role = { name: 'maker', default: true, permissions: { API: ['C', 'R'] } };
    await office.call('POST', `${organization}/configuration/rolescopes/ENVIRONMENT/roles`, { body: role });
    const user = { username: 'ann', password: 'a password of twelve', role: 'USER' };
    await office.call('POST', `${organization}/users`, { body: user });
    const strange = await office.call('POST', `${environment}/apis`, {
      body: apiBody('/a'),
      as: basic('ann', user.password),
    });
    assert.deepEqual(
      [strange.status, strange.body['message']],
      [400, 'Another API of this environment has /a/.'],
    );
    const hosted = apiBody('/a', {
      listeners: [
        { type: 'HTTP', paths: [{ host: 'x.example', path: '/a' }], entrypoints: [{ type: 'http-proxy' }] },
      ],
    });
    assert.equal((await create(hosted)).status, 201);
    assert.equal((await create(hosted)).status, 400);
  });

  test(`pages have links and totals (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    for (const path of ['/a', '/b', '/c'])
      await office.call('POST', `${environment}/apis`, { body: apiBody(path) });
    const page = await office.call('GET', `${environment}/apis?page=2&perPage=2&sortBy=-name`);
    assert.deepEqual(page.body['pagination'], {
      page: 2,
      perPage: 2,
      pageCount: 2,
      pageItemsCount: 1,
      totalCount: 3,
    });
    assert.deepEqual(
      (page.body['data'] as { name: string }[]).map((api) => api.name),
      ['api /a'],
    );
    const links = page.body['links'] as Record<string, string>;
    assert.deepEqual(Object.keys(links).toSorted(), ['first', 'last', 'previous', 'self']);
    const found = await office.call('POST', `${environment}/apis/_search`, { body: { query: '/B' } });
    assert.equal((found.body['pagination'] as { totalCount: number }).totalCount, 1);
  });

  test(
    `an update with a stale ETag is refused, each version has its own (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const created = await office.call('POST', `${environment}/apis`, { body: apiBody('/a') });
      const path = `${environment}/apis/${String(created.body['id'])}`;
      const first = created.headers.get('etag') ?? '';
      assert.match(first, /^"\d+\.[\w-]{16}"$/);
      const update = (etag: string, body: unknown) =>
        office.call('PUT', path, { body, headers: { 'if-match': etag } });
      const { body: read } = await office.call('GET', path);
      const updated = await update(first, { ...read, name: 'new' });
      assert.equal(updated.status, 200, JSON.stringify(updated.body));
      const stale = await update(first, read);
      assert.deepEqual([stale.status, stale.body.technicalCode], [412, 'request.precondition_failed']);
      assert.equal((await update(`W/${updated.headers.get('etag')}`, read)).status, 412);
      assert.equal((await update('*', read)).status, 200);
    },
  );

  test(`of two who want the same path at once one gets it (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const create = () => office.call('POST', `${environment}/apis`, { body: apiBody('/one') });
    const answers = await Promise.all(Array.from({ length: 6 }, create));
    assert.deepEqual(
      answers.map((answer) => answer.status).toSorted((a, b) => a - b),
      [201, 400, 400, 400, 400, 400],
    );
  });
}

test('a whole definition in place of the body of an API is named as what it is, with the route that takes it', async (t) => {
  const office = await openOffice(t, sqlite);
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/known') });
  const old = { name: 'old', version: '1', proxy: { virtual_hosts: [{ path: '/old' }] } };
  const rows: readonly (readonly [body: object, path: string, what: RegExp])[] = [
    [{ ...old, gravitee: '2.0.0' }, 'gravitee', /definition as gateways get it/],
    [{ ...old, definitionVersion: 'V2' }, 'definitionVersion', /another version than V4/],
    [old, 'proxy', /version 2/],
    [{ api: { ...apiBody('/x') }, plans: [] }, 'api', /an export/],
    [
      { apiVersion: 'gravitee.io/v1alpha1', kind: 'ApiV4Definition', metadata: { name: 'x' }, spec: {} },
      'kind',
      /Kubernetes \(ApiV4Definition\)/,
    ],
  ];
  for (const [body, path, what] of rows)
    for (const [method, to] of [
      ['POST', `${environment}/apis`],
      ['PUT', `${environment}/apis/${String(made.body['id'])}`],
    ] as const) {
      const { status, body: said } = await office.call(method, to, { body });
      const details = said['details'] as readonly { readonly location: string; readonly message: string }[];
      assert.equal(status, 400, path);
      assert.equal(details.length, 1, JSON.stringify(details));
      assert.match(JSON.stringify(details), what);
      assert.match(JSON.stringify(details), new RegExp(`${method} .*_import/definition takes it`));
      assert.match(JSON.stringify(details), new RegExp(`"${path}"`));
    }
  const openApi = await office.call('POST', `${environment}/apis`, { body: { openapi: '3.1.0', paths: {} } });
  assert.match(JSON.stringify(openApi.body), /OpenAPI document/);
  const typo = await office.call('POST', `${environment}/apis`, { body: { ...apiBody('/y'), nme: 'x' } });
  assert.match(JSON.stringify(typo.body), /nme/, 'a body of an API keeps its own faults');
});

test('what is no target of an endpoint is refused where an API is created, replaced or patched, by its place', async (t) => {
  const office = await openOffice(t, sqlite);
  const apis = `${environment}/apis`;
  const groups = (target: unknown, type = 'http-proxy'): object => ({
    endpointGroups: [{ name: 'g', type, endpoints: [{ name: 'one', type, configuration: { target } }] }],
  });
  const made = await office.call('POST', apis, { body: apiBody('/made') });
  const own = `${apis}/${String(made.body['id'])}`;
  const ask = (target: unknown) =>
    Promise.all([
      office.call('POST', apis, { body: apiBody('/other', groups(target)) }),
      office.call('PUT', own, { body: apiBody('/made', groups(target)) }),
      office.call('PATCH', own, { body: groups(target) }),
    ]);
  const noTargets = [
    '',
    'backend',
    '//backend',
    'ftp://backend',
    'http://u:p@backend',
    'http://b#f',
    7,
    ['http://b'],
    '{#nobody.knows}',
  ];
  for (const target of noTargets)
    for (const { status, body } of await ask(target)) {
      assert.equal(status, 400, JSON.stringify(target));
      assert.match(
        JSON.stringify(body['details']),
        /"endpointGroups\[0\]\.endpoints\[0\]\.configuration\.target"/,
      );
    }
  for (const target of [
    'https://b.example/v1',
    'grpc://b:1',
    "{#properties['url']}",
    'http://{#request.host}/x',
  ]) {
    const [created, ...changed] = await ask(target);
    assert.deepEqual([created.status, ...changed.map(({ status }) => status)], [201, 200, 200], target);
    assert.equal((await office.call('DELETE', `${apis}/${String(created.body['id'])}`)).status, 204);
  }
  // A draft may have no target yet, or be of a kind that no gateway knows.
  for (const more of [groups(undefined), groups('tcp://b:1', 'tcp-proxy')])
    assert.equal((await office.call('PUT', own, { body: apiBody('/made', more) })).status, 200);
});

test('the life of an API leads forward, and an API with open plans is deleted with them alone', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id } = await office.deployedApi('/a');
  const path = `${environment}/apis/${id}`;
  const become = async (lifecycleState: string) => {
    const { body } = await office.call('GET', path);
    const answer = await office.call('PUT', path, { body: { ...body, lifecycleState } });
    return answer.status === 200 ? answer.body['lifecycleState'] : answer.body.technicalCode;
  };
  const refused = 'api.lifecycleState.invalid';
  for (const [to, becomes] of [
    ['PUBLISHED', 'PUBLISHED'],
    ['CREATED', refused],
    ['UNPUBLISHED', 'UNPUBLISHED'],
    ['PUBLISHED', 'PUBLISHED'],
    ['DEPRECATED', 'DEPRECATED'],
    ['PUBLISHED', refused],
    ['ARCHIVED', 'ARCHIVED'],
    ['DEPRECATED', refused],
  ] as const)
    assert.equal(await become(to), becomes, to);
  const remove = (query = '') => office.call('DELETE', path + query);
  assert.equal((await remove('?closePlans=true')).body.technicalCode, 'api.running');
  await office.call('POST', `${path}/_stop`);
  assert.equal((await remove()).body.technicalCode, 'api.notDeletable');
  assert.equal((await remove('?closePlans=true')).status, 204);
  assert.equal((await office.call('GET', path)).status, 404);
});

test('whoever looks for APIs in version 1 of the management API is told where they are', async (t) => {
  const office = await openOffice(t, sqlite);
  for (const path of [
    '/management/organizations/DEFAULT/environments/DEFAULT/apis',
    '/management/organizations/DEFAULT/environments/DEFAULT/apis/import',
    '/management/apis',
  ]) {
    const { status, body } = await office.call('POST', path, { body: {} });
    assert.equal(status, 404);
    assert.match(JSON.stringify(body), /management\/v2\/environments\/\{envId\}\/apis/, path);
  }
});
