import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { Fault } from '../proto/faults/fault.ts';
import { loadConfig } from '../proto/process/config.ts';
import { bridgeConfigSchema } from './config.ts';
import { createSealingKeyPair, createSigningKeyPair } from '../proto/trust/keys.ts';
import { encodeFrame } from '../proto/wire/frames.ts';
import { batchOf, callBridge, framesOf } from '../test/kit/bridge/bridge-calls.ts';
import { assertionFor, claimSeat, createGatheredSet, openStream } from '../test/kit/bridge/bridge-client.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { sha256Of } from '../proto/wire/parcel.ts';
import { readReceipt } from '../proto/wire/receipt.ts';
import { eventually } from '../test/kit/eventually.ts';
import {
  createMemoryRepository,
  type MemoryGateway,
  type MemoryRepository,
} from '../test/kit/bridge/memory-repository.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { startTestBridge, type TestBridge } from '../test/kit/bridge/test-bridge.ts';
import { isWithin } from '../test/kit/pace.ts';

const payload = Buffer.from('payload');

const call = (
  bridge: TestBridge,
  gateway: MemoryGateway,
  ...rest: readonly [path: string, init?: RequestInit]
) => callBridge({ url: bridge.url, gateway }, ...rest);

test('a long poll gives the frames of the stream, at once when there is news', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  const answer = await call(bridge, gateway, '/bridge/v1/changes?environment=dev');
  assert.equal(answer.status, 200);
  const set = createGatheredSet();
  for (const frame of await framesOf(await answer.bytes())) set.take(frame);
  assert.ok(set.isWhole(gateway.identity.grant));
  const waiting = call(bridge, gateway, '/bridge/v1/changes?environment=dev&cursor=1.1&wait=20');
  await new Promise((resolve) => setImmediate(resolve));
  bridge.repository.publish('dev', [{ kind: 'api', id: 'b', payload }]);
  for (const frame of await framesOf(await (await waiting).bytes())) set.take(frame);
  assert.equal(set.head?.seq, 2);
  assert.equal(set.fulls, 1);
  assert.ok(set.isWhole(gateway.identity.grant));
});

test('a long poll without news ends with the same head', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload }]);
  const answer = await call(bridge, gateway, '/bridge/v1/changes?environment=dev&cursor=1.1&wait=1');
  assert.deepEqual(
    (await framesOf(await answer.bytes())).map(({ kind }) => kind),
    ['welcome', 'certificates', 'head'],
  );
});

test('a long poll that was on its way when the bridge closed does not hold it', async (t) => {
  const repository = createMemoryRepository({ environments: ['dev'] });
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let isSlow = false;
  const slow: MemoryRepository = {
    ...repository,
    async gateway(id) {
      if (isSlow && id !== '') {
        asked.resolve();
        await answered.promise;
      }
      return repository.gateway(id);
    },
  };
  const bridge = await startTestBridge(t, { repository: slow });
  const gateway = bridge.repository.addGateway();
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  await claimSeat(gateway, bridge.url);
  const token = await assertionFor(gateway, bridge.url);
  isSlow = true;
  const waiting = fetch(`${bridge.url}/bridge/v1/changes?environment=dev&cursor=1.1&wait=20`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await asked.promise;
  const closedAtMs = performance.now();
  const closed = bridge.close();
  answered.resolve();
  assert.equal((await waiting).status, 200);
  await closed;
  // What does not end by itself is cut after 5 s.
  isWithin(performance.now() - closedAtMs, { msMax: 2_500 });
});

test('a second instance that polls while the first has a stream is refused', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const client = await openStream({ gateway, url: bridge.url, instance: 'other' });
  await eventually(() => client.frames.length > 0);
  const answer = await call(bridge, gateway, '/bridge/v1/changes?environment=dev');
  assert.equal(answer.status, 403);
  assert.equal(((await answer.json()) as { code: string }).code, 'bridge.identity_in_use');
});

test('a snapshot is one immutable file that resumes', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  bridge.repository.publish(
    'dev',
    Array.from({ length: 3_000 }, (_, index) => ({ kind: 'api' as const, id: `api-${index}`, payload })),
  );
  const path = '/bridge/v1/snapshot?environment=dev';
  const whole = await call(bridge, gateway, path);
  const etag = whole.headers.get('etag') ?? '';
  const bytes = await whole.bytes();
  const set = createGatheredSet();
  for (const frame of await framesOf(zstdDecompressSync(bytes))) set.take(frame);
  assert.ok(set.isWhole(gateway.identity.grant));
  const half = Math.floor(bytes.length / 2);
  const rest = await call(bridge, gateway, path, { headers: { range: `bytes=${half}-`, 'if-range': etag } });
  assert.equal(rest.status, 206);
  assert.deepEqual(Buffer.from(await rest.bytes()), Buffer.from(bytes.subarray(half)));
  assert.equal((await call(bridge, gateway, path, { headers: { 'if-none-match': etag } })).status, 304);
  assert.equal(
    (await call(bridge, gateway, path, { headers: { range: `bytes=${bytes.length}-` } })).status,
    416,
  );
  bridge.repository.publish('dev', [{ kind: 'api', id: 'api-1' }]);
  const changed = await call(bridge, gateway, path, { headers: { range: 'bytes=5-', 'if-range': etag } });
  assert.equal(changed.status, 200);
});

test('an enrolled gateway may dial at once; its token works no second time', async (t) => {
  const bridge = await startTestBridge(t);
  const signing = createSigningKeyPair();
  const sealing = createSealingKeyPair();
  const token = bridge.repository.createToken();
  const bodyWith = (signingKey: Uint8Array): string =>
    JSON.stringify({
      token,
      signingKey: Buffer.from(signingKey).toString('base64url'),
      sealingKey: Buffer.from(sealing.publicKey).toString('base64url'),
      hostname: 'host',
      version: '0.1.0',
    });
  const enrol = (signingKey: Uint8Array) =>
    fetch(`${bridge.url}/bridge/v1/enrol`, { method: 'POST', body: bodyWith(signingKey) });
  const first = await enrol(signing.publicKey);
  assert.equal(first.status, 201);
  const { gateway: id } = (await first.json()) as { gateway: string };
  const identity = await bridge.repository.gateway(id);
  assert.ok(identity);
  const client = await openStream({ gateway: { identity, signing, sealing }, url: bridge.url });
  await eventually(() => client.frames.some(({ kind }) => kind === 'welcome'));
  assert.equal((await enrol(createSigningKeyPair().publicKey)).status, 401);
});

test('an upload is stored once, and a repeat is harmless', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway);
  const path = `/bridge/v1/uploads/${key}`;
  for (const [status, outcome] of [
    [201, 'stored'],
    [200, 'existed'],
  ] as const) {
    const answer = await call(bridge, gateway, path, { method: 'PUT', body: bytes });
    assert.deepEqual([answer.status, answer.headers.get('cache-control')], [status, 'no-store']);
    const receipt = readReceipt(await answer.text());
    assert.deepEqual([receipt?.key, receipt?.sha256, receipt?.outcome], [key, sha256Of(bytes), outcome]);
  }
  assert.deepEqual(bridge.blobs.objects.get(key), bytes);
});

test('half of an upload that the bucket kept is replaced by the whole one', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway);
  for (const left of [bytes.subarray(0, bytes.length >> 1), Buffer.alloc(0)]) {
    await bridge.blobs.put(key, left);
    const answer = await call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body: bytes });
    assert.equal(answer.status, 201);
    assert.deepEqual(Buffer.from(bridge.blobs.objects.get(key) ?? []), Buffer.from(bytes));
  }
  await eventually(() => bridge.repository.events.some(({ kind }) => kind === 'upload.replaced'));
});

test('log lines are taken into a folder of their own', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway, 'line\n', 'logs');
  assert.match(key, /^landing\/v1-logs\/org=/);
  const put = await call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body: bytes });
  assert.equal(put.status, 201);
  assert.deepEqual([...bridge.blobs.objects.keys()], [key]);
});

test('while the bucket is away an upload is asked to come back, and nothing is lost of it', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway);
  bridge.blobs.setAway(true);
  const away = await call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body: bytes });
  assert.equal(away.status, 503);
  assert.ok(Number(away.headers.get('retry-after')) > 0);
  bridge.blobs.setAway(false);
  const back = await call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body: bytes });
  assert.equal(back.status, 201);
});

test('a heartbeat by HTTP is stored under the instance that the assertion proves', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const report = {
    instance: 'somebody else',
    version: '1',
    hostname: 'h',
    startedAtMs: 1,
    policies: [],
    environments: [],
    counters: { requests: 3 },
  };
  const body = Buffer.from(encodeFrame({ kind: 'heartbeat', report }));
  const answer = await call(bridge, gateway, '/bridge/v1/heartbeat', { method: 'POST', body });
  assert.equal(answer.status, 200);
  const saved = bridge.repository.reports.get(gateway.identity.id);
  assert.deepEqual([saved?.instance, saved?.counters], ['instance-1', { requests: 3 }]);
});

test('metrics, and more than states, are on the node API of a bridge, never on the port that gateways dial', async (t) => {
  const { url, nodeApi } = await startTestBridge(t);
  const ask = async (path: string) => (await fetch(path)).json();
  assert.equal((await fetch(`${url}/metrics`)).status, 404);
  assert.match(await (await fetch(`${nodeApi}/metrics`)).text(), /isthmus_bridge_streams/);
  assert.deepEqual(await ask(`${url}/health`), { process: 'bridge', status: 'UP', degraded: [] });
  assert.equal(((await ask(`${nodeApi}/health`)) as { streams: number }).streams, 0);
  assert.throws(
    () => loadConfig(bridgeConfigSchema, { process: 'bridge', flags: { metrics: 'true' } }),
    /metrics: is gone: metrics are on the node API \(admin\.port\)/,
  );
});

test('with TLS a client certificate can be demanded', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('bridge');
  const bridge = await startTestBridge(t, {
    tls: { certFile, keyFile, caFile: authority.caFile, clientAuth: 'required' },
  });
  assert.match(bridge.url, /^https:/);
  const ca = readFileSync(authority.caFile);
  const client = authority.issue('gateway-1');
  const ask = (identity: object): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = get(`${bridge.url}/health`, { ca, agent: false, ...identity }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      asked.on('error', reject);
    });
  await assert.rejects(ask({}));
  const identity = { cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) };
  assert.equal(await ask(identity), 200);
});

test('certificates that do not fit are refused with the file, before anything listens', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('bridge');
  const other = authority.issue('other');
  const start = (tls: object) => startTestBridge(t, { tls: { certFile, keyFile, ...tls } });
  const refusal = (file: string, why: string) => (error: unknown) =>
    error instanceof Fault &&
    error.code === 'config.invalid' &&
    error.message.includes(file) &&
    error.message.includes(why);
  await assert.rejects(start({ certFile: keyFile }), refusal(keyFile, 'is no certificate in PEM'));
  await assert.rejects(start({ keyFile: certFile }), refusal(certFile, 'is no unencrypted private key'));
  await assert.rejects(start({ keyFile: other.keyFile }), refusal(other.keyFile, 'does not belong to'));
  await assert.rejects(start({ keyFile: '/nowhere.key' }), refusal('/nowhere.key', 'is not there'));
  await assert.rejects(start({ caFile: keyFile }), refusal(keyFile, 'is no certificate in PEM'));
});

test('an assertion counts only for the configured public URLs', async (t) => {
  const bridge = await startTestBridge(t, { publicUrls: ['https://bridge.example:18092/'] });
  const gateway = bridge.repository.addGateway();
  assert.equal((await call(bridge, gateway, '/bridge/v1/changes?environment=dev')).status, 401);
  const audience = 'https://bridge.example:18092';
  assert.equal((await claimSeat(gateway, bridge.url, { audience })).status, 200);
  const token = await assertionFor(gateway, bridge.url, { audience });
  const answer = await fetch(`${bridge.url}/bridge/v1/changes?environment=dev`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(answer.status, 200);
});

test('a bucket that is away is named by health, with the reason for operators alone; the bridge stays ready; gone when it is back', async (t) => {
  const bridge = await startTestBridge(t);
  const ask = async (at: string) => (await (await fetch(at)).json()) as Record<string, unknown>;
  bridge.blobs.setAway(true);
  const { status, degraded, bucket } = await ask(`${bridge.nodeApi}/health`);
  assert.deepEqual([status, degraded, bucket], ['UP', ['bucket'], 'it is away']);
  assert.deepEqual(await ask(`${bridge.url}/health`), {
    process: 'bridge',
    status: 'UP',
    degraded: ['bucket'],
  });
  assert.equal((await fetch(`${bridge.nodeApi}/health/ready`)).status, 200);
  bridge.blobs.setAway(false);
  assert.deepEqual((await ask(`${bridge.nodeApi}/health`))['degraded'], []);
});

test('health follows the repository even while nobody is connected', async (t) => {
  const bridge = await startTestBridge(t, { limits: { pollEveryMs: 20 } });
  const ready = async (): Promise<number> => (await fetch(`${bridge.nodeApi}/health/ready`)).status;
  const degraded = async (url: string): Promise<string> =>
    String(((await (await fetch(`${url}/health`)).json()) as { degraded: string[] }).degraded);
  bridge.repository.setAway(true);
  await eventually(async () => (await degraded(bridge.url)) === 'repository');
  assert.equal(await degraded(bridge.nodeApi), 'repository');
  assert.equal(await ready(), 503);
  bridge.repository.setAway(false);
  await eventually(async () => (await degraded(bridge.url)) === '');
  assert.equal(await ready(), 200);
});

test('a gateway that misbehaves all the time is reported a few times and no more', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  for (let n = 0; n < 30; n += 1) {
    const { key, bytes } = batchOf(gateway, `batch ${n}`);
    const path = `/bridge/v1/uploads/${key.replace('fleet-1', 'fleet-2')}`;
    assert.equal((await call(bridge, gateway, path, { method: 'PUT', body: bytes })).status, 403);
  }
  await eventually(() => bridge.repository.events.length > 0);
  assert.ok(bridge.repository.events.length <= 10);
});
