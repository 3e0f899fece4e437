import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsOf, group } from '../../definition/fixtures.ts';
import { readApi } from '../../definition/read.ts';
import { healthCheckOf } from './health-check.ts';

const at = 'endpointGroups[0].services.healthCheck.configuration';
const checkedBy = (configuration: object) =>
  group({
    services: {
      healthCheck: {
        enabled: true,
        type: 'http-health-check',
        configuration: { schedule: '*/5 * * * * *', target: '/health', ...configuration },
      },
    },
  });

const refusals: readonly (readonly [what: string, configuration: object, field: string, words: RegExp])[] = [
  ['a health check without a schedule', { schedule: undefined }, 'schedule', /expected string|is required/],
  [
    'a health check every minute in five fields',
    { schedule: '* * * * *' },
    'schedule',
    /must have six fields/,
  ],
  [
    'a health check to somewhere else than HTTP',
    { target: 'tcp://db:5432' },
    'target',
    /must be a path such as \/health/,
  ],
  ['an assertion that names nothing', { assertion: '{#reply.status == 200}' }, 'assertion', /reply/],
  ['an assertion in another language', { assertion: '$.status == 200' }, 'assertion', /is no expression/],
  ['a threshold of none', { failureThreshold: 0 }, 'failureThreshold', />=1|at least 1/],
  [
    'a header of a check that could end it',
    { headers: [{ name: 'X', value: 'a\r\nb' }] },
    'headers[0].value',
    /printable|ASCII/,
  ],
];

for (const [what, configuration, field, words] of refusals)
  test(`${what} is refused by name`, () => {
    const faults = faultsOf(checkedBy(configuration));
    assert.deepEqual(Object.keys(faults), [`${at}.${field}`]);
    assert.match(Object.values(faults)[0] ?? '', words);
  });

test('a health check of another kind, or of a group that says nothing, is refused by name', () => {
  for (const [healthCheck, field, words] of [
    [{ enabled: true, type: 'tcp-health-check' }, 'type', /allowed: http-health-check/],
    [{ enabled: true, type: 'http-health-check' }, 'configuration', /is required/],
    [{ enabled: true, configuration: {} }, 'type', /is required; allowed: http-health-check/],
  ] as const) {
    const faults = faultsOf(group({ services: { healthCheck } }));
    assert.match(faults[`endpointGroups[0].services.healthCheck.${field}`] ?? '', words);
  }
});

test('a health check has the defaults of the reference, in any spelling of its words and as JSON text', () => {
  const [first] = readApi(checkedBy({})).api.endpointGroups;
  assert.deepEqual(first?.services?.healthCheck, {
    enabled: true,
    type: 'http-health-check',
    overrideConfiguration: false,
    configuration: {
      schedule: '*/5 * * * * *',
      method: 'GET',
      target: '/health',
      overrideEndpointPath: true,
      headers: [],
      body: '',
      assertion: '{#response.status == 200}',
      successThreshold: 2,
      failureThreshold: 2,
    },
  });
  const configuration = JSON.stringify({ schedule: '@hourly', target: '' });
  const check = { enabled: true, type: 'HTTP_HEALTH_CHECK', configuration };
  const { api } = readApi(group({ services: { healthCheck: check } }));
  assert.equal(api.endpointGroups[0]?.services?.healthCheck?.configuration?.schedule, '@hourly');
  assert.deepEqual(readApi(JSON.parse(JSON.stringify(api))).api, api);
});

test('what is off is dropped, whatever it says, but for an endpoint that will not be checked as its group is', () => {
  for (const healthCheck of [{}, null, { enabled: false, configuration: { schedule: 7 } }]) {
    assert.equal(readApi(group({ services: { healthCheck } })).api.endpointGroups[0]?.services, undefined);
  }
  const inherited = { services: { healthCheck: { configuration: { schedule: 'of the group' } } } };
  const own = { configuration: { schedule: 'its own' }, enabled: true };
  for (const [healthCheck, expected] of [
    [undefined, 'of the group'],
    [{ ...own, overrideConfiguration: false }, 'of the group'],
    [{ ...own, overrideConfiguration: true }, 'its own'],
    [{ enabled: false, overrideConfiguration: true }, undefined],
  ] as const)
    assert.equal(
      healthCheckOf(inherited as never, { services: { healthCheck } } as never)?.schedule,
      expected,
    );
  assert.equal(healthCheckOf({}, { services: { healthCheck: own } } as never)?.schedule, 'its own');
});
