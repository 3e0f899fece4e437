import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { createSealingKeyPair, createSigningKeyPair } from '../proto/trust/keys.ts';
import { encodeDelimited, readDelimited } from '../proto/wire/delimited.ts';
import { encodeFrame, type Frame } from '../proto/wire/frames.ts';
import { formatLandingKey } from '../proto/wire/landing.ts';
import { assertionFor, createGatheredSet, openStream } from '../test/kit/bridge-client.ts';
import { createAuthority } from '../test/kit/certificates.ts';
import { eventually } from '../test/kit/eventually.ts';
import type { MemoryGateway } from '../test/kit/memory-repository.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { startTestBridge, type TestBridge } from '../test/kit/test-bridge.ts';

const payload = Buffer.from('payload');

async function call(bridge: TestBridge, gateway: MemoryGateway, path: string, init: RequestInit = {}) {
  const token = await assertionFor(gateway, bridge.url);
  return fetch(`${bridge.url}${path}`, {
    ...init,
    headers: { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` },
  });
}

async function framesOf(body: Uint8Array): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readDelimited([body])) frames.push(frame);
  return frames;
}

function batchOf(gateway: MemoryGateway, text = 'line\n') {
  const bytes = Buffer.from(text);
  const key = formatLandingKey({
    stream: 'records',
    organization: 'org-1',
    environment: 'dev',
    fleet: 'fleet-1',
    gateway: gateway.identity.id,
    spool: 'ab'.repeat(16),
    first: 0,
    last: 9,
    hash8: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
  });
  return { bytes, key };
}

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
    ['welcome', 'certificates', 'certificates', 'head'],
  );
});

test('a second instance that polls while the first has a stream is refused', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const client = await openStream({ gateway, url: bridge.url, instance: 'other' });
  await eventually(() => client.frames.length > 0);
  const answer = await call(bridge, gateway, '/bridge/v1/changes?environment=dev');
  assert.equal(answer.status, 409);
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
  const body = JSON.stringify({
    token: bridge.repository.createToken(),
    signingKey: Buffer.from(signing.publicKey).toString('base64url'),
    sealingKey: Buffer.from(sealing.publicKey).toString('base64url'),
    hostname: 'host',
    version: '0.1.0',
  });
  const enrol = () => fetch(`${bridge.url}/bridge/v1/enrol`, { method: 'POST', body });
  const first = await enrol();
  assert.equal(first.status, 201);
  const { gateway: id } = (await first.json()) as { gateway: string };
  const identity = await bridge.repository.gateway(id);
  assert.ok(identity);
  const client = await openStream({ gateway: { identity, signing, sealing }, url: bridge.url });
  await eventually(() => client.frames.some(({ kind }) => kind === 'welcome'));
  assert.equal((await enrol()).status, 401);
});

test('an upload is stored once; a repeat is harmless, other bytes under its name are a conflict', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway);
  const path = `/bridge/v1/uploads/${key}`;
  assert.equal((await call(bridge, gateway, path, { method: 'PUT', body: bytes })).status, 201);
  assert.equal((await call(bridge, gateway, path, { method: 'PUT', body: bytes })).status, 200);
  await bridge.blobs.put(key, Buffer.from('other'));
  const conflict = await call(bridge, gateway, path, { method: 'PUT', body: bytes });
  assert.equal(conflict.status, 409);
  await eventually(() => bridge.repository.events.some(({ kind }) => kind === 'upload.conflict'));
  assert.equal(Buffer.from(bridge.blobs.objects.get(key) ?? []).toString(), 'other');
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

test('metrics are answered only when the configuration says so', async (t) => {
  const silent = await startTestBridge(t);
  const telling = await startTestBridge(t, { metrics: true });
  assert.equal((await fetch(`${silent.url}/metrics`)).status, 404);
  assert.match(await (await fetch(`${telling.url}/metrics`)).text(), /isthmus_bridge_streams/);
  assert.equal((await fetch(`${telling.url}/health`)).status, 200);
});

test('with TLS a client certificate can be demanded', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('bridge');
  const bridge = await startTestBridge(t, { tls: { certFile, keyFile, clientCaFile: authority.caFile } });
  assert.match(bridge.url, /^https:/);
  await assert.rejects(fetch(`${bridge.url}/health`));
});

test('an assertion counts only for the configured public URLs', async (t) => {
  const bridge = await startTestBridge(t, { publicUrls: ['https://bridge.example:18092/'] });
  const gateway = bridge.repository.addGateway();
  assert.equal((await call(bridge, gateway, '/bridge/v1/changes?environment=dev')).status, 401);
  const token = await assertionFor(gateway, 'https://bridge.example:18092');
  const answer = await fetch(`${bridge.url}/bridge/v1/changes?environment=dev`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(answer.status, 200);
});

interface BadRow {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly ask: (bridge: TestBridge, gateway: MemoryGateway) => Promise<Response>;
}

const changes = '/bridge/v1/changes?environment=dev';
const withToken = (bridge: TestBridge, token: string, path = changes) =>
  fetch(`${bridge.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
const put = (bridge: TestBridge, gateway: MemoryGateway, key: string, body: BodyInit = 'line\n') =>
  call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body });
const enrol = (bridge: TestBridge, body: object | string) =>
  fetch(`${bridge.url}/bridge/v1/enrol`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const key32 = Buffer.alloc(32, 1).toString('base64url');
const enrolment = { token: 'x', signingKey: key32, sealingKey: key32, hostname: 'h', version: '1' };
const hourMs = 3_600_000;

type BodyInit = NonNullable<RequestInit['body']>;

const badRows: readonly BadRow[] = [
  {
    name: 'no assertion',
    status: 401,
    code: 'request.unauthorized',
    ask: (b) => fetch(`${b.url}${changes}`),
  },
  {
    name: 'basic instead of bearer',
    status: 401,
    code: 'request.unauthorized',
    ask: (b) => fetch(`${b.url}${changes}`, { headers: { authorization: 'Basic YTpi' } }),
  },
  {
    name: 'an assertion that is no token',
    status: 400,
    code: 'trust.malformed',
    ask: (b) => withToken(b, 'abc'),
  },
  {
    name: 'an assertion with too many parts',
    status: 400,
    code: 'trust.malformed',
    ask: (b) => withToken(b, 'a.b.c.d'),
  },
  {
    name: 'an assertion of another key',
    status: 401,
    code: 'trust.bad_signature',
    ask: async (b, g) => withToken(b, await assertionFor({ ...g, signing: createSigningKeyPair() }, b.url)),
  },
  {
    name: 'an assertion of nobody',
    status: 401,
    code: 'bridge.unknown_gateway',
    ask: async (b, g) =>
      withToken(b, await assertionFor({ ...g, identity: { ...g.identity, id: 'nobody' } }, b.url)),
  },
  {
    name: 'an expired assertion',
    status: 401,
    code: 'trust.expired',
    ask: async (b, g) => withToken(b, await assertionFor(g, b.url, { nowMs: Date.now() - hourMs })),
  },
  {
    name: 'an assertion from the future',
    status: 401,
    code: 'trust.expired',
    ask: async (b, g) => withToken(b, await assertionFor(g, b.url, { nowMs: Date.now() + hourMs })),
  },
  {
    name: 'an assertion for another bridge',
    status: 401,
    code: 'trust.wrong_audience',
    ask: async (b, g) => withToken(b, await assertionFor(g, b.url, { audience: 'https://other.example' })),
  },
  {
    name: 'a replayed assertion',
    status: 401,
    code: 'trust.replayed',
    ask: async (b, g) => {
      const token = await assertionFor(g, b.url);
      await (await withToken(b, token)).bytes();
      return withToken(b, token);
    },
  },
  {
    name: 'a revoked gateway',
    status: 403,
    code: 'bridge.revoked',
    ask: (b) => {
      const revoked = b.repository.addGateway();
      b.repository.revoke(revoked.identity.id);
      return call(b, revoked, changes);
    },
  },
  {
    name: 'a poll without environment',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, '/bridge/v1/changes'),
  },
  {
    name: 'a poll of a foreign environment',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => call(b, g, '/bridge/v1/changes?environment=prod'),
  },
  {
    name: 'a cursor of words',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, `${changes}&cursor=latest`),
  },
  {
    name: 'a negative cursor',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, `${changes}&cursor=1.-5`),
  },
  {
    name: 'a giant cursor',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, `${changes}&cursor=1.${'9'.repeat(40)}`),
  },
  {
    name: 'a wait beyond the limit',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, `${changes}&wait=31`),
  },
  {
    name: 'a wait of words',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, `${changes}&wait=soon`),
  },
  {
    name: 'a snapshot of a foreign environment',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => call(b, g, '/bridge/v1/snapshot?environment=..'),
  },
  {
    name: 'a snapshot without environment',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, '/bridge/v1/snapshot'),
  },
  {
    name: 'a heartbeat that is no frame',
    status: 400,
    code: 'wire.malformed',
    ask: (b, g) => call(b, g, '/bridge/v1/heartbeat', { method: 'POST', body: '\xff\xff\xff' }),
  },
  {
    name: 'a heartbeat that is another frame',
    status: 400,
    code: 'wire.malformed',
    ask: (b, g) =>
      call(b, g, '/bridge/v1/heartbeat', {
        method: 'POST',
        body: Buffer.from(encodeFrame({ kind: 'ping', atMs: 1 })),
      }),
  },
  {
    name: 'an empty heartbeat',
    status: 400,
    code: 'wire.malformed',
    ask: (b, g) => call(b, g, '/bridge/v1/heartbeat', { method: 'POST' }),
  },
  {
    name: 'an oversized heartbeat',
    status: 413,
    code: 'request.too_large',
    ask: (b, g) => call(b, g, '/bridge/v1/heartbeat', { method: 'POST', body: Buffer.alloc(100_000) }),
  },
  { name: 'an enrolment without JSON', status: 400, code: 'request.invalid', ask: (b) => enrol(b, '{') },
  {
    name: 'an enrolment with an unknown field',
    status: 400,
    code: 'request.invalid',
    ask: (b) => enrol(b, { ...enrolment, tags: ['admin'] }),
  },
  {
    name: 'an enrolment with a short key',
    status: 400,
    code: 'request.invalid',
    ask: (b) => enrol(b, { ...enrolment, signingKey: 'abc' }),
  },
  {
    name: 'an enrolment with no token',
    status: 400,
    code: 'trust.malformed',
    ask: (b) => enrol(b, enrolment),
  },
  {
    name: 'an enrolment with an expired token',
    status: 401,
    code: 'trust.expired',
    ask: (b) => enrol(b, { ...enrolment, token: b.repository.createToken({ expiresAtMs: 1 }) }),
  },
  {
    name: 'an enrolment with a token of another root',
    status: 401,
    code: 'trust.bad_signature',
    ask: (b) =>
      enrol(b, {
        ...enrolment,
        token: b.repository.createToken().replace(/\.[^.]+$/, `.${Buffer.alloc(64).toString('base64url')}`),
      }),
  },
  {
    name: 'an oversized enrolment',
    status: 413,
    code: 'request.too_large',
    ask: (b) => enrol(b, { ...enrolment, hostname: 'h'.repeat(40_000) }),
  },
  {
    name: 'an upload of another organization',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => put(b, g, batchOf(g).key.replace('org=org-1', 'org=org-2')),
  },
  {
    name: 'an upload of another environment',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => put(b, g, batchOf(g).key.replace('env=dev', 'env=prod')),
  },
  {
    name: 'an upload of another fleet',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => put(b, g, batchOf(g).key.replace('fleet-1', 'fleet-2')),
  },
  {
    name: 'an upload of another gateway',
    status: 403,
    code: 'request.forbidden',
    ask: (b, g) => put(b, g, batchOf(b.repository.addGateway()).key),
  },
  {
    name: 'an upload with another hash',
    status: 400,
    code: 'bridge.hash_mismatch',
    ask: (b, g) => put(b, g, batchOf(g).key, 'other bytes'),
  },
  {
    name: 'an empty upload',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => put(b, g, batchOf(g).key, ''),
  },
  {
    name: 'an oversized upload',
    status: 413,
    code: 'request.too_large',
    ask: (b, g) => put(b, g, batchOf(g).key, Buffer.alloc(100_000)),
  },
  {
    name: 'an upload without length',
    status: 411,
    code: 'bridge.length_required',
    ask: (b, g) =>
      call(b, g, `/bridge/v1/uploads/${batchOf(g).key}`, {
        method: 'PUT',
        body: new Blob(['line\n']).stream(),
        duplex: 'half',
      } as RequestInit),
  },
  {
    name: 'an upload outside of the landing',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => put(b, g, 'lake/v1/a.parquet'),
  },
  {
    name: 'an upload with encoded dots',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => put(b, g, batchOf(g).key.replace('org=org-1', 'org=org-1%2F..%2F..')),
  },
  {
    name: 'an upload with a broken escape',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => put(b, g, `${batchOf(g).key}%zz`),
  },
  {
    name: 'an upload with a NUL',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => put(b, g, `${batchOf(g).key}%00`),
  },
  {
    name: 'an upload whose range runs backwards',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => put(b, g, batchOf(g).key.replace('/0-9-', '/9-0-')),
  },
  {
    name: 'an unknown path',
    status: 404,
    code: 'request.not_found',
    ask: (b, g) => call(b, g, '/bridge/v2/changes'),
  },
  {
    name: 'a stream without Upgrade',
    status: 400,
    code: 'request.invalid',
    ask: (b, g) => call(b, g, '/bridge/v1/stream'),
  },
];

for (const row of badRows) {
  test(`refused and without effect: ${row.name}`, async (t) => {
    const bridge = await startTestBridge(t, { limits: { frameInBytesMax: 50_000, uploadBytesMax: 50_000 } }, [
      'dev',
      'prod',
    ]);
    const gateway = bridge.repository.addGateway({ environments: ['dev'] });
    const answer = await row.ask(bridge, gateway);
    const body = (await answer.json()) as { code: string; reason: string; bridgeTimeMs: number };
    assert.deepEqual([answer.status, body.code], [row.status, row.code]);
    assert.ok(body.reason.length > 0);
    assert.ok(Math.abs(body.bridgeTimeMs - Date.now()) < 60_000);
    assert.equal(bridge.blobs.objects.size, 0);
    assert.equal(bridge.repository.reports.size, 0);
  });
}

const badFrames: readonly (readonly [name: string, send: (socket: WebSocketLike) => void, code: string])[] = [
  ['bytes that are no frame', (socket) => socket.send(Buffer.from([0xff, 0xff])), 'wire.malformed'],
  ['an empty frame', (socket) => socket.send(Buffer.alloc(0)), 'wire.malformed'],
  ['text', (socket) => socket.send('hello'), 'wire.malformed'],
  ['a second hello', (socket) => socket.send(helloBytes('instance-1')), 'wire.malformed'],
  [
    'a frame that only a bridge sends',
    (socket) => socket.send(encodeFrame({ kind: 'head', environment: 'dev', head: new Uint8Array(9) })),
    'wire.malformed',
  ],
  [
    'bucket hashes that are too short',
    (socket) => socket.send(encodeFrame({ kind: 'buckets', environment: 'dev', hashes: new Uint8Array(32) })),
    'wire.malformed',
  ],
];

interface WebSocketLike {
  send(message: Uint8Array | string): void;
}

function helloBytes(instance: string): Uint8Array {
  return encodeFrame({
    kind: 'hello',
    protocol: 1,
    instance,
    version: '1',
    hostname: 'h',
    startedAtMs: 1,
    policies: [],
    environments: [],
    tags: [],
  });
}

for (const [name, send, code] of badFrames) {
  test(`a stream that sends ${name} is ended with the reason`, async (t) => {
    const bridge = await startTestBridge(t);
    const client = await openStream({ gateway: bridge.repository.addGateway(), url: bridge.url });
    await eventually(() => client.frames.some(({ kind }) => kind === 'welcome'));
    send(client.socket);
    const { frame } = await client.closed;
    assert.equal(frame?.code, code);
  });
}

test('a stream whose first frame is no hello, or that says another instance, is ended', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const liar = await openStream({ gateway, url: bridge.url, hello: { instance: 'other' } });
  assert.equal((await liar.closed).frame?.code, 'wire.malformed');
  const old = await openStream({ gateway, url: bridge.url, hello: { protocol: 0 } });
  assert.equal((await old.closed).frame?.code, 'wire.malformed');
});

test('a giant frame ends the stream before it is in memory', async (t) => {
  const bridge = await startTestBridge(t, { limits: { frameInBytesMax: 10_000 } });
  const client = await openStream({ gateway: bridge.repository.addGateway(), url: bridge.url });
  await eventually(() => client.frames.length > 0);
  client.socket.send(Buffer.alloc(20_000));
  assert.equal((await client.closed).code, 1009);
});

test('a stream that says no hello is ended', async (t) => {
  const bridge = await startTestBridge(t, { limits: { helloMsMax: 50 } });
  const gateway = bridge.repository.addGateway();
  const { hostname, port } = new URL(bridge.url);
  const socket = connect(Number(port), hostname);
  const token = await assertionFor(gateway, bridge.url);
  socket.write(
    `GET /bridge/v1/stream HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n` +
      'upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  await eventually(() => text.includes('request.timeout'));
  socket.destroy();
});

test('an oversized length prefix in a body is refused before it is buffered', async () => {
  const giant = Buffer.alloc(4);
  giant.writeUInt32BE(0xffffffff);
  await assert.rejects(framesOf(giant), { code: 'wire.too_large' });
  const cut = encodeDelimited({ kind: 'ping', atMs: 1 });
  await assert.rejects(framesOf(cut.subarray(0, cut.length - 1)), { code: 'wire.malformed' });
});
