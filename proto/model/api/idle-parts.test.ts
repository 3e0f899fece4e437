import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApi } from '../../definition/read.ts';
import { idleParts } from './idle-parts.ts';

type Json = Readonly<Record<string, unknown>>;

const endpoint = (name: string, more: Json = {}): Json => ({
  name,
  type: 'http-proxy',
  configuration: { target: 'http://a.example' },
  ...more,
});
const group = (name: string, more: Json = {}): Json => ({
  name,
  type: 'http-proxy',
  endpoints: [endpoint(`${name}-one`)],
  ...more,
});
const flow = (path: string, more: Json = {}): Json => ({
  selectors: [{ type: 'http', path, pathOperator: 'STARTS_WITH', methods: [] }],
  ...more,
});
const step = (policy: string, configuration: Json, more: Json = {}): Json => ({
  policy,
  configuration,
  ...more,
});
const keyless = (id: string, more: Json = {}): Json => ({ id, security: { type: 'KEY_LESS' }, ...more });
const routing = (url: string): Json =>
  flow('/', { request: [step('dynamic-routing', { rules: [{ pattern: '/.*', url }] })] });
const caching = flow('/', { request: [step('cache', { cacheName: 'kept' })] });
const kept = [{ name: 'kept', type: 'cache', configuration: {} }];

/** What is said of an API with these fields: `path kind`. */
function said(changes: Json): readonly string[] {
  const { api } = readApi({
    gravitee: '4.0.0',
    id: 'a',
    name: 'A',
    listeners: [{ type: 'http', paths: [{ path: '/orders' }] }],
    endpointGroups: [group('first')],
    plans: [keyless('open')],
    ...changes,
  });
  return idleParts(api).map(({ path, kind }) => `${path} ${kind}`);
}

test('what no request will meet is told by its place, and what one may meet is not', () => {
  const rows: readonly (readonly [promise: string, changes: Json, expected: readonly string[]])[] = [
    ['a plain API has nothing idle', {}, []],
    ['a resource that nobody names', { resources: kept }, ['resources[0] idle']],
    ['a resource that is off is off', { resources: [{ ...kept[0], enabled: false }] }, []],
    ['a resource of a step', { resources: kept, flows: [caching] }, []],
    ['a resource of a plan’s step', { resources: kept, plans: [keyless('open', { flows: [caching] })] }, []],
    [
      'a resource of a flow that is off',
      { resources: kept, flows: [{ ...caching, enabled: false }] },
      ['resources[0] idle'],
    ],
    [
      'a plan in staging',
      { plans: [keyless('open'), keyless('next', { status: 'staging' })] },
      ['plans[1] idle'],
    ],
    ['a second keyless plan', { plans: [keyless('open'), keyless('also')] }, ['plans[1] doubt']],
    [
      'a keyless plan behind a rule',
      { plans: [keyless('some', { selectionRule: "#request.method == 'GET'" }), keyless('all')] },
      [],
    ],
    [
      'a keyless plan behind one of other gateways',
      { plans: [keyless('a', { tags: ['x'] }), keyless('b')] },
      [],
    ],
    [
      'a plan with keys beside a keyless one',
      { plans: [keyless('open'), { id: 'k', security: { type: 'API_KEY' } }] },
      [],
    ],
    [
      'a keyless plan beside one with a rule, whichever stands first',
      {
        plans: [
          { id: 'k', security: { type: 'API_KEY' }, selectionRule: "#request.method == 'GET'" },
          keyless('open'),
        ],
      },
      ['plans[1] doubt'],
    ],
    [
      'a keyless plan beside one with a rule that is closed',
      {
        plans: [
          keyless('open'),
          { id: 'k', security: { type: 'API_KEY' }, selectionRule: 'false', status: 'closed' },
        ],
      },
      [],
    ],
    ['a second group', { endpointGroups: [group('first'), group('second')] }, ['endpointGroups[1] doubt']],
    [
      'a second group that a step names',
      { endpointGroups: [group('first'), group('second')], flows: [routing("{#endpoints['second']}")] },
      [],
    ],
    [
      'an endpoint of it that a step names',
      { endpointGroups: [group('first'), group('second')], flows: [routing('second-one:/x')] },
      [],
    ],
    [
      'a name that is put together',
      {
        endpointGroups: [group('first'), group('second')],
        flows: [routing("{#endpoints[#request.headers['X-Group'][0]]}")],
      },
      [],
    ],
    [
      'a first group without endpoints',
      { endpointGroups: [group('none', { endpoints: [] }), group('second')] },
      ['endpointGroups[0] idle'],
    ],
    [
      'a weight where none counts',
      { endpointGroups: [group('first', { endpoints: [endpoint('one', { weight: 2 })] })] },
      ['endpointGroups[0].endpoints[0].weight idle'],
    ],
    [
      'a weight where it counts',
      {
        endpointGroups: [
          group('first', {
            loadBalancer: { type: 'WEIGHTED_RANDOM' },
            endpoints: [endpoint('one', { weight: 2 })],
          }),
        ],
      },
      [],
    ],
    [
      'an override that does not count',
      {
        endpointGroups: [
          group('first', {
            endpoints: [endpoint('one', { sharedConfigurationOverride: { http: { readTimeout: 5 } } })],
          }),
        ],
      },
      ['endpointGroups[0].endpoints[0].sharedConfigurationOverride doubt'],
    ],
    [
      'an override that says nothing, as consoles write it',
      {
        endpointGroups: [
          group('first', { endpoints: [endpoint('one', { sharedConfigurationOverride: {} })] }),
        ],
      },
      [],
    ],
    ['a flow at the path of its API', { flows: [flow('/orders/7')] }, ['flows[0].selectors[0].path doubt']],
    ['a flow at another path', { flows: [flow('/ordersheet')] }, []],
    ['such a flow that is off', { flows: [flow('/orders', { enabled: false })] }, []],
    [
      'a condition that never holds',
      { flows: [{ selectors: [{ type: 'condition', condition: 'false' }] }] },
      ['flows[0].selectors[0].condition idle'],
    ],
    [
      'CORS of nobody',
      { listeners: [{ type: 'http', paths: [{ path: '/orders' }], cors: { enabled: true } }] },
      ['listeners[0].cors.allowOrigin doubt'],
    ],
  ];
  for (const [promise, changes, expected] of rows) assert.deepEqual(said(changes), expected, promise);
});
