import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

test("Host is the endpoint's, else a policy's, else the target's or the client's, and the target is dialled whatever it is", async (t) => {
  const upstream = await startUpstream(t);
  const group = (headers: readonly object[], propagateClientHost = false) => ({
    endpointGroups: [
      {
        name: 'default-group',
        type: 'http-proxy',
        endpoints: [
          {
            name: 'default',
            type: 'http-proxy',
            configuration: { target: upstream.url },
            inheritConfiguration: false,
            sharedConfigurationOverride: { headers, http: { propagateClientHost } },
          },
        ],
      },
    ],
  });
  const own = [{ name: 'host', value: 'backend.acme.com' }];
  const setting = {
    flows: [
      flow('/', {
        request: [['transform-headers', { addHeaders: [{ name: 'Host', value: 'policy.acme.com:81' }] }]],
      }),
    ],
  };
  const removing = { flows: [flow('/', { request: [['transform-headers', { removeHeaders: ['Host'] }]] })] };
  const target = new URL(upstream.url).host;
  const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['plain', group([]), target],
    ['propagating', group([], true), 'client.acme.com'],
    ['endpoint', group(own), 'backend.acme.com'],
    ['endpoint-over-client', group(own, true), 'backend.acme.com'],
    ['policy', { ...group([]), ...setting }, 'policy.acme.com:81'],
    ['policy-over-client', { ...group([], true), ...setting }, 'policy.acme.com:81'],
    ['endpoint-over-policy', { ...group(own), ...setting }, 'backend.acme.com'],
    ['removed', { ...group([]), ...removing }, target],
  ];
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(rows.map(([id, more]) => [id, apiDefinition(id, upstream.url, more)])),
  });
  for (const [id, , expected] of rows) {
    const { status, text } = await gateway.call(`/${id}`, { headers: { host: 'client.acme.com' } });
    assert.equal(status, 200, id);
    assert.equal((JSON.parse(text) as { headers: { host: string } }).headers.host, expected, id);
  }
});

test('behind a listener for both families a client of IPv4 has its IPv4 address', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', url) },
    config: { listen: { host: '::', trustedProxies: ['127.0.0.1'] } },
  });
  const said = async (headers: Readonly<Record<string, string>>): Promise<string | undefined> =>
    (JSON.parse((await gateway.call('/a', { headers })).text) as { headers: Record<string, string> }).headers[
      'x-forwarded-for'
    ];
  assert.equal(await said({}), '127.0.0.1');
  assert.equal(await said({ 'x-forwarded-for': '203.0.113.9' }), '203.0.113.9, 127.0.0.1');
});
