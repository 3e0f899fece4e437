import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { startHostileBridge } from '../../test/kit/bridge/hostile-bridge.ts';
import { identityOf, startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';

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
  // A dial in the moment of the return may wait for a welcome that does not come, as long as one may take.
  await eventually(() => back().length === 2, { timeoutMs: 40_000 });
});
