import assert from 'node:assert/strict';
import { test } from 'node:test';

import { change, faultsOf } from '../../definition/fixtures.ts';
import { readApi } from '../../definition/read.ts';

const found = (discovery: unknown) =>
  change({
    endpointGroups: [{ name: 'default', type: 'http-proxy', services: { discovery } }],
  });
const consul = (configuration: object) => found({ type: 'consul-service-discovery', configuration });
const dns = (configuration: object) => found({ type: 'dns-service-discovery', configuration });

test('a discovery that this version does not know, or that says what nobody can be asked, is refused where it stands', () => {
  const rows: readonly (readonly [input: unknown, path: string, words: RegExp])[] = [
    [
      found({ enabled: true, type: 'KUBERNETES_SERVICE_DISCOVERY' }),
      'type',
      /"kubernetes-service-discovery" is not supported.*allowed: consul-service-discovery, dns-service-discovery/,
    ],
    [found({ enabled: true, configuration: {} }), 'type', /is required; allowed: consul-service-discovery/],
    [consul({}), 'configuration.service', /is required/],
    [consul({ service: '' }), 'configuration.service', /is required/],
    [consul({ service: 'a', url: 'http://a:b@c' }), 'configuration.url', /without user information/],
    [consul({ service: 'a', url: 'ftp://c' }), 'configuration.url', /http:\/\/ or https:\/\//],
    // It becomes a header.
    [consul({ service: 'a', acl: 'a\r\nX-B: c' }), 'configuration.acl', /printable ASCII/],
    [consul({ service: 'a', acl: 'ü' }), 'configuration.acl', /printable ASCII/],
    [consul({ service: 'a', token: 'b' }), 'configuration.token', /allowed: url, service, dc, acl, ssl/],
    [
      consul({ service: 'a', ssl: { trustStore: { type: 'JKS' } } }),
      'configuration.ssl.trustStore.type',
      /PKCS12/,
    ],
    [dns({}), 'configuration.host', /is required/],
    [dns({ host: 'a b' }), 'configuration.host', /must be a name/],
    [dns({ host: 'a', record: 'MX' }), 'configuration.record', /allowed: a, aaaa, srv/],
    [
      dns({ host: 'a', path: "/{#secrets.get('/env/A')}" }),
      'configuration.path',
      /a path that begins with a slash/,
    ],
    [dns({ host: '_http._tcp.a', record: 'SRV', port: 80 }), 'configuration.port', /is said by SRV records/],
  ];
  for (const [input, path, words] of rows) {
    const faults = faultsOf(input);
    assert.deepEqual(Object.keys(faults), [`endpointGroups[0].services.discovery.${path}`]);
    assert.match(faults[`endpointGroups[0].services.discovery.${path}`] ?? '', words, path);
  }
});

test('one that is off asks for nothing, whatever it says; defaults and spellings are those of the reference', () => {
  for (const off of [
    undefined,
    null,
    {},
    { enabled: false, type: 'eureka-service-discovery', configuration: 7 },
  ])
    assert.equal(readApi(found(off)).api.endpointGroups[0]?.services, undefined);
  const read = (input: unknown) => readApi(input).api.endpointGroups[0]?.services?.discovery;
  assert.partialDeepStrictEqual(
    read(found({ enabled: true, type: 'CONSUL_SERVICE_DISCOVERY', configuration: '{"service":"ferry"}' })),
    {
      type: 'consul-service-discovery',
      configuration: { url: 'http://localhost:8500', service: 'ferry', dc: '', acl: '' },
    },
  );
  assert.deepEqual(read(dns({ host: 'a.test.', scheme: 'HTTPS' })), {
    enabled: true,
    type: 'dns-service-discovery',
    overrideConfiguration: false,
    configuration: { host: 'a.test.', record: 'a', scheme: 'https', path: '' },
  });
});
