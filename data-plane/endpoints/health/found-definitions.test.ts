import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  type CheckedBackend,
  startCheckedBackends,
  startCheckingGateway,
} from '../../../test/kit/gateway/endpoints/checked.ts';

/** Health checks and failover in the forms in which exports, payloads and manifests have them: each loads, and does what it says. */

const exportOf = (id: string, api: object) => ({
  export: { date: '2025-12-05T07:33:33.2Z', apimVersion: '4.9.0' },
  api: {
    definitionVersion: 'V4',
    id,
    name: id,
    apiVersion: '1.0',
    type: 'PROXY',
    state: 'STARTED',
    visibility: 'PRIVATE',
    listeners: [
      {
        type: 'HTTP',
        paths: [{ path: `/${id}/`, overrideAccess: false }],
        entrypoints: [{ type: 'http-proxy', qos: 'AUTO', configuration: {} }],
      },
    ],
    flowExecution: { mode: 'DEFAULT', matchRequired: false },
    flows: [],
    properties: [],
    resources: [],
    responseTemplates: {},
    ...api,
  },
  plans: [
    {
      definitionVersion: 'V4',
      id: `open-${id}`,
      name: 'Open',
      mode: 'STANDARD',
      status: 'PUBLISHED',
      security: { type: 'KEY_LESS', configuration: {} },
      flows: [],
    },
  ],
});

const version2 = (id: string, api: object) => ({
  id,
  name: id,
  version: '1',
  gravitee: '2.0.0',
  plans: [{ id: `open-${id}`, name: 'Open', security: 'KEY_LESS', status: 'published', paths: { '/': [] } }],
  ...api,
});

type Targets = readonly string[];
const endpoint = (name: string, target: string | undefined, more: object = {}) => ({
  name,
  type: 'http-proxy',
  weight: 1,
  secondary: false,
  inheritConfiguration: true,
  configuration: { target },
  services: {},
  ...more,
});

/** Everything that the console writes of a check. */
const consoleCheck = (more: object = {}) => ({
  healthCheck: {
    enabled: true,
    type: 'http-health-check',
    overrideConfiguration: false,
    configuration: {
      schedule: '*/1 * * * * *',
      headers: [],
      overrideEndpointPath: true,
      method: 'GET',
      failureThreshold: 2,
      assertion: '{#response.status == 200}',
      successThreshold: 2,
      target: '/health',
    },
    ...more,
  },
});

/** By name: the definition, and the states of its endpoints once `b` has failed two checks. */
const checkedDefinitions: readonly (readonly [string, (targets: Targets) => object | string, string])[] = [
  [
    'an export of the console, with a check of the group and empty services of endpoints',
    ([a, b]) =>
      exportOf('console', {
        endpointGroups: [
          {
            name: 'Default HTTP proxy group',
            type: 'http-proxy',
            loadBalancer: { type: 'ROUND_ROBIN' },
            endpoints: [endpoint('a', a), endpoint('b', b, { services: { healthCheck: null } })],
            services: { discovery: null, ...consoleCheck() },
          },
        ],
      }),
    'a UP, b DOWN',
  ],
  [
    'a payload whose configurations are texts, with checks of endpoints',
    ([a, b]) => {
      const own = consoleCheck({
        overrideConfiguration: true,
        configuration: JSON.stringify(consoleCheck().healthCheck.configuration),
      });
      return {
        id: 'texts',
        name: 'texts',
        gravitee: '4.0.0',
        type: 'proxy',
        apiVersion: '1.0',
        listeners: [{ type: 'http', paths: [{ path: '/texts' }], entrypoints: [{ type: 'http-proxy' }] }],
        endpointGroups: [
          {
            name: 'g',
            type: 'http-proxy',
            endpoints: [endpoint('a', a), endpoint('b', b, { services: own })],
          },
        ],
        plans: { open: { id: 'open', name: 'Open', security: { type: 'key-less' } } },
      };
    },
    'b DOWN',
  ],
  [
    'a manifest of the Kubernetes operator',
    ([a, b]) => `apiVersion: gravitee.io/v1alpha1
kind: ApiV4Definition
metadata: { name: manifest }
spec:
  name: manifest
  version: "1.0"
  type: PROXY
  listeners:
    - type: HTTP
      paths: [{ path: /manifest }]
      entrypoints: [{ type: http-proxy, qos: AUTO }]
  endpointGroups:
    - name: group
      type: http-proxy
      endpoints:
        - { name: a, type: http-proxy, inheritConfiguration: false, configuration: { target: "${a}" }, secondary: false }
        - { name: b, type: http-proxy, inheritConfiguration: false, configuration: { target: "${b}" }, secondary: true }
      services:
        healthCheck:
          enabled: true
          type: http-health-check
          configuration: { schedule: "*/1 * * * * *", target: /health, method: GET, assertion: "{#response.status == 200}" }
  flowExecution: { mode: DEFAULT, matchRequired: false }
  plans:
    KeyLess: { name: Open, security: { type: KEY_LESS }, status: PUBLISHED }
`,
    'a UP, b DOWN',
  ],
  [
    'an export of version 2 whose endpoint inherits by a check without steps',
    ([a, b]) =>
      version2('steps', {
        proxy: {
          virtual_hosts: [{ path: '/steps' }],
          groups: [
            {
              name: 'default-group',
              endpoints: [
                {
                  name: 'a',
                  target: a,
                  inherit: true,
                  healthcheck: { steps: [], enabled: true, inherit: true },
                },
                { name: 'b', target: b, inherit: true, healthcheck: { inherit: true } },
              ],
            },
          ],
        },
        services: {
          'health-check': {
            enabled: true,
            schedule: '*/1 * * * * *',
            steps: [
              {
                name: 'default-step',
                request: { path: '/health', method: 'GET', headers: [], fromRoot: true },
                response: { assertions: ['#response.status == 200'] },
              },
            ],
          },
        },
      }),
    'a UP, b DOWN',
  ],
  [
    'the oldest form of version 2: request, expectation and an interval, and endpoints that say true or false',
    ([a, b]) =>
      version2('oldest', {
        proxy: {
          context_path: '/oldest',
          endpoints: [
            { name: 'a', target: a, healthcheck: false },
            { name: 'b', target: b, healthcheck: true },
          ],
        },
        services: {
          'health-check': {
            enabled: true,
            interval: 1,
            unit: 'SECONDS',
            request: { uri: '/health', method: 'GET' },
            expectation: { assertions: ['#response.status == 200', '#responseTime < 5000'] },
          },
        },
      }),
    'b DOWN',
  ],
];

for (const [what, definition, states] of checkedDefinitions)
  test(`${what} loads, and an endpoint that it finds down gets no requests`, async (t) => {
    const backends = await startCheckedBackends(t, 'ab');
    const { gateway, path } = await start(t, definition, backends);
    const [, b] = backends;
    assert.ok(b !== undefined);
    b.health = 503;
    await gateway.tick([b], states.replace('DOWN', 'TRANSITIONALLY_DOWN'));
    await gateway.tick([b], states);
    assert.equal(await gateway.found(path, 3), 'a a a');
  });

const threeEndpoints = ([a, b]: Targets) => [
  endpoint('first', 'http://127.0.0.1:1'),
  endpoint('second', a),
  endpoint('third', b),
];

/** By name: the definition. Its first endpoint cannot be reached. */
const failingDefinitions: readonly (readonly [string, (targets: Targets) => object | string])[] = [
  [
    'an export with three endpoints and one circuit for all',
    (targets) =>
      exportOf('three', {
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            loadBalancer: { type: 'ROUND_ROBIN' },
            endpoints: threeEndpoints(targets),
            services: {},
          },
        ],
        failover: { enabled: true, maxRetries: 2, slowCallDuration: 500, perSubscription: false },
      }),
  ],
  [
    'an export with all that the console writes of failover',
    (targets) =>
      exportOf('all', {
        endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints: threeEndpoints(targets) }],
        failover: {
          enabled: true,
          maxRetries: 2,
          slowCallDuration: 2_000,
          openStateDuration: 10_000,
          maxFailures: 5,
          perSubscription: true,
          failureCondition: '{#response.status >= 500}',
          forceNextEndpointOnFailure: true,
        },
      }),
  ],
  [
    'an API of version 2 with attempts and a timeout',
    (targets) =>
      version2('attempts', {
        proxy: {
          virtual_hosts: [{ path: '/attempts' }],
          groups: [
            {
              name: 'default-group',
              load_balancing: { type: 'ROUND_ROBIN' },
              endpoints: threeEndpoints(targets).map(({ name, configuration }) => ({
                name,
                ...configuration,
              })),
            },
          ],
          failover: { maxAttempts: 2, retryTimeout: 500, cases: ['TIMEOUT'] },
        },
      }),
  ],
];

for (const [what, definition] of failingDefinitions)
  test(`${what} loads, and a request whose endpoint fails goes to the next`, async (t) => {
    const backends = await startCheckedBackends(t, 'ab');
    const { gateway, path } = await start(t, definition, backends);
    const found = new Set((await gateway.found(path, 6)).split(' '));
    assert.deepEqual(found, new Set(['a', 'b']));
  });

async function start(
  t: Parameters<typeof startCheckedBackends>[0],
  definition: (targets: Targets) => object | string,
  backends: readonly CheckedBackend[],
) {
  const written = definition(backends.map(({ url }) => url));
  const file = typeof written === 'string' ? 'found.yaml' : 'found';
  const gateway = await startCheckingGateway(t, { [file]: written });
  const answer = await fetch(`${gateway.nodeApi}/apis`);
  const { data } = (await answer.json()) as {
    readonly data: readonly { readonly paths: readonly string[] }[];
  };
  return { gateway, path: data[0]?.paths[0] ?? assert.fail(JSON.stringify(data)) };
}
