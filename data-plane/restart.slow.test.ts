import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../proto/process/clock.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import { createLifecycle } from '../proto/process/lifecycle.ts';
import { createLog } from '../proto/process/log.ts';
import { createMetrics } from '../proto/process/metrics.ts';
import { openSqlite } from '../proto/process/sqlite.ts';
import { encodeApi } from '../proto/wire/payloads.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition, call } from '../test/kit/gateway/gateway.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from './config.ts';
import { compileGroundOf } from './serving.ts';
import { startGateway } from './start.ts';

async function start(t: TestContext, config: object) {
  const log = createLog({ name: 'gateway', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 10_000 });
  t.after(() => lifecycle.close());
  const metrics = createMetrics();
  const common = { log, clock: systemClock, lifecycle, metrics, version: '0.0.0-test' };
  const gateway = await startGateway({ ...common, config: gatewayConfigSchema.parse(config) });
  const measured = async (): Promise<readonly string[]> => {
    const text = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text();
    return [...new Set([...text.matchAll(/api="([a-z])"/g)].flatMap(([, api]) => api ?? []))];
  };
  return { ...gateway, measured, close: () => lifecycle.close() };
}

for (const workers of [1, 2]) {
  test(`a gateway with ${workers} process(es) that restarts alone serves what it had compiled, each API from its first request on`, async (t) => {
    const upstream = await startUpstream(t);
    const bridge = await startTestBridge(t);
    const apis = ['a', 'b', 'c'];
    const seq = bridge.repository.publish(
      'dev',
      apis.map((id) => {
        const definition = JSON.stringify(apiDefinition(id, `${upstream.url}/of-${id}`));
        return { kind: 'api', id, payload: encodeApi({ id, name: id, revision: '1', definition }) };
      }),
    );
    const dataDir = tempDir(t);
    const config = {
      dataDir,
      workers,
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      bridge: { url: bridge.url, token: bridge.repository.createToken() },
      outbound: { allow: ['127.0.0.1'] },
      report: { enabled: false },
      closeMsMax: 2_000,
    };
    const first = await start(t, config);
    await eventually(() => first.sync?.state().environments[0]?.seq === seq);
    assert.equal((await call(first.port, '/a')).status, 200);
    await first.close();
    await bridge.close();
    const database = openSqlite(foldersOf(dataDir).gatewayStore, { durable: 'normal' });
    assert.deepEqual(database.prepare('SELECT id FROM judged ORDER BY id').pluck().all(), apis);
    database.close();

    const again = await start(t, config);
    assert.deepEqual(
      again.deployments.state()[0]?.apis.map(({ id, state, paths }) => [id, state, paths]),
      apis.map((id) => [id, 'started', [`/${id}`]]),
    );
    assert.match((await call(again.port, '/b')).text, /"url":"\/of-b"/);
    assert.deepEqual(await again.measured(), ['b'], 'the others are still to be compiled');
    assert.equal(again.sync?.state().environments[0]?.nacks.length, 0);
  });
}

test('what was compiled holds for one program with the same settings', () => {
  const config = gatewayConfigSchema.parse({});
  const doors = undefined;
  const ground = compileGroundOf({ config, version: '1', doors });
  assert.equal(compileGroundOf({ config: gatewayConfigSchema.parse({}), version: '1', doors }), ground);
  assert.notEqual(compileGroundOf({ config, version: '2', doors }), ground);
  const denying = gatewayConfigSchema.parse({ upstream: { deny: ['10.0.0.0/8'] } });
  assert.notEqual(compileGroundOf({ config: denying, version: '1', doors }), ground);
});
