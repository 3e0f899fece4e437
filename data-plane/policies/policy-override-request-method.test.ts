import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

test('the backend is asked by that method with the body that came, and conditions behind the step read it', async (t) => {
  const upstream = await startUpstream(t);
  const step = (policy: string, configuration: object, condition = ''): object => ({
    policy,
    configuration,
    condition,
  });
  const seen = (name: string): object => ({ addHeaders: [{ name, value: '{#request.method}' }] });
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [
          {
            request: [
              step('transform-headers', seen('X-Before'), "{#request.method == 'POST'}"),
              step('policy-override-request-method', { method: 'PUT' }),
              step('transform-headers', seen('X-After'), "{#request.method == 'PUT'}"),
            ],
          },
        ],
      }),
    },
  });
  const answer = await gateway.call('/a/x', { method: 'POST', body: 'hello' });
  const echoed = JSON.parse(answer.text) as { method: string; body: string; headers: Record<string, string> };
  assert.deepEqual(
    [echoed.method, echoed.headers['x-before'], echoed.headers['x-after'], echoed.headers['content-length']],
    ['PUT', 'POST', 'PUT', '5'],
  );
});

test('a method that asks for a tunnel is refused when it is deployed', () => {
  const { config } = catalog['policy-override-request-method'];
  assert.deepEqual(config.safeParse({ method: 'CONNECT' }).error?.issues[0]?.path, ['method']);
  assert.ok(config.safeParse({ method: 'TRACE' }).success);
});
