import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { startHostileBridge } from '../../test/kit/bridge/hostile-bridge.ts';
import { identityOf, startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { isWithin } from '../../test/kit/pace.ts';

test('a bridge that was away for long is followed as soon as it is back, and that is said once, however long a refusing one would be left alone', async (t) => {
  const bridge = await startTestBridge(t, { limits: { pollEveryMs: 50, pingEveryMs: 1_000 } });
  const border = await startHostileBridge(bridge.url);
  bridge.alsoAt(border.url);
  t.after(() => border.close());
  const identity = identityOf(bridge.repository, bridge.repository.addGateway(), border.url);
  const timings = { redialMsFirst: 1, redialMsCap: 3_600_000, redialAwayMsCap: 20 };
  const lines: { msg: string; level: string; awayMs?: number }[] = [];
  const log = (line: string): void => void lines.push(JSON.parse(line) as { msg: string; level: string });
  const back = () => lines.filter(({ msg }) => msg === 'the bridge is back');
  const gateway = startSyncGateway({ dir: tempDir(t, 'sync'), url: border.url, identity, timings, log });
  t.after(() => gateway.close());
  const publish = (id: string): void =>
    void bridge.repository.publish('dev', [{ kind: 'api', id, payload: Buffer.from(id) }]);
  publish('a');
  await eventually(() => gateway.served.has('dev/api/a'));
  assert.deepEqual(back(), [], 'who was never away does not come back');
  border.setDown(true);
  // By now the bound of the wait for one that refuses is an hour.
  await eventually(() => border.missed() > 24, { timeoutMs: 20_000 });
  publish('b');
  border.setDown(false);
  await eventually(() => gateway.served.has('dev/api/b'));
  assert.equal(gateway.sync.state().isConnected, true);
  const [line, ...more] = back();
  assert.deepEqual([line?.level, more], ['info', []]);
  assert.ok((line?.awayMs ?? 0) > 0 && Number.isInteger(line?.awayMs));
  const missed = border.missed();
  border.setDown(true);
  await eventually(() => border.missed() > missed);
  border.setDown(false);
  await eventually(() => back().length === 2);
});

test('a gateway that can only poll is connected as soon as the bridge is back, not when the first poll has waited for a change', async (t) => {
  const bridge = await startTestBridge(t);
  const border = await startHostileBridge(bridge.url);
  bridge.alsoAt(border.url);
  t.after(() => border.close());
  const identity = identityOf(bridge.repository, bridge.repository.addGateway(), border.url);
  const timings = { redialMsFirst: 1, redialMsCap: 20, pollWaitSeconds: 20 };
  const gateway = startSyncGateway({ dir: tempDir(t, 'sync'), url: border.url, identity, timings });
  t.after(() => gateway.close());
  border.setStreamless(true);
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  await eventually(() => gateway.served.has('dev/api/a') && gateway.sync.state().mode === 'poll');
  for (let times = 0; times < 3; times += 1) {
    border.setDown(true);
    const missed = border.missed();
    await eventually(() => !gateway.sync.state().isConnected && border.missed() > missed + 2);
    border.setDown(false);
    // Half of what a poll waits.
    await eventually(() => gateway.sync.state().isConnected, { timeoutMs: 10_000 });
    assert.equal(gateway.sync.state().mode, 'poll');
  }
});

test('a gateway that polls ends at once, though its bridge holds the poll', async (t) => {
  const bridge = await startTestBridge(t);
  const border = await startHostileBridge(bridge.url);
  bridge.alsoAt(border.url);
  t.after(() => border.close());
  border.setStreamless(true);
  const identity = identityOf(bridge.repository, bridge.repository.addGateway(), border.url);
  const timings = { redialMsFirst: 1, redialMsCap: 20, pollWaitSeconds: 20 };
  const gateway = startSyncGateway({ dir: tempDir(t, 'sync'), url: border.url, identity, timings });
  t.after(() => gateway.close());
  await eventually(() => border.held() === 1);
  const closedAtMs = performance.now();
  await gateway.close();
  // Its lifecycle would leave it behind after 5 s.
  isWithin(performance.now() - closedAtMs, { msMax: 2_500 });
});
