import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway.ts';

/** A backend that counts its connections, behind a gateway with these settings of its pools. */
async function startCounted(t: TestContext, upstream: Readonly<Record<string, number>>) {
  let connections = 0;
  const backend = createServer((_request, answer) => answer.end('ok'));
  backend.on('connection', () => (connections += 1));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.after(() => backend.close().closeAllConnections());
  const target = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`;
  const gateway = await startLocalGateway(t, {
    apis: { one: apiDefinition('one', target) },
    config: { upstream },
  });
  return { gateway, connections: () => connections };
}

test('a connection to an upstream that is older than upstream.connectionAgeMsMax is not used again', async (t) => {
  const { gateway, connections } = await startCounted(t, { connectionAgeMsMax: 100 });
  await eventually(async () => {
    assert.equal((await gateway.call('/one')).status, 200);
    return connections() >= 3;
  });
});

test('by default a kept connection grows as old as it likes', async (t) => {
  const { gateway, connections } = await startCounted(t, {});
  const sinceMs = performance.now();
  await eventually(async () => {
    assert.equal((await gateway.call('/one')).status, 200);
    return performance.now() - sinceMs >= 400;
  });
  assert.equal(connections(), 1);
});
