import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { accessRecords } from '../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

type Metrics = readonly { readonly name: string; readonly value: string }[];
const step = (metrics: Metrics, phase: 'request' | 'response' = 'request') =>
  startPolicy('policy-assign-metrics', { metrics }, { place: { phase } });

test('metrics are texts, a later one replaces an earlier one of its name, and what comes to nothing or fails sets none', () => {
  const call = step([
    { name: 'tenant', value: "{#request.headers['X-Tenant'][0]}" },
    { name: 'sum', value: '{(7 * 6)}' },
    { name: 'twice', value: 'first' },
    { name: 'twice', value: 'second {#request.method}' },
    { name: 'nothing', value: "{#request.headers['Nope']}" },
    { name: 'failing', value: "{#request.headers['Nope'][0]}" },
    { name: '__proto__', value: 'own' },
  ]).call({ headers: { 'X-Tenant': 'acme' } });
  assert.equal(call.pass(), undefined);
  assert.deepEqual(
    [...(call.customMetrics ?? [])],
    [
      ['tenant', 'acme'],
      ['sum', '42'],
      ['twice', 'second GET'],
      ['__proto__', 'own'],
    ],
  );
  assert.deepEqual(call.warnings, ['EXPRESSION_EVALUATION_ERROR']);
});

test('in the response phase they read the answer, and a body that is needed is read', async () => {
  const call = step(
    [{ name: 'total', value: '{#response.status} {#response.jsonContent.total}' }],
    'response',
  ).call();
  assert.equal(call.pass(), undefined);
  assert.equal(await call.answer({ status: 201, body: ['{"tot', 'al":7}'] }), undefined);
  assert.deepEqual([...(call.customMetrics ?? [])], [['total', '201 7']]);
});

test('what lets the caller in stands in no metric', () => {
  const call = step([
    { name: 'key', value: "{#request.headers['X-Gravitee-Api-Key'][0]}" },
    { name: 'who', value: "as {#request.headers['Authorization'][0].substring(7)}!" },
    { name: 'session', value: "{#request.headers['Cookie'][0]}" },
    { name: 'attribute', value: "{#context.attributes['api-key']}" },
    { name: 'kept', value: "{#request.headers['X-Tenant'][0]}" },
  ]).call({
    headers: {
      'X-Gravitee-Api-Key': 'key-of-the-caller',
      Authorization: 'Bearer token-of-the-caller',
      Cookie: 'sid=session-of-the-caller',
      'X-Tenant': 'tenant-of-the-caller',
    },
    attributes: { 'api-key': 'another-key' },
  });
  assert.equal(call.pass(), undefined);
  assert.deepEqual(Object.fromEntries(call.customMetrics ?? []), {
    key: '***',
    who: 'as ***!',
    session: '***',
    attribute: '***',
    kept: 'tenant-of-the-caller',
  });
});

test('a request has at most 50 metrics, each of at most 1,024 characters: past it is a warning', () => {
  const metrics = (count: number): Metrics =>
    Array.from({ length: count }, (_, index) => ({ name: `m${index}`, value: 'v' }));
  assert.ok(!catalog['policy-assign-metrics'].config.safeParse({ metrics: metrics(51) }).success);
  const { policy } = step([
    { name: 'm0', value: 'replaced' },
    { name: 'm50', value: 'left out' },
  ]);
  const call = step(metrics(50)).call();
  assert.equal(call.pass(), undefined);
  assert.deepEqual([call.customMetrics?.size, call.warnings], [50, []]);
  assert.ok(policy.request?.needs === 'head');
  void policy.request.run(call, undefined);
  assert.deepEqual([call.customMetrics?.size, call.customMetrics?.get('m0')], [50, 'replaced']);
  assert.deepEqual(call.warnings, ['CUSTOM_METRIC_BOUND']);

  const long = step([
    { name: 'fits', value: 'x'.repeat(1_024) },
    { name: 'long', value: `${'x'.repeat(1_024)}y` },
  ]).call();
  assert.equal(long.pass(), undefined);
  assert.deepEqual(
    ['fits', 'long'].map((name) => long.customMetrics?.get(name)),
    ['x'.repeat(1_024), 'x'.repeat(1_024)],
  );
  assert.deepEqual(long.warnings, ['CUSTOM_METRIC_BOUND']);
});

test('through a gateway they stand in the record, of refused requests too, and of none that no step measured', async (t) => {
  const { url } = await startUpstream(t);
  const dataDir = join(tempDir(t), 'data');
  const measures = (value: string) => ['policy-assign-metrics', { metrics: [{ name: 'm', value }] }] as const;
  const gateway = await startLocalGateway(t, {
    config: { dataDir, report: { enabled: true } },
    apis: {
      both: apiDefinition('both', url, {
        flows: [flow('/', { request: [measures('asked')], response: [measures('{#response.status}')] })],
      }),
      refused: apiDefinition('refused', url, {
        flows: [
          flow('/', {
            request: [measures('asked'), ['policy-interrupt', { errorKey: 'NO', message: 'no' }]],
          }),
        ],
      }),
      plain: apiDefinition('plain', url, {}),
    },
  });
  for (const path of ['/both', '/refused', '/plain']) await gateway.call(path);
  const records = await eventually(async () => {
    const found = await accessRecords(dataDir);
    return found.length === 3 && found;
  });
  const metricsOf = new Map(records.map((record) => [record['api_id'], record['custom_metrics']]));
  assert.deepEqual(
    ['both', 'refused', 'plain'].map((api) => metricsOf.get(api)),
    ['{"m":"200"}', '{"m":"asked"}', undefined],
  );
});
