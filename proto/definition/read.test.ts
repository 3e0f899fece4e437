import assert from 'node:assert/strict';
import { test } from 'node:test';

import { change, exported, faultsOf, payload, shared } from './fixtures.ts';
import { readApi } from './read.ts';

test('a gateway payload and an export of the same API are one canonical definition', () => {
  const fromPayload = readApi(payload).api;
  const fromExport = readApi(exported).api;
  const conditionless = JSON.parse(
    JSON.stringify(fromExport).replace('"condition":" "', '"condition":""'),
  ) as unknown;
  assert.deepEqual(conditionless, fromPayload);
  assert.equal(fromPayload.listeners[0]?.paths[0]?.host, 'api.acme.com');
  assert.equal(fromPayload.listeners[0]?.paths[0]?.path, '/orders');
  assert.deepEqual(
    fromPayload.plans.map((plan) => plan.security.type),
    ['api-key', 'key-less'],
  );
  assert.equal(fromPayload.endpointGroups[0]?.sharedConfiguration.http.connectTimeout, 3_000);
});

test('a canonical definition is read as itself', () => {
  const definition = readApi(payload).api;
  assert.deepEqual(readApi(definition).api, definition);
  assert.deepEqual(readApi(JSON.parse(JSON.stringify(definition))).api, definition);
});

test('a proxy and stores that are used, and what is left in those that are not, are kept', () => {
  const used = {
    proxy: { enabled: true, type: 'HTTP', host: 'proxy.acme.com', port: 3_128, username: 'u', password: 'p' },
    ssl: {
      trustStore: { type: 'PEM', path: '/etc/ssl/own.pem' },
      keyStore: { type: 'PKCS12', content: 'AAAA', password: 'x', keyPassword: 'x' },
    },
  };
  const unused = {
    proxy: { enabled: false, type: 'SOCKS5', host: '{#host}', port: 0 },
    ssl: { trustStore: { type: 'NONE', path: 'x' }, keyStore: { type: '', certContent: '', password: '' } },
  };
  for (const [given, expected] of [
    [used, used],
    [unused, { ...unused, ssl: { ...unused.ssl, trustStore: { type: '', path: 'x' } } }],
    [{ proxy: { enabled: true, useSystemProxy: true } }, { proxy: { enabled: true, useSystemProxy: true } }],
  ] as const) {
    const definition = readApi(shared(given)).api;
    assert.partialDeepStrictEqual(definition.endpointGroups[0]?.sharedConfiguration, expected);
    assert.deepEqual(readApi(JSON.parse(JSON.stringify(definition))).api, definition);
  }
});

test('names all faults at once', () => {
  const faults = faultsOf(
    change({
      type: 'native',
      failover: { enabled: true, failureCondition: 'perhaps' },
      surprise: 1,
      plans: { p: { security: { type: 'KERBEROS' } } },
    }),
  );
  assert.deepEqual(Object.keys(faults).toSorted(), [
    'failover.failureCondition',
    'plans.p.security.type',
    'surprise',
    'type',
  ]);
});

test('a disabled flow, and a disabled part of the definition, may hold what this version cannot run', () => {
  const { api: definition } = readApi(
    change({
      flows: [
        {
          enabled: false,
          selectors: [{ type: 'CONDITION', condition: '{#x}' }],
          request: [{ policy: 'groovy' }],
        },
      ],
      services: { dynamicProperty: { enabled: false, configuration: { url: '{#x}' } } },
      resources: [{ name: 'r', enabled: false }],
      listeners: [{ ...payload.listeners[0], cors: { enabled: false, allowOrigin: ['.*'], surprise: 1 } }],
    }),
  );
  assert.equal(definition.flows[0]?.enabled, false);
  assert.equal(definition.listeners[0]?.cors, undefined);
});

test('a definition nested without end is refused, not followed', () => {
  let deep: unknown = 1;
  for (let n = 0; n < 5_000; n += 1) deep = [deep];
  assert.match(Object.values(faultsOf(change({ flows: deep })))[0] ?? '', /nested/);
});

test('a document that people have beside definitions is refused by its name, with the way that it goes', () => {
  const route =
    /POST \/management\/v2\/environments\/\{environment\}\/apis\/_import\/swagger.* payload; allowed:/;
  const documents: readonly (readonly [field: string, document: object, what: RegExp, way: RegExp])[] = [
    ['openapi', { openapi: '3.1.0', info: {}, paths: {} }, /^this is an OpenAPI document: /, route],
    [
      'swagger',
      { swagger: '2.0', info: {}, paths: {} },
      /^this is an OpenAPI document of version 2: /,
      route,
    ],
    [
      '_format_version',
      { _format_version: '3.0', services: [{ name: 'a', url: 'http://a' }] },
      /^this is a configuration of Kong, which is not read: /,
      /an endpoint group of an API.*paths of a listener; allowed:/,
    ],
  ];
  for (const [field, document, what, way] of documents) {
    const { [field]: said, ...others } = faultsOf(document);
    assert.match(said ?? '', what);
    assert.match(said ?? '', way);
    assert.deepEqual(others, {});
  }
});
