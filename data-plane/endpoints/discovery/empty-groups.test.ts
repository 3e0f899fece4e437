import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { endpointsOf, startCheckedBackends } from '../../../test/kit/gateway/endpoints/checked.ts';
import { byConsul, instanceOf, startFindingGateway } from '../../../test/kit/gateway/endpoints/found.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';
import { startConsul } from '../../../test/kit/servers/consul.ts';

const group = (name: string, more: object): object => ({ name, type: 'http-proxy', endpoints: [], ...more });
const routedTo = (path: string, name: string): object =>
  flow(path, {
    request: [['dynamic-routing', { rules: [{ pattern: '/.*', url: `{#endpoints['${name}']}` }] }]],
  });

test('a group of which nobody was found takes nothing from the others: who selects them is served, and the node API says what is missing', async (t) => {
  const [b, c, d] = await startCheckedBackends(t, 'bcd');
  assert.ok(b !== undefined && c !== undefined && d !== undefined);
  const consul = await startConsul(t);
  consul.register('other', [instanceOf(c)]);
  const gateway = await startFindingGateway(t, {
    api: apiDefinition('api', '', {
      endpointGroups: [
        group('first', byConsul(consul)),
        group('written', { endpoints: endpointsOf([b]) }),
        group('found', byConsul(consul, { service: 'other' })),
        group('both', { endpoints: endpointsOf([d]), ...byConsul(consul, { service: 'nobody' }) }),
      ],
      flows: ['written', 'found', 'both', 'd'].map((name) => routedTo(`/${name}`, name)),
    }),
  });
  const health = async (path: string) =>
    (await (await fetch(`${gateway.nodeApi}${path}`)).json()) as {
      readonly status: string;
      readonly degraded: readonly string[];
      readonly discovery?: readonly {
        readonly group: string;
        readonly asked: string;
        readonly problem?: string;
      }[];
    };
  await gateway.meets('c', '/api/found');
  for (const [path, name] of [
    ['written', 'b'],
    ['both', 'd'],
    ['d', 'd'],
  ] as const) {
    const { status, text } = await gateway.call(`/api/${path}`);
    assert.deepEqual([path, status, text], [path, 200, name]);
  }
  // Whoever selects nothing is meant for the first group: another one may be quite another service.
  assert.equal((await gateway.call('/api')).status, 503);
  for (const path of ['/health', '/health/ready']) {
    const said = await health(path);
    assert.deepEqual(said.degraded, ['discovery'], path);
    assert.deepEqual(
      said.discovery?.map(({ group: name, asked }) => [name, asked]),
      [['first', 'web']],
      path,
    );
  }
  assert.equal((await fetch(`${gateway.nodeApi}/health/ready`)).status, 200, 'all else is served');
  consul.fault = { kind: 'status', status: 403 };
  consul.cut();
  await eventually(async () => /403/.test((await health('/health')).discovery?.[0]?.problem ?? ''));
  consul.fault = undefined;
  consul.register('web', [instanceOf(b)]);
  await gateway.meets('b');
  await eventually(async () => (await health('/health/ready')).degraded.length === 0);
  assert.equal((await health('/health')).discovery, undefined);
});
