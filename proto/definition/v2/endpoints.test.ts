import assert from 'node:assert/strict';
import { test } from 'node:test';

import { at, grouped, opened, payload, plain, pointed, proxied, type Row } from './fixtures.ts';

const shared = 'endpointGroups[0].sharedConfiguration';
const own = 'endpointGroups[0].endpoints[0]';

const rows: readonly Row[] = [
  [
    'failover',
    payload,
    'failover',
    {
      enabled: true,
      maxRetries: 2,
      slowCallDuration: 500,
      openStateDuration: 10_000,
      maxFailures: 5,
      perSubscription: false,
    },
  ],
  ['failover of defaults', proxied({ failover: {} }), 'failover.maxRetries', 1],
  [
    'a case that is one text',
    proxied({ failover: { cases: 'TIMEOUT' } }),
    'failover.slowCallDuration',
    10_000,
  ],
  ['no failover', plain(), 'failover', undefined],
  ['a group', payload, 'endpointGroups[0].name', 'main'],
  ['balancing', payload, 'endpointGroups[0].loadBalancer.type', 'WEIGHTED_RANDOM'],
  ['no balancing', plain(), 'endpointGroups[0].loadBalancer.type', 'ROUND_ROBIN'],
  ['a connect timeout', payload, `${shared}.http.connectTimeout`, 700],
  ['compression', payload, `${shared}.http.useCompression`, false],
  ['no connect timeout', plain(), `${shared}.http.connectTimeout`, 5_000],
  ['no connections', plain(), `${shared}.http.maxConcurrentConnections`, 100],
  ['a number in quotation marks', grouped({ http: { readTimeout: '70' } }), `${shared}.http.readTimeout`, 70],
  [
    'upgrades of HTTP/1.1',
    grouped({ http: { version: 'HTTP_1_1', clearTextUpgrade: true } }),
    `${shared}.http.clearTextUpgrade`,
    undefined,
  ],
  [
    '... of HTTP/2',
    grouped({ http: { version: 'HTTP_2', clearTextUpgrade: true } }),
    `${shared}.http.clearTextUpgrade`,
    true,
  ],
  ['headers', payload, `${shared}.headers`, [{ name: 'X-From', value: 'gateway' }]],
  [
    'headers in a map',
    grouped({ headers: { 'X-A': '1' } }),
    `${shared}.headers`,
    [{ name: 'X-A', value: '1' }],
  ],
  [
    'the oldest header',
    pointed({ hostHeader: 'a.example' }),
    `${own}.sharedConfigurationOverride.headers`,
    [{ name: 'Host', value: 'a.example' }],
  ],
  ['a proxy', payload, `${shared}.proxy`, { enabled: true, host: 'proxy.local', type: 'HTTP', port: 3128 }],
  ['a proxy that is off', grouped({ proxy: { enabled: false, host: 7 } }), `${shared}.proxy`, undefined],
  ['no TLS section', plain(), `${shared}.ssl`, undefined],
  [
    'TLS that says nothing of names',
    grouped({ ssl: {} }),
    `${shared}.ssl`,
    { trustAll: false, hostnameVerifier: false },
  ],
  ['TLS', payload, `${shared}.ssl`, { trustAll: false, hostnameVerifier: true }],
  [
    'a store',
    grouped({ ssl: { keyStore: { type: 'pem', certContent: 'c', keyContent: 'k' } } }),
    `${shared}.ssl.keyStore`,
    { type: 'PEM', certContent: 'c', keyContent: 'k' },
  ],
  [
    'a store of no type',
    grouped({ ssl: { keyStore: { type: 'BCFKS', path: '/x' } } }),
    `${shared}.ssl.keyStore`,
    undefined,
  ],
  [
    'an endpoint that inherits',
    payload,
    `${own}`,
    {
      name: 'north',
      type: 'http-proxy',
      weight: 3,
      secondary: false,
      inheritConfiguration: true,
      configuration: { target: 'http://north.local/v1' },
      services: {},
    },
  ],
  [
    'what it says itself',
    pointed({ inherit: true, http: { readTimeout: 1 } }),
    `${own}.sharedConfigurationOverride`,
    undefined,
  ],
  ['no group name', grouped({ name: undefined }), 'endpointGroups[0].name', 'default'],
  ['a weight of nothing', pointed({ weight: 0 }), `${own}.weight`, 1],
  ['a weight below nothing', pointed({ weight: -3 }), `${own}.weight`, 1],
  ['a weight of one', pointed({ weight: 1 }), `${own}.weight`, 1],
  ['the old tenant', pointed({ tenant: 'eu' }), `${own}.tenants`, ['eu']],
  ['the old tenant beside the same', pointed({ tenant: 'eu', tenants: ['eu'] }), `${own}.tenants`, ['eu']],
  ['no old tenant', pointed({ tenant: '', tenants: ['eu'] }), `${own}.tenants`, ['eu']],
  [
    'old certificates',
    grouped({ ssl: { pem: 'c' } }),
    `${shared}.ssl.trustStore`,
    { type: 'PEM', content: 'c' },
  ],
  [
    'old certificates beside a store',
    grouped({ ssl: { pem: 'c', trustStore: { type: 'PEM', content: 'd' } } }),
    `${shared}.ssl.trustStore`,
    { type: 'PEM', content: 'd' },
  ],
  ['a backup', payload, 'endpointGroups[0].endpoints[1].secondary', true],
  ['tenants', payload, 'endpointGroups[0].endpoints[1].tenants', ['eu']],
  [
    'an endpoint on its own',
    payload,
    'endpointGroups[0].endpoints[1].sharedConfigurationOverride.http',
    { readTimeout: 900, connectTimeout: 5_000, maxConcurrentConnections: 100 },
  ],
  [
    'gRPC',
    pointed({ type: 'GRPC', http: { readTimeout: 5 } }),
    `${own}.sharedConfigurationOverride.http.version`,
    'HTTP_2',
  ],
  ['gRPC that inherits', pointed({ type: 'grpc', inherit: true }), `${own}.inheritConfiguration`, false],
  [
    'endpoints without a group',
    proxied({ groups: undefined, endpoints: [{ name: 'a', target: 'http://a.local' }] }),
    'endpointGroups[0].name',
    'default-group',
  ],
  [
    'the oldest endpoint',
    proxied({ groups: undefined, endpoint: 'http://a.local' }),
    `${own}.configuration.target`,
    'http://a.local',
  ],
  [
    'balancing without a group',
    proxied({ groups: undefined, endpoint: 'http://a.local', load_balancing: { type: 'RANDOM' } }),
    'endpointGroups[0].loadBalancer.type',
    'RANDOM',
  ],
];

for (const [what, input, path, value] of rows)
  test(`${what}: ${path}`, () => assert.deepEqual(at(opened(input).body, path), value));

test('an old tenant that says otherwise than tenants is refused', () => {
  const { faults } = opened(pointed({ tenant: 'eu', tenants: ['us'] }));
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['proxy.groups[0].endpoints[0].tenant'],
  );
});
