import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigningKeyPair } from '../proto/trust/keys.ts';
import { encodeFrame } from '../proto/wire/frames.ts';
import { batchOf, callBridge } from '../test/kit/bridge/bridge-calls.ts';
import { makeNonce } from '../proto/trust/nonces.ts';
import { assertionFor, claimSeat } from '../test/kit/bridge/bridge-client.ts';
import type { MemoryGateway } from '../test/kit/bridge/memory-repository.ts';
import { startTestBridge, type TestBridge } from '../test/kit/bridge/test-bridge.ts';

interface BadRow {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly ask: (bridge: TestBridge, gateway: MemoryGateway) => Promise<Response>;
}

const call = (
  bridge: TestBridge,
  gateway: MemoryGateway,
  ...rest: readonly [path: string, init?: RequestInit]
) => callBridge({ url: bridge.url, gateway }, ...rest);
const changes = '/bridge/v1/changes?environment=dev';
const withToken = (bridge: TestBridge, token: string, path = changes) =>
  fetch(`${bridge.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
const put = (
  bridge: TestBridge,
  gateway: MemoryGateway,
  ...[key, body = 'line\n']: readonly [key: string, body?: BodyInit]
) => call(bridge, gateway, `/bridge/v1/uploads/${key}`, { method: 'PUT', body });
const enrol = (bridge: TestBridge, body: object | string) =>
  fetch(`${bridge.url}/bridge/v1/enrol`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const key32 = Buffer.alloc(32, 1).toString('base64url');
const enrolment = { token: 'x', signingKey: key32, sealingKey: key32, hostname: 'h', version: '1' };

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
    name: 'an assertion over a nonce that no bridge made',
    status: 401,
    code: 'trust.bad_nonce',
    ask: async (b, g) => withToken(b, await assertionFor(g, b.url, { nonce: 'A'.repeat(62) })),
  },
  {
    name: 'an assertion over an old nonce',
    status: 401,
    code: 'trust.bad_nonce',
    ask: async (b, g) => {
      const { keys, nowMs } = await b.repository.nonceKeys();
      assert.ok(keys[0] !== undefined);
      return withToken(b, await assertionFor(g, b.url, { nonce: makeNonce(keys[0], nowMs - 61_000) }));
    },
  },
  {
    name: 'a door of the gateway for its shipper',
    status: 403,
    code: 'request.forbidden',
    ask: async (b, g) => {
      await claimSeat(g, b.url, { role: 'shipper' });
      return withToken(b, await assertionFor(g, b.url, { role: 'shipper' }));
    },
  },
  {
    name: 'a process that never claimed its seat',
    status: 403,
    code: 'bridge.seat_required',
    ask: async (b, g) => withToken(b, await assertionFor(g, b.url)),
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
  ...['heartbeat', 'enrol'].map((door): BadRow => ({
    name: `a body without length: ${door}`,
    status: 411,
    code: 'bridge.length_required',
    ask: (b, g) =>
      call(b, g, `/bridge/v1/${door}`, {
        method: 'POST',
        body: new Blob(['x']).stream(),
        duplex: 'half',
      } as RequestInit),
  })),
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
