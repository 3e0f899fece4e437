import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

/** A gateway with these settings of its pools, and the connections that its backend has seen. */
async function startCounted(t: TestContext, upstream: Readonly<Record<string, number>>) {
  const { url, connections } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { one: apiDefinition('one', url) },
    config: { upstream },
  });
  return { gateway, connections };
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
