import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { type CallOptions, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { apiOf, mark, open, type Row, seeRows } from '../../../test/kit/gateway/version-2.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** What APIs of version 2 do behind a gateway, sentence by sentence. */

const key = { id: 'keys', name: 'Keys', security: 'API_KEY' };
const send = (value: string): CallOptions => ({ headers: { 'X-Gravitee-Api-Key': value } });

const rows: Readonly<Record<string, Row>> = {
  'the context path is stripped': {
    api: {},
    path: '/a/b?c=d',
    see: (_, { url }) => assert.equal(url, '/base/a/b?c=d'),
  },
  'the context path is stripped whatever strip_context_path says': {
    api: {},
    proxy: { strip_context_path: true },
    path: '/a/',
    see: (_, { url }) => assert.equal(url, '/base/a/'),
  },
  'preserve_host changes nothing': {
    api: {},
    proxy: { preserve_host: true },
    options: { headers: { Host: 'client.example' } },
    see: (_, { headers }) => assert.match(headers['host'] ?? '', /^127\.0\.0\.1:/),
  },
  'propagateClientHost does what it says': {
    api: {},
    endpoint: { http: { propagateClientHost: true } },
    options: { headers: { Host: 'client.example' } },
    see: (_, { headers }) => assert.equal(headers['host'], 'client.example'),
  },
  'an old context path has its slashes collapsed': {
    api: {},
    proxy: { virtual_hosts: undefined, context_path: '//slashes//here/' },
    path: '=/slashes/here/x',
    see: (_, { url }) => assert.equal(url, '/base/x'),
  },
  'a virtual host takes its host alone': {
    api: {},
    proxy: { virtual_hosts: [{ host: 'V.example.com', path: '/hosted' }] },
    path: '=/hosted/x',
    options: { headers: { Host: 'v.example.com' } },
    status: 200,
  },
  'another host is not taken': {
    api: {},
    proxy: { virtual_hosts: [{ host: 'w.example.com', path: '/hosted2' }] },
    path: '=/hosted2/x',
    status: 404,
    see: ({ text }) => assert.equal(text, 'No context-path matches the request URI.'),
  },
  'several virtual hosts': {
    api: {},
    proxy: { virtual_hosts: [{ path: '/several1' }, { path: '/several2' }] },
    path: '=/several2',
    status: 200,
  },
  'headers of an endpoint': {
    api: {},
    endpoint: { headers: [{ name: 'X-Own', value: '1' }] },
    see: (_, { headers }) => assert.equal(headers['x-own'], '1'),
  },
  'the oldest spelling of a host': {
    api: {},
    endpoint: { hostHeader: 'inner.example' },
    see: (_, { headers }) => assert.equal(headers['host'], 'inner.example'),
  },
  'an endpoint that inherits has the headers of its group': {
    api: {},
    endpoint: { inherit: true, headers: [{ name: 'X-Own', value: '1' }] },
    see: (_, { headers }) => assert.deepEqual([headers['x-group'], headers['x-own']], ['1', undefined]),
  },
  'an endpoint that says nothing does not inherit': {
    api: {},
    see: (_, { headers }) => assert.equal(headers['x-group'], undefined),
  },
  'an endpoint of another tenant is not called': {
    api: {},
    endpoint: { tenants: ['elsewhere'] },
    status: 503,
  },
  'an endpoint of this tenant is': { api: {}, endpoint: { tenants: ['here', 'elsewhere'] }, status: 200 },
  'endpoints without a group': {
    api: {},
    proxy: { groups: undefined, endpoint: 'TARGET' },
    see: (_, { url }) => assert.equal(url, '/base'),
  },
  'no plan is 401': {
    api: { plans: [] },
    status: 401,
    see: ({ text }) => assert.equal(text, 'Unauthorized'),
  },
  'a key': {
    api: { plans: [key] },
    options: send('right'),
    status: 200,
    see: (_, { headers }) => assert.equal(headers['x-gravitee-api-key'], undefined),
  },
  'a key that the definition passes on': {
    api: { plans: { keys: { ...key, securityDefinition: '{"propagateApiKey":true}' } } },
    options: send('right'),
    see: (_, { headers }) => assert.equal(headers['x-gravitee-api-key'], 'right'),
  },
  'keyless is tried last, and not at all where something was presented': {
    api: {
      plans: [
        { ...open, order: 1 },
        { ...key, order: 2 },
      ],
    },
    options: send('wrong'),
    status: 401,
  },
  'keyless serves where nothing was': { api: { plans: [open, key] }, status: 200 },
  'a plan that is closed does not count': { api: { plans: [{ ...open, status: 'CLOSED' }] }, status: 401 },
  'a plan in staging does not count': { api: { plans: [{ ...open, status: 'staging' }] }, status: 401 },
  'a selection rule in either spelling': {
    api: { plans: [{ ...open, selection_rule: "#request.headers['Go'] != null" }] },
    status: 401,
  },
  'a selection rule that holds': {
    api: { plans: [{ ...open, selectionRule: "{#request.headers['Go'] != null}" }] },
    options: { headers: { Go: '1' } },
    status: 200,
  },
  'flows of a plan come first': {
    api: {
      plans: [{ ...open, flows: [{ pre: [mark('last', 'plan')] }] }],
      flows: [{ pre: [mark('last', 'api')] }],
    },
    see: (_, { headers }) => assert.equal(headers['x-ran-last'], 'api'),
  },
  'a response template': {
    api: {
      plans: [],
      response_templates: { GATEWAY_PLAN_UNRESOLVABLE: { '*/*': { status: 418, body: 'tea' } } },
    },
    status: 418,
    see: ({ text }) => assert.equal(text, 'tea'),
  },
  'a response template of the management API': {
    api: { plans: [], responseTemplates: { DEFAULT: { '*/*': { statusCode: 419, body: 'tea' } } } },
    status: 419,
  },
  'CORS that is off is not looked at': {
    api: {},
    proxy: { cors: { enabled: false, allowOrigin: ['*'] } },
    options: { headers: { Origin: 'https://a.example' } },
    see: ({ headers }) => assert.equal(headers['access-control-allow-origin'], undefined),
  },
  'an origin that is a pattern': {
    api: {},
    proxy: { cors: { enabled: true, allowOrigin: ['https://.*\\.a\\.example'] } },
    options: { headers: { Origin: 'https://x.a.example' } },
    see: ({ headers }) => assert.equal(headers['access-control-allow-origin'], 'https://x.a.example'),
  },
  'null bytes': {
    api: {},
    proxy: { request_validation: { rejectNullByte: true } },
    path: '/a%00b',
    status: 400,
  },
};

test('an API of version 2 does what it did', (t) => seeRows(t, rows));

test('records name the path mapping of version 2', async (t) => {
  const upstream = await startUpstream(t);
  const dataDir = join(tempDir(t), 'data');
  const row: Row = { api: { path_mappings: ['/piers/:pier'] } };
  const gateway = await startLocalGateway(t, {
    apis: { a: apiOf('a', upstream.url, row) },
    config: { dataDir, report: { enabled: true } },
  });
  await gateway.call('/a/piers/north');
  const [record] = await eventually(async () => {
    const written = await accessRecords(dataDir);
    return written.length === 1 && written;
  });
  assert.equal(record?.['mapped_path'], '/piers/:pier');
});

test('a custom resource and the spelling of the management API serve as well, and what v3 did otherwise is logged once', async (t) => {
  const upstream = await startUpstream(t);
  const resource = `
apiVersion: gravitee.io/v1alpha1
kind: ApiDefinition
metadata: { name: ferries }
spec:
  name: Ferries
  version: "1"
  description: Ferries
  contextRef: { name: none }
  local: true
  proxy:
    virtual_hosts: [{ path: /resource }]
    groups: [{ name: main, endpoints: [{ name: one, target: "${upstream.url}" }] }]
  plans: [{ name: Free, security: KEY_LESS }]
`;
  const managed = {
    id: 'managed',
    name: 'Managed',
    definitionVersion: 'V2',
    executionMode: 'V3',
    flowMode: 'DEFAULT',
    proxy: {
      virtualHosts: [{ path: '/managed' }],
      groups: [{ name: 'main', endpoints: [{ name: 'one', target: upstream.url }] }],
    },
    plans: [{ id: 'p', name: 'P', security: { type: 'KEY_LESS', configuration: {} } }],
    flows: [{ pathOperator: { path: '/' }, condition: "{#request.method == 'GET'}", pre: [mark('m')] }],
  };
  const gateway = await startLocalGateway(t, { apis: { 'resource.yaml': resource, managed } });
  assert.equal((await gateway.call('/resource')).status, 200);
  assert.match((await gateway.call('/managed')).text, /x-ran-m/);
  const logged = gateway.logged.filter((line) => line.includes('once more for the answer'));
  assert.equal(logged.length, 1, logged.join());
});

test('what this version does not run is refused in the words and at the places of version 2, and answers 503 there', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiOf('a', 'http://127.0.0.1:1', { api: { services: { surprise: { enabled: true } } } }),
    },
  });
  assert.equal((await gateway.call('/a/x')).status, 503);
  assert.ok(gateway.logged.some((line) => line.includes('services.surprise')));
});
