import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** Expressions in the configuration of steps, through a gateway and a backend: what is asked, sent on, answered and counted. */

test('steps write what expressions make of the request and of the answer, bodies included, and count by them', async (t) => {
  const upstream = await startUpstream(t);
  const set = (
    headers: Readonly<Record<string, string>>,
    scope: 'REQUEST' | 'RESPONSE',
  ): readonly [policy: string, configuration: object] => [
    'transform-headers',
    { scope, addHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })) },
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      orders: apiDefinition('orders', upstream.url, {
        flows: [
          flow('/', {
            request: [
              set(
                {
                  'X-Id': '{#request.id}',
                  'X-Tenant': "{#request.headers['Tenant']?.[0] ?: 'nobody'}",
                  'X-Order': "no-{#request.pathInfo.replaceAll('.*/', '')}",
                  'X-Body': "{#jsonPath(#request.content, '$.sku')}",
                  'X-Page': "{#request.params['page']}",
                },
                'REQUEST',
              ),
            ],
            response: [
              set(
                { 'X-Made': "{#response.status >= 200 ? 'yes' : 'no'} {#context.attributes['api']}" },
                'RESPONSE',
              ),
            ],
          }),
        ],
      }),
      mocked: apiDefinition('mocked', upstream.url, {
        flows: [
          flow('/', {
            request: [
              [
                'rate-limit',
                { rate: { key: "{#request.params['who'][0]}", useKeyOnly: true, limit: 1, periodTime: 60 } },
              ],
              ['mock', { status: '201', content: '{"hello": "{#jsonEscape(#request.params[\'who\'])}"}' }],
            ],
          }),
        ],
      }),
      broken: apiDefinition('broken', upstream.url, {
        flows: [flow('/', { request: [set({ 'X-Split': "{#request.params['p'][0]}" }, 'REQUEST')] })],
      }),
    },
  });

  const asked = await gateway.call('/orders/a/42?page=2', {
    method: 'POST',
    body: '{"sku":"a1"}',
    headers: { Tenant: 'acme' },
  });
  assert.equal(asked.status, 200);
  const seen = (JSON.parse(asked.text) as { headers: Record<string, string>; body?: string }).headers;
  assert.match(seen['x-id'] ?? '', /\S/);
  assert.deepEqual(
    [seen['x-tenant'], seen['x-order'], seen['x-body'], seen['x-page']],
    ['acme', 'no-42', 'a1', '2'],
  );
  assert.equal(asked.headers['x-made'], 'yes orders');

  const answers = [];
  for (const who of ['ann', 'ann', 'b%22b']) {
    const { status, text } = await gateway.call(`/mocked?who=${who}`);
    answers.push(status === 201 ? text : status);
  }
  assert.deepEqual(answers, ['{"hello": "ann"}', 429, '{"hello": "b\\"b"}']);

  assert.equal((await gateway.call('/broken?p=fine')).status, 200);
  for (const path of ['/broken', '/broken?p=a%0d%0aX-Other:%20b'])
    assert.equal((await gateway.call(path)).status, 500, path);
});
