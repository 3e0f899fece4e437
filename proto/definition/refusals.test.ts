import assert from 'node:assert/strict';
import { test } from 'node:test';

import { change, endpoint, exported, faultsOf, group, listener, shared, step } from './fixtures.ts';
import { apiLimits } from '../model/api-limits.ts';

const flowAt = (path: string) => change({ flows: [{ selectors: [{ type: 'HTTP', path }] }] });

const refusals: readonly (readonly [what: string, input: unknown, path: string, words: RegExp])[] = [
  ['no object', 'text', '', /object/],
  [
    'a custom resource of something else',
    { apiVersion: 'gravitee.io/v1alpha1', kind: 'Application', spec: { name: 'x' } },
    'kind',
    /"Application" is no API: .* ApiV4Definition or ApiDefinition/,
  ],
  ['another version', change({ gravitee: '5.0.0' }), 'gravitee', /V4, 4.0.0/],
  ['no version', change({ gravitee: undefined }), 'definitionVersion', /required; allowed: V4/],
  [
    'an unknown field',
    change({ listenerz: [] }),
    'listenerz',
    /unknown; did you mean listeners\? allowed: id, name/,
  ],
  ['a message API', change({ type: 'MESSAGE' }), 'type', /not supported by this version; allowed: proxy/],
  ['an unknown type', change({ type: 'x' }), 'type', /allowed: proxy/],
  ['a TCP listener', listener({ type: 'tcp' }), 'listeners[0].type', /allowed: http/],
  ['no path', listener({ paths: [] }), 'listeners[0].paths', /./],
  ['a path without slash', listener({ paths: [{ path: 'a' }] }), 'listeners[0].paths[0].path', /start with/],
  [
    'a path with dots',
    listener({ paths: [{ path: '/a/../b' }] }),
    'listeners[0].paths[0].path',
    /\.\. segments/,
  ],
  ['a path twice', listener({ paths: [{ path: '/a' }, { path: '/a/' }] }), 'listeners[0].paths[1]', /twice/],
  [
    'a host with port',
    listener({ paths: [{ host: 'a:1', path: '/' }] }),
    'listeners[0].paths[0].host',
    /without port/,
  ],
  ['an empty server id', listener({ servers: [''] }), 'listeners[0].servers[0]', /must not be empty/],
  [
    'a CORS pattern that is none',
    listener({ cors: { enabled: true, allowOrigin: ['https://(.*'] } }),
    'listeners[0].cors.allowOrigin[0]',
    /cannot be used: missing closing/,
  ],
  [
    'a CORS pattern that looks around',
    listener({ cors: { enabled: true, allowOriginRegex: ['(?=x)x'] } }),
    'listeners[0].cors.allowOriginRegex[0]',
    /cannot be used/,
  ],
  [
    'an expression as target',
    endpoint({ configuration: { target: 'http://{#request.hots}' } }),
    'endpointGroups[0].endpoints[0].configuration.target',
    /#request.hots is unknown to this version; did you mean host\?/,
  ],
  [
    'a target that reads the body',
    endpoint({ configuration: { target: 'http://{#request.content}' } }),
    'endpointGroups[0].endpoints[0].configuration.target',
    /reads a body, which is on its way by then/,
  ],
  [
    'a target with a password',
    endpoint({ configuration: { target: 'http://a:b@c/' } }),
    'endpointGroups[0].endpoints[0].configuration.target',
    /user information/,
  ],
  [
    'a target that is no URL',
    endpoint({ configuration: { target: 'ftp://x' } }),
    'endpointGroups[0].endpoints[0].configuration.target',
    /http/,
  ],
  [
    'balancing that there is not',
    group({ loadBalancer: { type: 'LEAST_REQUESTS' } }),
    'endpointGroups[0].loadBalancer.type',
    /allowed: round-robin/,
  ],
  [
    'HTTP/3',
    shared({ http: { version: 'HTTP_3' } }),
    'endpointGroups[0].sharedConfiguration.http.version',
    /HTTP_1_1.*HTTP_2/,
  ],
  [
    'a password of a SOCKS4 proxy',
    shared({ proxy: { enabled: true, type: 'SOCKS4', host: 'a', port: 1, password: 'b' } }),
    'endpointGroups[0].sharedConfiguration.proxy.password',
    /SOCKS4 proxy; allowed: username alone, or SOCKS5/,
  ],
  [
    'a proxy without port',
    shared({ proxy: { enabled: true, host: 'a' } }),
    'endpointGroups[0].sharedConfiguration.proxy.port',
    /1 to 65535/,
  ],
  [
    'a proxy without host',
    shared({ proxy: { enabled: true, port: 1 } }),
    'endpointGroups[0].sharedConfiguration.proxy.host',
    /useSystemProxy/,
  ],
  [
    'a proxy whose user holds a colon',
    shared({ proxy: { enabled: true, host: 'a', port: 1, username: 'a:b' } }),
    'endpointGroups[0].sharedConfiguration.proxy.username',
    /colon/,
  ],
  [
    'a JKS trust store',
    shared({ ssl: { trustStore: { type: 'JKS', path: '/a' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.trustStore.type',
    /allowed: PEM, PKCS12, or empty.*keytool/,
  ],
  [
    'a PEM trust store with a password',
    shared({ ssl: { trustStore: { type: 'PEM', content: 'x', password: 'y' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.trustStore.password',
    /not used by a PEM store/,
  ],
  [
    'a trust store without certificates',
    shared({ ssl: { trustStore: { type: 'PEM', content: '' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.trustStore.content',
    /required.*path/,
  ],
  [
    'a trust store at a relative path',
    shared({ ssl: { trustStore: { type: 'PEM', path: 'ca.pem' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.trustStore.path',
    /absolute/,
  ],
  [
    'a JKS key store',
    shared({ ssl: { keyStore: { type: 'JKS', path: '/a' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.type',
    /allowed: PEM, PKCS12, or empty.*keytool/,
  ],
  [
    'a key store with two certificates',
    shared({ ssl: { keyStore: { type: 'PEM', certContent: 'x', certPath: '/a', keyContent: 'x' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.certContent',
    /beside certPath/,
  ],
  [
    'a key store without key',
    shared({ ssl: { keyStore: { type: 'PEM', certContent: 'x' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.keyContent',
    /required/,
  ],
  [
    'a PEM key with a password',
    shared({ ssl: { keyStore: { type: 'PEM', certContent: 'x', keyContent: 'x', keyPassword: 'x' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.keyPassword',
    /unencrypted/,
  ],
  [
    'a PKCS12 store with PEM in it',
    shared({ ssl: { keyStore: { type: 'PKCS12', content: 'x', keyContent: 'x' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.keyContent',
    /not used by a PKCS12 store/,
  ],
  [
    'a PKCS12 store whose key has a password of its own',
    shared({ ssl: { keyStore: { type: 'PKCS12', path: '/a', password: 'x', keyPassword: 'y' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.keyPassword',
    /same as password/,
  ],
  [
    'an alias',
    shared({ ssl: { keyStore: { type: 'PKCS12', path: '/a', alias: 'x' } } }),
    'endpointGroups[0].sharedConfiguration.ssl.keyStore.alias',
    /one key/,
  ],
  [
    'an unknown http setting',
    shared({ http: { readTimeot: 1 } }),
    'endpointGroups[0].sharedConfiguration.http.readTimeot',
    /readTimeout/,
  ],
  [
    'a plan of unknown security',
    change({ plans: { p: { security: { type: 'KERBEROS' } } } }),
    'plans.p.security.type',
    /allowed: key-less, api-key/,
  ],
  [
    'a push plan',
    change({ plans: [{ id: 'p', mode: 'PUSH', security: { type: 'KEY_LESS' } }] }),
    'plans[0].mode',
    /standard/,
  ],
  [
    'a selection rule',
    change({ plans: { p: { selectionRule: '#a', security: { type: 'API_KEY' } } } }),
    'plans.p.selectionRule',
    /#a is unknown/,
  ],
  [
    'an unknown key setting',
    change({ plans: { p: { security: { type: 'API_KEY', configuration: { x: 1 } } } } }),
    'plans.p.security.configuration.x',
    /unknown/,
  ],
  [
    'a plan twice',
    change({ plans: [0, 1].map(() => ({ id: 'p', security: { type: 'API_KEY' } })) }),
    'plans[1].id',
    /twice/,
  ],
  ['a flow path with dots', flowAt('/q/../w'), 'flows[0].selectors[0].path', /must not hold \. or \.\./],
  ['a flow path with a backslash', flowAt('/e\\f'), 'flows[0].selectors[0].path', /must not hold \\/],
  ['a flow path with a query', flowAt('/e?f'), 'flows[0].selectors[0].path', /must not hold/],
  [
    'an unknown policy',
    step({ policy: 'of-nobody' }),
    'flows[0].request[0].policy',
    /"of-nobody" is not supported by this version; docs/,
  ],
  [
    'a policy of the reference that is not here',
    step({ policy: 'aws-lambda' }),
    'flows[0].request[0].policy',
    /"aws-lambda" is not supported by this version; give the function a URL, and call it by policy-http-callout/,
  ],
  [
    'a mistyped policy',
    step({ policy: 'ratelimit' }),
    'flows[0].request[0].policy',
    /"ratelimit" is not supported by this version; did you mean rate-limit\?/,
  ],
  ['a plan policy as step', step({ policy: 'api-key' }), 'flows[0].request[0].policy', /cannot stand/],
  [
    'a step condition that names what is not known',
    step({ condition: "{#request.metod == 'GET'}" }),
    'flows[0].request[0].condition',
    /^holds \{#request\.metod == 'GET'\}: #request\.metod is unknown to this version; did you mean method\? \(at its character 10\)$/,
  ],
  [
    'an expression that this version has not',
    step({ configuration: { addHeaders: [{ name: 'a', value: "x{#dictionary['d']['k']}" }] } }),
    'flows[0].request[0].configuration.addHeaders[0].value',
    /^holds \{#dictionary\['d'\]\['k'\]\}: #dictionary is unknown to this version; did you mean #dictionaries\?/,
  ],
  [
    'an expression where none is evaluated',
    step({ configuration: { removeHeaders: ['{#request.id}'] } }),
    'flows[0].request[0].configuration.removeHeaders[0]',
    /token|name|expression/,
  ],
  [
    'a header that splits',
    step({ configuration: { addHeaders: [{ name: 'a', value: 'x\r\nB: c' }] } }),
    'flows[0].request[0].configuration.addHeaders[0].value',
    /printable ASCII/,
  ],
  [
    'an unknown policy setting',
    step({ configuration: { add: [] } }),
    'flows[0].request[0].configuration.add',
    /unknown/,
  ],
  [
    'a mock with status 700',
    step({ policy: 'mock', configuration: { status: '700' } }),
    'flows[0].request[0].configuration.status',
    /200 to 599/,
  ],
  [
    'a flow condition',
    change({ flows: [{ selectors: [{ type: 'CONDITION', condition: '{#a}' }] }] }),
    'flows[0].selectors[0].condition',
    /^holds \{#a\}: #a is unknown/,
  ],
  [
    'a method that nobody asks by',
    change({ flows: [{ selectors: [{ type: 'HTTP', path: '/', methods: ['GET', 'GTE'] }] }] }),
    'flows[0].selectors[0].methods[1]',
    /^"GTE" is no method that is known here; did you mean GET\? OTHER stands for all that have no name of their own$/,
  ],
  [
    'a mistyped field',
    change({ flows: [{ selectrs: [] }] }),
    'flows[0].selectrs',
    /^is unknown; did you mean selectors\? allowed: id, name,/,
  ],
  [
    'a mistyped word',
    change({ plans: { open: { security: { type: 'KEYLESS' } } } }),
    'plans.open.security.type',
    /^"keyless" is not one of them; did you mean key-less\? allowed: key-less, api-key,/,
  ],
  [
    'a channel selector',
    change({ flows: [{ selectors: [{ type: 'CHANNEL' }] }] }),
    'flows[0].selectors[0].type',
    /allowed: http/,
  ],
  [
    'a subscribe phase',
    change({ flows: [{ subscribe: [{ policy: 'mock' }] }] }),
    'flows[0].subscribe',
    /not supported/,
  ],
  [
    'a condition of failover that names nothing',
    change({ failover: { enabled: true, failureCondition: '{#response.state > 499}' } }),
    'failover.failureCondition',
    /state/,
  ],
  [
    'dynamic properties without a source',
    change({
      services: { dynamicProperty: { enabled: true, type: 'http-dynamic-properties', configuration: {} } },
    }),
    'services.dynamicProperty.configuration.url',
    /is required|missing/,
  ],
  [
    'a resource',
    change({ resources: [{ name: 'r', type: 'oauth2-keycloak-resource', enabled: true }] }),
    'resources[0].type',
    /enabled: false/,
  ],
  [
    'an expression in a template',
    change({ responseTemplates: { DEFAULT: { '*/*': { body: '{#error.code}' } } } }),
    'responseTemplates.DEFAULT.*/*.body',
    /#error.code is unknown to this version/,
  ],
  [
    'a large template',
    change({
      responseTemplates: { DEFAULT: { '*/*': { body: 'x'.repeat(apiLimits.templateBodyCharsMax + 1) } } },
    }),
    'responseTemplates.DEFAULT.*/*.body',
    /./,
  ],
  [
    'methods of version 2 that the selector does not have',
    change({ flows: [{ methods: ['GET'], selectors: [{ type: 'HTTP', methods: ['POST'] }] }] }),
    'flows[0].methods',
    /HTTP selector/,
  ],
  [
    'methods of version 2 without a selector',
    change({ flows: [{ methods: ['get'] }] }),
    'flows[0].methods',
    /HTTP selector/,
  ],
  [
    'too many flows',
    change({ flows: Array.from({ length: apiLimits.flowsMax + 1 }, () => ({})) }),
    'flows',
    /./,
  ],
  [
    'too many paths',
    listener({ paths: Array.from({ length: apiLimits.pathsMax + 1 }, (_, n) => ({ path: `/${n}` })) }),
    'listeners[0].paths',
    /./,
  ],
  ['a strange envelope', { ...exported, surprise: 1 }, 'surprise', /allowed: api/],
  [
    'an envelope with a fault',
    { ...exported, api: { ...exported.api, type: 'NATIVE' } },
    'api.type',
    /proxy/,
  ],
  [
    'the second plan by order',
    { ...exported, plans: [{ ...exported.plans[0], mode: 'PUSH' }, exported.plans[1]] },
    'plans[0].mode',
    /standard/,
  ],
];

for (const [what, input, path, words] of refusals) {
  test(`refuses ${what} with its path`, () => {
    const faults = faultsOf(input);
    assert.ok(Object.hasOwn(faults, path), `${path} is not among ${JSON.stringify(faults)}`);
    assert.match(faults[path] ?? '', words);
  });
}
