import assert from 'node:assert/strict';
import { test } from 'node:test';

import { change, faultsOf } from './fixtures.ts';

test('every fault of a definition is told at once: form, policies and plans together', () => {
  const flow = (policy: string): object => ({ request: [{ policy, configuration: { status: 700 } }] });
  const faults = faultsOf(
    change({
      name: 7,
      flows: [{ pathOperator: 'x', request: 'no list' }, flow('mock')],
      plans: { open: { security: { type: 'KEY_LESS' }, mode: 'x', flows: [flow('groovy')] } },
    }),
  );
  for (const path of [
    'name',
    'flows[0].request',
    'flows[1].request[0].configuration.status',
    'plans.open.mode',
    'plans.open.flows[0].request[0].policy',
  ])
    assert.ok(Object.hasOwn(faults, path), `${path} is not among ${JSON.stringify(faults)}`);
});

test('what cannot be read hides nothing beside it: steps, conditions, plans are judged one by one', () => {
  const faults = faultsOf(
    change({
      flows: [
        {
          request: [
            { name: 'no policy' },
            7,
            { policy: 'rate-limits' },
            { policy: 'mock', enabled: 'x', configuration: { status: 700 } },
            { policy: 'mock', configuration: 'no object' },
            { policy: 'mocks', configuration: 7 },
            { policy: 'groovy', enabled: false },
          ],
          response: [{ policy: 'ssl-enforcement' }],
          selectors: [{ type: 'x' }],
        },
        { enabled: false, request: [{ policy: 'groovy' }, 7] },
      ],
      plans: { open: { security: { type: 'API_KEY', configuration: { x: 1 } }, mode: 'x', name: 7 } },
    }),
  );
  const step = (index: number, field = ''): string => `flows[0].request[${index}]${field}`;
  assert.deepEqual(
    Object.keys(faults).toSorted(),
    [
      step(0, '.policy'),
      step(1),
      step(2, '.policy'),
      step(3, '.enabled'),
      step(3, '.configuration.status'),
      step(4, '.configuration'),
      step(5, '.configuration'),
      step(5, '.policy'),
      'flows[0].response[0].policy',
      'flows[0].selectors[0].type',
      'flows[1].request[1]',
      'plans.open.mode',
      'plans.open.name',
      'plans.open.security.configuration.x',
    ].toSorted(),
  );
});

test('what each part of a definition lacks is told of all of them together', () => {
  const parts: readonly object[] = [
    { type: 'MESSAGE' },
    { failover: { enabled: 7 } },
    { resources: [{ name: 'r', type: 7 }] },
    { flows: [{ selectors: [{ type: 'MCP' }], request: [{ policy: 'no-such-policy' }] }] },
    { properties: [{ key: '' }] },
    { plans: { a: { security: { type: 'SMOKE' } }, b: { security: { type: 'KEY_LESS' }, flows: 7 } } },
    { listeners: [{ type: 'tcp', servers: [7] }] },
    { endpointGroups: [{ name: 'g', type: 'kafka', services: { healthCheck: { enabled: 7 } } }] },
    { responseTemplates: { K: { 'no type': {} } } },
    { flowExecution: { mode: 'x' } },
    { surprise: 1 },
  ];
  const together = faultsOf(change(Object.assign({}, ...parts) as object));
  for (const part of parts) {
    const alone = faultsOf(change(part));
    assert.notDeepEqual(alone, {}, JSON.stringify(part));
    assert.partialDeepStrictEqual(together, alone);
  }
});
