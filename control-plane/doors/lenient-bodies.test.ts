import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, planBody } from '../../test/kit/control-plane/office.ts';
import { sqlite } from '../../test/kit/servers/databases.ts';

/*
 * What the reference documents as optional is no field that a document demands; what nothing can be done without is demanded by name all the
 * same, and what this version does not run is refused by name.
 */

type Json = Record<string, unknown>;

test('what cannot be left out is asked for by its place', async (t) => {
  const office = await openOffice(t, sqlite);
  const apis = `${environment}/apis`;
  const { id, planId } = await office.deployedApi('/pets');
  const group = { name: 'g', apiType: 'PROXY', phase: 'REQUEST', steps: [] };
  const made = await office.call('POST', `${environment}/shared-policy-groups`, { body: group });
  assert.equal(made.status, 201, made.text);
  const page = await office.call('POST', `${apis}/${id}/pages`, { body: { name: 'p', type: 'MARKDOWN' } });
  const listener = { type: 'HTTP', paths: [{ path: '/other' }] };
  const entrypoints = [{ type: 'http-proxy', dlq: {} }];
  const endpoint = { type: 'http-proxy', configuration: { target: 'http://backend.example' } };
  const flow = { request: [{ name: 'step' }], response: [{}] };
  const rows: readonly (readonly [method: string, path: string, body: Json, places: readonly string[]])[] = [
    ['POST', apis, apiBody('/other', { listeners: [listener] }), ['listeners[0].entrypoints']],
    [
      'POST',
      apis,
      apiBody('/other', { listeners: [{ ...listener, entrypoints }] }),
      ['listeners[0].entrypoints[0].dlq.endpoint'],
    ],
    [
      'PUT',
      `${apis}/${id}`,
      apiBody('/pets', { endpointGroups: [{ type: 'http-proxy', endpoints: [endpoint] }] }),
      ['endpointGroups[0].endpoints[0].name', 'endpointGroups[0].name'],
    ],
    [
      'POST',
      apis,
      apiBody('/other', { flows: [flow] }),
      ['flows[0].request[0].policy', 'flows[0].response[0].policy'],
    ],
    ['POST', `${apis}/${id}/plans`, { definitionVersion: 'V4' }, ['name', 'security']],
    ['PUT', `${apis}/${id}/plans/${planId}`, { definitionVersion: 'V4' }, ['name']],
    ['POST', `${apis}/_import/swagger`, {}, ['payload']],
    ['PUT', `${apis}/${id}/_import/swagger`, {}, ['payload']],
    ['POST', `${apis}/_import/wsdl`, {}, ['payload']],
    ['PUT', `${apis}/${id}/_import/wsdl`, {}, ['payload']],
    [
      'PUT',
      `${apis}/${id}/pages/${String(page.body['id'])}`,
      { name: 'p', type: 'MARKDOWN', source: {} },
      ['source.type'],
    ],
    [
      'PUT',
      `${environment}/shared-policy-groups/${String(made.body['id'])}`,
      { steps: [{}] },
      ['name', 'steps[0].policy'],
    ],
  ];
  for (const [method, path, body, places] of rows) {
    const answer = await office.call(method, path, { body });
    assert.equal(answer.status, 400, `${method} ${path}: ${answer.text}`);
    const details = answer.body['details'] as readonly {
      readonly location: string;
      readonly message: string;
    }[];
    assert.deepEqual(
      details.map(({ location }) => location).toSorted((a, b) => (a < b ? -1 : 1)),
      places,
    );
    // Of what is one of a few words those are named.
    for (const { message } of details) assert.match(message, /^(?:is required$|must be one of ")/);
  }
});

test('what this version does not run is refused by its name and the words that it takes', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id } = await office.deployedApi('/pets');
  const groups = `${environment}/shared-policy-groups`;
  const rows: readonly (readonly [path: string, body: Json, place: string, words: RegExp])[] = [
    [groups, { name: 'g', apiType: 'NATIVE', phase: 'REQUEST' }, 'apiType', /not supported.*allowed: PROXY/],
    [groups, { name: 'g', apiType: 'PROXY', phase: 'PUBLISH' }, 'phase', /allowed: REQUEST, RESPONSE/],
    [
      `${environment}/apis/${id}/plans`,
      planBody('API_KEY', { bootstrapPort: 9_092 }),
      'bootstrapPort',
      /native Kafka/,
    ],
    [
      `${environment}/apis/${id}/_transfer-ownership`,
      { userId: 'x', userType: 'GROUP' },
      'userType',
      /allowed: USER/,
    ],
  ];
  for (const [path, body, place, words] of rows) {
    const answer = await office.call('POST', path, { body });
    assert.equal(answer.status, 400, answer.text);
    const [detail] = answer.body['details'] as readonly {
      readonly location: string;
      readonly message: string;
    }[];
    assert.equal(detail?.location, place);
    assert.match(detail.message, words);
  }
});

test('what is of native APIs alone is taken of others and not answered', async (t) => {
  const office = await openOffice(t, sqlite);
  const body = apiBody('/pets', { analytics: { enabled: true, reporterMetricsEnabled: true } });
  const made = await office.call('POST', `${environment}/apis`, { body });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body['analytics'], { enabled: true });
});

test('who was the primary owner becomes a user of the API unless another role is named', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id } = await office.deployedApi('/pets');
  const user = await office.call('POST', '/management/organizations/DEFAULT/users', {
    body: { username: 'ann', password: 'a password of twelve', displayName: 'Ann', role: 'USER' },
  });
  const path = `${environment}/apis/${id}`;
  const moved = await office.call('POST', `${path}/_transfer-ownership`, {
    body: { userId: user.body['id'] },
  });
  assert.equal(moved.status, 204, moved.text);
  const members = (await office.call('GET', `${path}/members`)).body['data'] as readonly {
    readonly displayName: string;
    readonly roles: readonly { readonly name: string }[];
  }[];
  const roles = new Map(
    members.map(({ displayName, roles: held }) => [displayName, held.map(({ name }) => name)]),
  );
  assert.deepEqual(roles.get('Ann'), ['PRIMARY_OWNER']);
  assert.equal([...roles.values()].filter((held) => held.includes('USER')).length, 1);
});
