import { version2Definition } from '../../kit/gateway/gateway.ts';
import type { Row, RowPlace, Subject } from '../row.ts';

type Json = Readonly<Record<string, unknown>>;
const works = { status: 200, asked: { url: '/base/a' } } as const;
const set = (name: string, value: string): Json => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name, value }] },
});

/** As the management API exports an API. */
const exported =
  (api: Json = {}, plans: readonly Json[] = [{ name: 'Open', security: { type: 'KEY_LESS' } }]) =>
  ({ id, targets }: Pick<RowPlace, 'id' | 'targets'>): Json => ({
    export: { date: '2026-01-01T00:00:00Z' },
    api: {
      id,
      name: id,
      definitionVersion: 'V4',
      type: 'PROXY',
      apiVersion: '1',
      listeners: [{ type: 'HTTP', paths: [{ path: `/${id}` }], entrypoints: [{ type: 'http-proxy' }] }],
      endpointGroups: [
        {
          name: 'Default',
          type: 'http-proxy',
          loadBalancer: { type: 'ROUND_ROBIN' },
          endpoints: [
            { name: 'one', type: 'http-proxy', weight: 1, configuration: { target: `${targets[0]}/base` } },
          ],
        },
      ],
      ...api,
    },
    plans,
  });

/** As a repository keeps an API of version 2. */
const old =
  (api: Json = {}, proxy: Json = {}) =>
  ({ id, targets }: Pick<RowPlace, 'id' | 'targets'>): Json =>
    version2Definition(id, `${targets[0]}/base`, { api: { version: '1', ...api }, proxy });

const flowOf2 = (more: Json = {}): Json => ({
  name: 'all',
  'path-operator': { path: '/', operator: 'STARTS_WITH' },
  methods: [],
  enabled: true,
  pre: [{ name: 'x', enabled: true, ...set('X-Pre', '1') }],
  post: [{ name: 'y', enabled: true, ...set('X-Post', '1') }],
  ...more,
});

const rows: readonly Row[] = [
  { says: 'an export of version 4 serves', file: exported(), exchanges: [{ path: '/a' }, works] },
  {
    says: 'definitionVersion may be 4.0.0',
    file: exported({ definitionVersion: '4.0.0' }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'plans of an export need no ids',
    file: exported({}, [
      { name: 'Open', security: { type: 'KEY_LESS' }, status: 'PUBLISHED' },
      { name: 'Keys', security: { type: 'API_KEY' }, status: 'PUBLISHED' },
    ]),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'empty stores and entrypointConnect are nothing',
    file: ({ id, targets }) =>
      exported({
        allowMultiJwtOauth2Subscriptions: false,
        flows: [{ name: '', enabled: true, selectors: [], request: [], response: [], entrypointConnect: [] }],
        endpointGroups: [
          {
            name: 'Default',
            type: 'http-proxy',
            sharedConfiguration: {
              ssl: {
                trustStore: { type: '' },
                keyStore: { type: 'NONE' },
                hostnameVerifier: true,
                trustAll: false,
              },
              proxy: { enabled: false, useSystemProxy: false },
            },
            endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: `${targets[0]}/base` } }],
          },
        ],
      })({ id, targets }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'UPPER_CASE selectors and modes are read',
    file: exported({
      flowExecution: { mode: 'BEST_MATCH', matchRequired: false },
      flows: [
        {
          name: 'f',
          enabled: true,
          selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH', methods: ['GET'] }],
          request: [set('X-A', '1')],
        },
      ],
    }),
    exchanges: [{ path: '/a' }, { status: 200, asked: { headers: { 'x-a': '1' } } }],
  },
  {
    says: 'fields of the portal change nothing',
    file: exported({
      description: 'd',
      labels: ['x'],
      groups: ['g'],
      categories: ['c'],
      visibility: 'PRIVATE',
      lifecycleState: 'PUBLISHED',
      primaryOwner: { id: 'x', displayName: 'y', type: 'USER' },
      picture: 'data:,',
    }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'tracing that is off is nothing',
    file: exported({ analytics: { enabled: true, tracing: { enabled: false, verbose: false } } }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'a custom resource of the Kubernetes operator serves by its spec',
    file: ({ id, targets }) => ({
      apiVersion: 'gravitee.io/v1alpha1',
      kind: 'ApiV4Definition',
      metadata: { name: id },
      spec: {
        name: id,
        version: '1',
        type: 'PROXY',
        contextRef: { name: 'dev' },
        listeners: [{ type: 'HTTP', paths: [{ path: `/${id}` }], entrypoints: [{ type: 'http-proxy' }] }],
        endpointGroups: [
          {
            name: 'Default',
            type: 'http-proxy',
            endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: `${targets[0]}/base` } }],
          },
        ],
        plans: { open: { name: 'Open', security: { type: 'KEY_LESS' } } },
      },
    }),
    exchanges: [{ path: '/a' }, works],
  },
  { says: 'a definition of version 2 serves', file: old(), exchanges: [{ path: '/a' }, works] },
  {
    says: 'version 2: context_path in place of virtual hosts',
    file: ({ id, targets }) => old({}, { virtual_hosts: undefined, context_path: `/${id}` })({ id, targets }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'version 2: endpoints without a group',
    file: ({ id, targets }) =>
      old(
        {},
        { groups: undefined, endpoints: [{ name: 'one', target: `${targets[0]}/base` }] },
      )({ id, targets }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'version 2: pre runs for the request and post for the answer',
    file: old({ flows: [flowOf2()] }),
    exchanges: [
      { path: '/a' },
      { headers: { 'x-post': '1' }, asked: { headers: { 'x-pre': '1', 'x-post': undefined } } },
    ],
  },
  {
    says: 'version 2: a flow that is off does not run',
    file: old({ flows: [flowOf2({ enabled: false })] }),
    exchanges: [{ path: '/a' }, { asked: { headers: { 'x-pre': undefined } } }],
  },
  {
    says: 'version 2: methods of a flow',
    file: old({ flows: [flowOf2({ methods: ['POST'] })] }),
    exchanges: [
      [{ path: '/a', method: 'POST' }, { asked: { headers: { 'x-pre': '1' } } }],
      [{ path: '/a' }, { asked: { headers: { 'x-pre': undefined } } }],
    ],
  },
  {
    says: 'version 2: EQUALS',
    file: old({ flows: [flowOf2({ 'path-operator': { path: '/a', operator: 'EQUALS' } })] }),
    exchanges: [
      [{ path: '/a' }, { asked: { headers: { 'x-pre': '1' } } }],
      [{ path: '/a/b' }, { asked: { headers: { 'x-pre': undefined } } }],
    ],
  },
  {
    says: 'version 2: a condition of a flow',
    file: old({ flows: [flowOf2({ condition: "{#request.headers['x-on'] != null}" })] }),
    exchanges: [
      [{ path: '/a', headers: { 'x-on': '1' } }, { asked: { headers: { 'x-pre': '1' } } }],
      [{ path: '/a' }, { asked: { headers: { 'x-pre': undefined } } }],
    ],
  },
  {
    says: 'version 2: BEST_MATCH',
    file: old({
      flow_mode: 'BEST_MATCH',
      flows: [
        flowOf2({ pre: [set('X-Which', 'all')] }),
        flowOf2({ 'path-operator': { path: '/a', operator: 'STARTS_WITH' }, pre: [set('X-Which', 'a')] }),
      ],
    }),
    exchanges: [
      [{ path: '/a' }, { asked: { headers: { 'x-which': 'a' } } }],
      [{ path: '/b' }, { asked: { headers: { 'x-which': 'all' } } }],
    ],
  },
  {
    says: 'version 2: properties and response templates',
    file: old({
      properties: [{ key: 'region', value: 'coast' }],
      response_templates: { DEFAULT: { '*/*': { status: 409, body: 'templated' } } },
      flows: [
        flowOf2({
          pre: [
            set('X-Region', "{#properties['region']}"),
            { ...set('X-Broken', "{#request.headers['nope'][0]}"), condition: "{#request.method == 'POST'}" },
          ],
        }),
      ],
    }),
    exchanges: [{ path: '/a' }, { status: 200, asked: { headers: { 'x-region': 'coast' } } }],
  },
  {
    says: 'version 2: a list of plans, with security in its old spelling',
    file: old({ plans: [{ id: 'k', name: 'Keys', security: 'api_key', status: 'published' }] }),
    subscriptions: [{ plan: 'k', apiKeys: ['key-of-version-2'] }],
    exchanges: [
      [{ path: '/a', headers: { 'x-gravitee-api-key': 'key-of-version-2' } }, works],
      [{ path: '/a' }, { status: 401, asked: false }],
    ],
  },
  {
    says: 'version 2: a backup endpoint is a secondary one',
    file: ({ id, targets }) =>
      old(
        {},
        {
          groups: [
            {
              name: 'default',
              endpoints: [
                { name: 'two', target: targets[1], backup: true },
                { name: 'one', target: `${targets[0]}/base` },
              ],
            },
          ],
        },
      )({ id, targets }),
    exchanges: [
      [{ path: '/a' }, works],
      [{ path: '/a' }, works],
    ],
  },
  {
    says: 'version 2: load balancing takes turns',
    file: ({ id, targets }) =>
      old(
        {},
        {
          groups: [
            {
              name: 'default',
              load_balancing: { type: 'ROUND_ROBIN' },
              endpoints: [
                { name: 'one', target: targets[0] },
                { name: 'two', target: targets[1] },
              ],
            },
          ],
        },
      )({ id, targets }),
    exchanges: [
      [{}, { asked: { backend: 0 } }],
      [{}, { asked: { backend: 1 } }],
    ],
  },
  {
    says: 'version 2: CORS',
    file: old({}, { cors: { enabled: true, allowOrigin: ['*'], allowMethods: ['GET'], allowHeaders: [] } }),
    exchanges: [
      {
        method: 'OPTIONS',
        headers: { origin: 'https://a.test', 'access-control-request-method': 'GET' },
      },
      { status: 200, headers: { 'access-control-allow-origin': 'https://a.test' }, asked: false },
    ],
  },
  {
    says: 'version 2: logging NONE is nothing',
    file: old({}, { logging: { mode: 'NONE', condition: 'false' } }),
    exchanges: [{ path: '/a' }, works],
  },
  {
    says: 'version 1: paths with their policies',
    file: ({ id, targets }) => ({
      id,
      name: id,
      version: '1',
      proxy: { context_path: `/${id}`, endpoints: [{ name: 'one', target: `${targets[0]}/base` }] },
      paths: {
        '/': [
          {
            methods: ['GET'],
            'transform-headers': { scope: 'REQUEST', addHeaders: [{ name: 'X-Old', value: '1' }] },
          },
        ],
      },
      plans: { open: { id: 'open', name: 'Open', security: 'key_less', status: 'published', paths: {} } },
    }),
    exchanges: [{ path: '/a' }, { status: 200, asked: { headers: { 'x-old': '1' } } }],
  },
];

/** What APIs do, about spellings. */
export const aboutSpellings: Subject = { name: 'spellings', rows };
