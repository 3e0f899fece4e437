import assert from 'node:assert/strict';
import { test } from 'node:test';

import { at, checked, grouped, opened, payload, plain, pointed, type Row } from './fixtures.ts';

const checkAt = 'endpointGroups[0].services.healthCheck';
const own = 'endpointGroups[0].endpoints[0]';

const rows: readonly Row[] = [
  [
    'discovery',
    payload,
    'endpointGroups[0].services.discovery',
    { enabled: true, type: 'consul-service-discovery', configuration: { service: 'ferry' } },
  ],
  [
    'discovery of the API',
    plain({ services: { discovery: { provider: 'KUBERNETES', configuration: {} } } }),
    'endpointGroups[0].services.discovery.type',
    'kubernetes',
  ],
  [
    'discovery that is off',
    grouped({ services: { discovery: { enabled: false, provider: 7 } } }),
    'endpointGroups[0].services.discovery',
    undefined,
  ],
  [
    'a health check',
    payload,
    checkAt,
    {
      enabled: true,
      type: 'http-health-check',
      overrideConfiguration: false,
      configuration: {
        schedule: '*/5 * * * * *',
        method: 'GET',
        target: '/health',
        overrideEndpointPath: false,
        headers: [{ name: 'X-Probe', value: '1' }],
        assertion: '{(#response.status == 200) && (#responseTime < 500)}',
        successThreshold: 2,
        failureThreshold: 2,
      },
    },
  ],
  ['no assertion', checked({}), `${checkAt}.configuration.assertion`, '{#response.status == 200}'],
  ['a health check that is off', checked({ enabled: false }), checkAt, undefined],
  [
    'the older form of a step',
    checked({
      steps: undefined,
      request: { uri: '/old', fromRoot: true },
      expectation: { assertions: ['#response.status < 300'] },
    }),
    `${checkAt}.configuration.target`,
    '/old',
  ],
  [
    '... and its assertion',
    checked({
      steps: undefined,
      request: { uri: '/old' },
      expectation: { assertions: ['#response.status < 300'] },
    }),
    `${checkAt}.configuration.assertion`,
    '{#response.status < 300}',
  ],
  [
    'seconds',
    checked({ schedule: undefined, interval: 10, unit: 'seconds' }),
    `${checkAt}.configuration.schedule`,
    '*/10 * * * * *',
  ],
  [
    'minutes',
    checked({ schedule: undefined, trigger: { rate: 2, unit: 'MINUTES' } }),
    `${checkAt}.configuration.schedule`,
    '0 */2 * * * *',
  ],
  [
    'hours',
    checked({ schedule: undefined, interval: 3, unit: 'HOURS' }),
    `${checkAt}.configuration.schedule`,
    '0 0 */3 * * *',
  ],
  [
    'days',
    checked({ schedule: undefined, interval: 1, unit: 'DAYS' }),
    `${checkAt}.configuration.schedule`,
    '0 0 0 */1 * *',
  ],
  [
    "an endpoint's own health check",
    payload,
    'endpointGroups[0].endpoints[1].services.healthCheck.configuration.target',
    '/up',
  ],
  [
    '... whose path replaces',
    payload,
    'endpointGroups[0].endpoints[1].services.healthCheck.configuration.overrideEndpointPath',
    true,
  ],
  [
    '... that it inherits',
    pointed({ healthcheck: { inherit: true, enabled: true, steps: [] } }),
    `${own}.services.healthCheck`,
    undefined,
  ],
  ['... that it does without', pointed({ healthcheck: false }), `${own}.services.healthCheck.enabled`, false],
  [
    'properties that are fetched',
    payload,
    'services.dynamicProperty.configuration',
    {
      schedule: '0 */5 * * * *',
      url: 'http://props.local/',
      method: 'GET',
      systemProxy: true,
      transformation: '[]',
    },
  ],
];

for (const [what, input, path, value] of rows)
  test(`${what}: ${path}`, () => assert.deepEqual(at(opened(input).body, path), value));
