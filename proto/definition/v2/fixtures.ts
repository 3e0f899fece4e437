import { cleaned } from '../clean.ts';
import type { OpenedApi } from '../opened.ts';
import { sourceOf } from '../source.ts';
import { openVersion2 } from './open.ts';

/** An API of version 2 as a gateway gets it and as the v1 API exports it, with every section. */
export const payload = {
  id: 'ferries',
  name: 'Ferries',
  version: '3',
  gravitee: '2.0.0',
  flow_mode: 'BEST_MATCH',
  execution_mode: 'v4-emulation-engine',
  tags: ['coast'],
  path_mappings: ['/piers/:pier'],
  proxy: {
    virtual_hosts: [
      { path: '/ferries' },
      { host: 'ferries.example.com', path: '/v1', override_entrypoint: true },
    ],
    strip_context_path: false,
    preserve_host: false,
    request_validation: { rejectNullByte: true },
    servers: ['inner'],
    logging: {
      mode: 'CLIENT_PROXY',
      scope: 'REQUEST',
      content: 'HEADERS',
      condition: "{#request.method == 'GET'}",
    },
    cors: {
      enabled: true,
      allowOrigin: ['https://a.example', '.*\\.b\\.example'],
      allowMethods: ['GET'],
      maxAge: 60,
    },
    failover: { maxAttempts: 2, retryTimeout: 500, cases: ['TIMEOUT'] },
    groups: [
      {
        name: 'main',
        load_balancing: { type: 'WEIGHTED_RANDOM' },
        services: { discovery: { enabled: true, provider: 'CONSUL', configuration: { service: 'ferry' } } },
        http: { connectTimeout: 700, useCompression: false, maxHeaderSize: 8192 },
        ssl: { trustAll: false, hostnameVerifier: true, trustStore: { type: '' } },
        headers: [{ name: 'X-From', value: 'gateway' }],
        proxy: { enabled: true, host: 'proxy.local', port: '3128', type: 'HTTP' },
        endpoints: [
          {
            name: 'north',
            target: 'http://north.local/v1',
            weight: 3,
            backup: false,
            type: 'http',
            inherit: true,
          },
          {
            name: 'south',
            target: 'http://south.local/v1',
            backup: true,
            tenants: ['eu'],
            http: { readTimeout: 900 },
            healthcheck: {
              enabled: true,
              inherit: false,
              schedule: '*/9 * * * * *',
              steps: [
                {
                  request: { path: '/up', method: 'HEAD', fromRoot: true },
                  response: { assertions: ['#response.status == 204'] },
                },
              ],
            },
          },
        ],
      },
    ],
  },
  services: {
    'health-check': {
      enabled: true,
      schedule: '*/5 * * * * *',
      steps: [
        {
          name: 'default-step',
          request: { path: '/health', method: 'GET', headers: [{ name: 'X-Probe', value: '1' }] },
          response: { assertions: ['#response.status == 200', '#responseTime < 500'] },
        },
      ],
    },
    'dynamic-property': {
      enabled: true,
      provider: 'HTTP',
      schedule: '0 */5 * * * *',
      configuration: { url: 'http://props.local/', specification: '[]', method: 'GET', useSystemProxy: true },
    },
  },
  resources: [{ name: 'store', type: 'cache', configuration: { timeToLiveSeconds: 5 } }],
  properties: [{ key: 'region', value: 'coast', encrypted: false, dynamic: false }],
  response_templates: { DEFAULT: { '*/*': { status: 418, body: 'no' } } },
  flows: [
    {
      id: 'f1',
      name: 'piers',
      'path-operator': { path: '/piers/:pier', operator: 'EQUALS' },
      methods: ['GET', 'POST'],
      condition: "#request.headers['X-Go'] != null",
      consumers: [{ consumerType: 'TAG', consumerId: 'coast' }],
      enabled: true,
      pre: [
        {
          name: 'mark',
          description: 'marks',
          enabled: true,
          policy: 'transform-headers',
          configuration: '{"addHeaders":[{"name":"X-Pier","value":"yes"}]}',
          condition: ' ',
        },
      ],
      post: [{ policy: 'transform-headers', configuration: { removeHeaders: ['Server'] }, condition: '#a' }],
    },
  ],
  plans: {
    late: {
      id: 'late',
      name: 'Late',
      security: 'API_KEY',
      securityDefinition: '{"propagateApiKey":true}',
      selectionRule: "#request.headers['X-Plan'][0] == 'late'",
      tags: ['coast'],
      status: 'deprecated',
      order: 2,
      flows: [],
    },
    open: {
      id: 'open',
      name: 'Open',
      security: 'key_less',
      securityDefinition: '{}',
      status: 'published',
      order: 1,
    },
  },
} as const;

const group = payload.proxy.groups[0];
const [north, south] = group.endpoints;
const { healthcheck, ...southern } = south;
const [flow] = payload.flows;

/** The same API in the spelling of the management API of version 2. */
export const managed = {
  id: payload.id,
  name: payload.name,
  apiVersion: payload.version,
  definitionVersion: 'V2',
  flowMode: 'BEST_MATCH',
  executionMode: 'V4_EMULATION_ENGINE',
  tags: payload.tags,
  pathMappings: payload.path_mappings,
  contextPath: '/ferries',
  proxy: {
    virtualHosts: [
      { path: '/ferries' },
      { host: 'ferries.example.com', path: '/v1', overrideEntrypoint: true },
    ],
    stripContextPath: false,
    preserveHost: false,
    requestValidation: payload.proxy.request_validation,
    servers: payload.proxy.servers,
    logging: payload.proxy.logging,
    cors: payload.proxy.cors,
    failover: payload.proxy.failover,
    groups: [
      {
        name: group.name,
        loadBalancing: group.load_balancing,
        services: group.services,
        httpClientOptions: group.http,
        httpClientSslOptions: group.ssl,
        headers: group.headers,
        httpProxy: group.proxy,
        endpoints: [
          north,
          { ...southern, http: undefined, httpClientOptions: south.http, healthCheck: healthcheck },
        ],
      },
    ],
  },
  services: {
    healthCheck: payload.services['health-check'],
    dynamicProperty: payload.services['dynamic-property'],
  },
  resources: payload.resources,
  properties: payload.properties,
  responseTemplates: { DEFAULT: { '*/*': { statusCode: 418, body: 'no' } } },
  flows: [{ ...flow, 'path-operator': undefined, pathOperator: flow['path-operator'] }],
  plans: [
    {
      ...payload.plans.late,
      securityDefinition: undefined,
      security: { type: 'API_KEY', configuration: { propagateApiKey: true } },
      status: 'DEPRECATED',
    },
    {
      ...payload.plans.open,
      securityDefinition: undefined,
      security: { type: 'KEY_LESS', configuration: {} },
    },
  ],
};

/** The least that is an API of version 2; `changes` are fields beside or in place of its own. */
export const plain = (
  changes: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  id: 'plain',
  name: 'Plain',
  gravitee: '2.0.0',
  execution_mode: 'v4-emulation-engine',
  proxy: {
    virtual_hosts: [{ path: '/plain' }],
    groups: [{ name: 'main', endpoints: [{ name: 'one', target: 'http://one.local', inherit: true }] }],
  },
  ...changes,
});

/** ... of its proxy. */
export const proxied = (changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  plain({ proxy: { ...(plain()['proxy'] as object), ...changes } });

/** ... of its group of endpoints. */
export const grouped = (changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  proxied({
    groups: [
      { name: 'main', endpoints: [{ name: 'one', target: 'http://one.local', inherit: true }], ...changes },
    ],
  });

/** ... of its endpoint. */
export const pointed = (changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  grouped({ endpoints: [{ name: 'one', target: 'http://one.local', ...changes }] });

/** ... of its health check. */
export const checked = (changes: Readonly<Record<string, unknown>>): unknown =>
  plain({
    services: {
      'health-check': { schedule: '* * * * * *', steps: [{ request: { path: '/up' } }], ...changes },
    },
  });

/** An input, and what stands at a path of what the door makes of it. */
export type Row = readonly [what: string, input: unknown, path: string, value: unknown];

/** What the door makes of an input of version 1 or 2, before the model looks at it. */
export function opened(input: unknown): OpenedApi {
  const { source, version } = sourceOf(cleaned(JSON.parse(JSON.stringify(input))));
  if (version === 4) throw new TypeError('This is no definition of version 1 or 2.');
  return openVersion2({ ...source, version });
}

/** The value at a path such as `flows[0].pre`; keys with dots in them are not found. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((segment) => segment !== '')
    .reduce<unknown>(
      (holder, segment) => new Map<string, unknown>(Object.entries(Object(holder) as object)).get(segment),
      value,
    );
}
