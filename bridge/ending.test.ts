import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStream } from '../test/kit/bridge/bridge-client.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { eventually } from '../test/kit/eventually.ts';

const ask = async (url: string): Promise<readonly [number, unknown]> => {
  const answer = await fetch(url);
  return [answer.status, await answer.json()];
};

test('SIGTERM: readiness goes first, at both ports; streams and calls go on as before, then streams end with a close frame', async (t) => {
  const bridge = await startTestBridge(t, { lameDuckMs: 1_500 });
  const gateway = bridge.repository.addGateway();
  const client = await openStream({ gateway, url: bridge.url });
  await eventually(() => client.frames.some(({ kind }) => kind === 'welcome'));
  const up = { repository: 'UP', open: 'UP' };
  for (const url of [bridge.url, bridge.nodeApi])
    assert.deepEqual(await ask(`${url}/health/ready`), [200, { ready: true, parts: up }]);

  const closed = bridge.close('SIGTERM');
  assert.deepEqual(await ask(`${bridge.nodeApi}/health/ready`), [
    503,
    { ready: false, parts: { ...up, open: 'DOWN' } },
  ]);
  const [status, health] = await ask(`${bridge.nodeApi}/health`);
  assert.deepEqual([status, (health as { status: string }).status], [200, 'STOPPING']);
  assert.equal((await fetch(`${bridge.url}/bridge/v1/nonce`)).status, 200, 'calls are taken');
  const other = await openStream({ gateway: bridge.repository.addGateway(), url: bridge.url });
  await eventually(() => other.frames.some(({ kind }) => kind === 'welcome'));
  assert.equal(client.socket.readyState, 1, 'the stream is open');
  await closed;
  const { code, frame } = await client.closed;
  assert.ok(code >= 4_000 && frame !== undefined, `${code} without words`);
  await assert.rejects(fetch(`${bridge.url}/bridge/v1/nonce`));
});

test('without a signal, or with SIGINT, a bridge does not wait', async (t) => {
  const bridge = await startTestBridge(t, { lameDuckMs: 600_000 });
  await bridge.close('SIGINT');
  await assert.rejects(fetch(`${bridge.url}/health`));
});
