import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../proto/faults/fault.ts';
import { systemClock } from '../proto/process/clock.ts';
import { createLifecycle } from '../proto/process/lifecycle.ts';
import { createLog } from '../proto/process/log.ts';
import { createMetrics } from '../proto/process/metrics.ts';
import { openKeyring, rotateKeyFile } from '../proto/process/secrets.ts';
import { createManagementClient } from '../test/kit/control-plane/management-client.ts';
import { readEvents } from '../test/kit/control-plane/event-reader.ts';
import { eventually } from '../test/kit/eventually.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { controlPlaneConfigSchema } from './config.ts';
import { managementOpenApi } from './doors/openapi.ts';
import { startControlPlane, type ControlPlaneOptions } from './start.ts';
import { isWithin } from '../test/kit/pace.ts';

function prepare(t: TestContext, dataDir: string, extra: Partial<ControlPlaneOptions> = {}) {
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const config = controlPlaneConfigSchema.parse({
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
  });
  const options = {
    config,
    log,
    clock: systemClock,
    lifecycle,
    metrics: createMetrics(),
    version: '0.0.0-test',
    ...extra,
  };
  return { lifecycle, options };
}

test('a first boot makes an administrator, a fleet and two demo APIs; a second one nothing', async (t) => {
  const dataDir = tempDir(t);
  const first = prepare(t, dataDir, { demoTarget: 'http://127.0.0.1:1' });
  const one = await startControlPlane(first.options);
  const { adminPassword, demo } = one.boot;
  assert.ok(adminPassword !== undefined && demo !== undefined);
  assert.match(await one.enrolmentToken('http://127.0.0.1:18092'), /^ist1\./);
  await first.lifecycle.close();

  const second = prepare(t, dataDir, { demoTarget: 'http://127.0.0.1:1' });
  const two = await startControlPlane(second.options);
  assert.deepEqual(
    [two.boot.adminPassword, two.boot.demo, two.boot.fleet, two.boot.demoPaths],
    [undefined, undefined, one.boot.fleet, one.boot.demoPaths],
  );
  assert.deepEqual(one.boot.demoPaths, { echo: '/demo/echo', orders: '/demo/orders' });
  const client = createManagementClient(two.url, adminPassword);
  const apis = await client.call<{ data: { name: string; state: string }[] }>(
    'GET',
    '/v2/environments/DEFAULT/apis',
  );
  assert.deepEqual(
    apis.data.map(({ name, state }) => [name, state]),
    [
      ['Demo /demo/echo', 'STARTED'],
      ['Demo /demo/orders', 'STARTED'],
    ],
  );
  // What a newcomer calls his first API is his.
  for (const path of ['/orders', '/echo', '/demo'])
    await client.createApi({ path, target: 'http://127.0.0.1:1', security: 'KEY_LESS' });
});

test('a user of the socket creates, deploys and subscribes', async (t) => {
  const { options } = prepare(t, tempDir(t), { adminPassword: 'correct horse' });
  const { url } = await startControlPlane(options);
  const client = createManagementClient(url, 'correct horse');
  const api = await client.createApi({
    path: '/pets',
    target: 'http://127.0.0.1:1',
    security: 'API_KEY',
  });
  const { key } = await client.subscribe(api);
  assert.ok(key.length >= 32);
});

test('a body too large is refused over a real socket, and the next request is answered', async (t) => {
  const { options } = prepare(t, tempDir(t), { adminPassword: 'correct horse' });
  const { url } = await startControlPlane(options);
  const apis = `${url}/management/v2/environments/DEFAULT/apis`;
  const right = `Basic ${Buffer.from('admin:correct horse').toString('base64')}`;
  for (const [authorization, status] of [
    [right, 413],
    ['Basic eA==', 401],
  ] as const)
    for (const body of ['x'.repeat(2_000_000), new Blob(['x'.repeat(2_000_000)]).stream()]) {
      const headers = { authorization, 'content-type': 'application/json' };
      // A stream goes out in chunks, without a length that could be refused at once.
      const answer = await fetch(apis, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
      assert.equal(answer.status, status);
      await answer.text();
      const next = await fetch(apis, { headers: { authorization: right } });
      assert.equal(next.status, 200);
      await next.text();
    }
});

test('a stream ends with a word when its process does, and holds nothing up', async (t) => {
  const { options, lifecycle } = prepare(t, tempDir(t), { adminPassword: 'correct horse' });
  const { url } = await startControlPlane(options);
  const authorization = `Basic ${Buffer.from('admin:correct horse').toString('base64')}`;
  const answer = await fetch(`${url}/management/v2/environments/DEFAULT/instances/_live`, {
    headers: { authorization },
  });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const reader = readEvents(t, answer);
  await eventually(() => reader.named('gateways').length === 1);
  const beganMs = performance.now();
  await lifecycle.close();
  isWithin(performance.now() - beganMs, { msMax: 3_000, what: 'nobody waits for it' });
  await eventually(() => reader.isEnded);
  assert.deepEqual(reader.named('end')[0]?.data, { reason: 'shutdown' });
});

test('the node API says ready, and metrics', async (t) => {
  const { options } = prepare(t, tempDir(t));
  const { nodePort } = await startControlPlane(options);
  const ready = await fetch(`http://127.0.0.1:${nodePort}/health/ready`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [200, { ready: true, parts: { database: 'UP', keys: 'UP', open: 'UP' } }],
  );
  assert.equal((await fetch(`http://127.0.0.1:${nodePort}/health`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${nodePort}/metrics`)).status, 200);
});

test('a bucket that is away is named by health, with the reason for operators alone; the control plane stays ready; gone when it is back', async (t) => {
  const dataDir = tempDir(t);
  const { options } = prepare(t, dataDir);
  const { nodePort, url, blobs } = await startControlPlane(options);
  const node = `http://127.0.0.1:${nodePort}`;
  const ask = async (at: string) => (await (await fetch(at)).json()) as Record<string, unknown>;
  const dir = join(dataDir, 'blobs');
  renameSync(dir, `${dir}.away`);
  await assert.rejects(blobs.get('lake/x'), { code: 'blobs.wrong_bucket' });
  const { status, degraded, bucket } = await ask(`${node}/health`);
  assert.deepEqual([status, degraded], ['UP', ['bucket']]);
  assert.match(String(bucket), /folder of the bucket is not there/);
  assert.deepEqual(await ask(`${url}/health`), {
    process: 'control-plane',
    status: 'UP',
    degraded: ['bucket'],
  });
  assert.equal((await fetch(`${node}/health/ready`)).status, 200);
  renameSync(`${dir}.away`, dir);
  await blobs.get('lake/x');
  assert.deepEqual((await ask(`${node}/health`))['degraded'], []);
});

test('a key of another installation is refused before anything serves, and one of the same name as well', async (t) => {
  const dataDir = tempDir(t);
  const first = prepare(t, dataDir);
  await startControlPlane(first.options);
  await first.lifecycle.close();
  const dir = join(dataDir, 'secrets');
  const own = openKeyring({ dir }).keyIds.join();
  const kek = readFileSync(join(dir, 'kek'), 'utf8');
  rmSync(join(dir, 'kek'));
  const foreign = openKeyring({ dir }).keyIds.join();
  const refused = async (said: RegExp): Promise<void> => {
    const { lifecycle, options } = prepare(t, dataDir);
    await assert.rejects(
      startControlPlane(options),
      (error) => error instanceof Fault && error.code === 'secrets.no_key' && said.test(error.detail),
    );
    await lifecycle.close();
  };
  await refused(new RegExp(`sealed with key "${own}"; .*kek holds "${foreign}"`));
  writeFileSync(join(dir, 'kek'), readFileSync(join(dir, 'kek'), 'utf8').replace(foreign, own));
  await refused(new RegExp(`sealed with key "${own}"; .*holds another key of that name`));
  // A newer key before the one that opens is a rotation.
  writeFileSync(join(dir, 'kek'), kek);
  rotateKeyFile(dir);
  await startControlPlane(prepare(t, dataDir).options);
});

test('what another control plane sealed with a key of its own makes this one degraded and not ready; damage of one value does not', async (t) => {
  const { options } = prepare(t, tempDir(t));
  const { nodePort, storage, desk, boot } = await startControlPlane(options);
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${nodePort}${path}`);
    return [answer.status, await answer.json()] as [number, { degraded?: string[]; parts?: object }];
  };
  await storage.transaction((trx) =>
    desk.publisher.ensureEnvironment(trx, boot.at.organization, { id: 'second', name: 'second' }),
  );
  const seal = (sealed: Uint8Array) =>
    storage.db
      .updateTable('signing_key')
      .set({ sealed_private_key: sealed })
      .where('environment', '=', 'second')
      .execute();
  await seal(new Uint8Array(100));
  assert.deepEqual((await ask('/health'))[1].degraded, []);
  const foreign = openKeyring({ keys: [{ id: 'foreign', key: randomBytes(32) }] });
  await seal(foreign.seal(new Uint8Array(32), 'any'));
  assert.deepEqual((await ask('/health'))[1].degraded, ['keys']);
  const [status, { parts }] = await ask('/health/ready');
  assert.deepEqual([status, parts], [503, { database: 'UP', keys: 'DOWN', open: 'UP' }]);
});

test('a taken port is one clear fault', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { options } = prepare(t, tempDir(t));
  const config = { ...options.config, listen: { ...options.config.listen, port } };
  await assert.rejects(
    startControlPlane({ ...options, config }),
    (error) => error instanceof Fault && error.code === 'process.port_taken',
  );
});

test('the committed OpenAPI document is the one that the schemas make (npm run generate)', () => {
  const path = join(import.meta.dirname, 'doors/openapi/management.json');
  assert.deepEqual(
    JSON.parse(readFileSync(path, 'utf8')),
    JSON.parse(JSON.stringify(managementOpenApi())) as unknown,
  );
});
