import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsOf } from '../fixtures.ts';
import { checked, grouped, opened, plain, pointed, proxied } from './fixtures.ts';

const faults: readonly (readonly [what: string, input: unknown, path: string, message: RegExp])[] = [
  ['a strange field', plain({ surprise: 1 }), 'surprise', /unknown; allowed: .*flow_mode/],
  ['... deep inside', pointed({ surprise: 1 }), 'proxy.groups[0].endpoints[0].surprise', /unknown/],
  ['... of HTTP', grouped({ http: { conectTimeout: 1 } }), 'proxy.groups[0].http.conectTimeout', /unknown/],
  ['no proxy', plain({ proxy: undefined }), 'proxy', /required/],
  ['no name', plain({ name: undefined }), 'name', /is required/],
  ['a bad target', pointed({ target: 'nowhere' }), 'proxy.groups[0].endpoints[0].target', /URL/],
  ['no target', pointed({ target: undefined }), 'proxy.groups[0].endpoints[0].target', /is required/],
  ['a bad timeout', grouped({ http: { readTimeout: -1 } }), 'proxy.groups[0].http.readTimeout', /0/],
  [
    'an endpoint of Kafka',
    pointed({ type: 'kafka' }),
    'proxy.groups[0].endpoints[0].type',
    /allowed: http-proxy/,
  ],
  [
    'a bad path',
    proxied({ virtual_hosts: [{ path: 'x' }] }),
    'proxy.virtual_hosts[0].path',
    /must start with/,
  ],
  [
    'a bad context path',
    proxied({ virtual_hosts: undefined, context_path: 'x' }),
    'proxy.context_path',
    /must start/,
  ],
  ['no path', proxied({ virtual_hosts: [] }), 'proxy.virtual_hosts', /1/],
  [
    'names of one kind',
    proxied({ groups: [{ name: 'a', endpoints: [{ name: 'a', target: 'http://a' }] }] }),
    'proxy.groups[0].endpoints[0].name',
    /twice/,
  ],
  [
    'an unknown balancing',
    grouped({ load_balancing: { type: 'LEAST' } }),
    'proxy.groups[0].load_balancing.type',
    /ROUND_ROBIN/,
  ],
  ['an unknown mode of logging', proxied({ logging: { mode: 'ALL' } }), 'proxy.logging.mode', /CLIENT_PROXY/],
  ['an unknown case', proxied({ failover: { cases: ['ERROR'] } }), 'proxy.failover.cases[0]', /TIMEOUT/],
  [
    'an unknown kind of consumer',
    plain({ flows: [{ consumers: [{ consumerType: 'USER', consumerId: 'x' }] }] }),
    'flows[0].consumers[0].consumerType',
    /TAG/,
  ],
  [
    'an unknown policy',
    plain({ flows: [{ pre: [{ policy: 'nope', configuration: {} }] }] }),
    'flows[0].pre[0].policy',
    /not supported/,
  ],
  [
    'a bad configuration',
    plain({ flows: [{ post: [{ policy: 'transform-headers', configuration: '{"addHeaders":1}' }] }] }),
    'flows[0].post[0].configuration.addHeaders',
    /list/,
  ],
  [
    'a bad security',
    plain({ plans: { a: { name: 'a', security: 'magic' } } }),
    'plans.a.security',
    /allowed: key-less/,
  ],
  [
    'a bad definition of a security',
    plain({ plans: [{ name: 'a', security: 'API_KEY', securityDefinition: '{"x":1}' }] }),
    'plans[0].securityDefinition.x',
    /unknown|nrecognized/,
  ],
  [
    'both spellings that differ',
    plain({ flow_mode: 'DEFAULT', flowMode: 'BEST_MATCH' }),
    'flowMode',
    /otherwise than flow_mode/,
  ],
  ['paths of version 1', plain({ paths: { '/': [] } }), 'paths', /version 1/],
  ['a list that is none', proxied({ groups: {} }), 'proxy.groups', /list/],
  [
    'a flag that is none',
    grouped({ ssl: { trustAll: 'maybe' } }),
    'proxy.groups[0].ssl.trustAll',
    /true or false/,
  ],
  [
    'a rate that is none',
    checked({ schedule: undefined, interval: 0 }),
    'services.health-check.interval',
    /at least 1/,
  ],
  ['an export', { api: plain({ surprise: 1 }) }, 'api.surprise', /unknown/],
  [
    'a custom resource',
    {
      apiVersion: 'gravitee.io/v1alpha1',
      kind: 'ApiDefinition',
      metadata: { name: 'a' },
      spec: plain({ surprise: 1 }),
    },
    'spec.surprise',
    /unknown/,
  ],
];

for (const [what, input, path, message] of faults)
  test(`refused: ${what}: ${path}`, () => {
    const told = faultsOf(input);
    assert.match(told[path] ?? JSON.stringify(told), message);
  });

const notes: readonly (readonly [what: string, input: unknown, path: string, message: RegExp])[] = [
  ['preserve_host', proxied({ preserve_host: true }), 'proxy.preserve_host', /propagateClientHost/],
  [
    'a bound of heads',
    grouped({ http: { maxHeaderSize: 100 } }),
    'proxy.groups[0].http.maxHeaderSize',
    /bounds nothing/,
  ],
  [
    'names that are not checked',
    grouped({ ssl: { trustStore: { type: '' } } }),
    'proxy.groups[0].ssl',
    /names/,
  ],
  [
    'a store of no type',
    grouped({ ssl: { keyStore: { type: 'X' } } }),
    'proxy.groups[0].ssl.keyStore.type',
    /left out/,
  ],
  [
    'a flow of another operator',
    plain({ flows: [{ 'path-operator': { operator: 'MATCHES', path: '/a' } }] }),
    'flows[0].path-operator.operator',
    /whole flow/,
  ],
  [
    'a step without configuration',
    plain({
      flows: [
        {
          pre: [
            { name: 'a', policy: 'mock' },
            { policy: 'mock', name: 'b' },
          ],
        },
      ],
    }),
    'flows[0].pre[0].configuration',
    /whole flow/,
  ],
  ['a plan that says no security', plain({ plans: [{ name: 'a' }] }), 'plans[0]', /no security/],
  [
    'a virtual host that is none',
    proxied({ virtual_hosts: ['x', { path: '/a' }] }),
    'proxy.virtual_hosts[0]',
    /left out|leaves it out/,
  ],
  [
    'a second resource',
    plain({ resources: [{ name: 'a' }, { name: 'a' }] }),
    'resources[1]',
    /another resource/,
  ],
  [
    'a second step of a health check',
    checked({ steps: [{ request: { path: '/' } }, { request: { path: '/' } }] }),
    'services.health-check.steps',
    /only the first/,
  ],
  ['an engine that is none', plain({ execution_mode: 'v9' }), 'execution_mode', /v3/],
  [
    'rules of version 1 in a plan',
    plain({ plans: [{ name: 'a', security: 'KEY_LESS', paths: { '/': [{}] } }] }),
    'plans[0].paths',
    /version 1/,
  ],
  [
    'a step of the other phase under v3',
    plain({
      execution_mode: 'v3',
      flows: [{ pre: [{ policy: 'mock', configuration: { scope: 'RESPONSE' } }] }],
    }),
    'flows[0].pre[0]',
    /never acts/,
  ],
];

for (const [what, input, path, message] of notes)
  test(`noted: ${what}`, () => {
    const { notes: told, faults: wrong } = opened(input);
    assert.deepEqual(wrong, []);
    assert.match(told.find((note) => note.path === path)?.message ?? JSON.stringify(told), message);
  });
