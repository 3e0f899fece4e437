import assert from 'node:assert/strict';
import { test } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { encodeApi } from '../../proto/wire/payloads.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, call } from '../../test/kit/gateway/gateway.ts';
import type { MemoryChange } from '../../test/kit/bridge/memory-repository.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { gatewayConfigSchema } from '../config.ts';
import { startGateway } from '../start.ts';

test('a head is acknowledged, and shown, only when every worker serves it', async (t) => {
  const upstream = await startUpstream(t);
  const bridge = await startTestBridge(t);
  const api = (path: string, revision: string): MemoryChange => {
    const definition = JSON.stringify(apiDefinition('a', `${upstream.url}${path}`));
    return {
      kind: 'api',
      id: 'a',
      revision,
      payload: encodeApi({ id: 'a', name: 'a', revision, definition }),
    };
  };
  bridge.repository.publish('dev', [api('/one', '1')]);
  const log = createLog({ name: 'gateway', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 10_000 });
  t.after(() => lifecycle.close());
  const gateway = await startGateway({
    config: gatewayConfigSchema.parse({
      dataDir: tempDir(t),
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      bridge: { url: bridge.url, token: bridge.repository.createToken() },
      outbound: { allow: ['127.0.0.1'] },
      report: { enabled: false },
      closeMsMax: 2_000,
      workers: 2,
    }),
    log,
    clock: systemClock,
    lifecycle,
    metrics: createMetrics(),
    version: '0.0.0-test',
  });
  const node = async <Body>(path: string): Promise<Body> =>
    (await (await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`)).json()) as Body;
  interface Health {
    readonly workers: {
      readonly processes: readonly { readonly pid: number; readonly seqs: { dev?: number } }[];
    };
  }
  const processes = async () => (await node<Health>('/health')).workers.processes;
  const revision = async () => (await node<{ readonly revision?: string }>('/apis/a')).revision;
  const acknowledged = () => gateway.sync?.state().environments[0]?.seq;
  await eventually(async () => (await call(gateway.port, '/a')).text.includes('"url":"/one"'));
  await eventually(() => acknowledged() === 1);

  const [stopped] = await processes();
  assert.ok(stopped);
  process.kill(stopped.pid, 'SIGSTOP');
  const seq = bridge.repository.publish('dev', [api('/two', '2')]);
  await eventually(async () => (await processes()).some(({ seqs }) => seqs.dev === seq));
  assert.equal(acknowledged(), 1);
  assert.equal(await revision(), '1');
  process.kill(stopped.pid, 'SIGCONT');
  await eventually(() => acknowledged() === seq);
  assert.equal(await revision(), '2');
  for (let n = 0; n < 10; n += 1) assert.match((await call(gateway.port, '/a')).text, /"url":"\/two"/);
});
