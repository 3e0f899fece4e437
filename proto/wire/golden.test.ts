import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import { decodeCertificate, decodeHead, encodeCertificate, encodeHead } from './head.ts';
import {
  decodeApi,
  decodeApiKey,
  decodeEnvironmentKey,
  decodeGatewaySettings,
  decodeDictionary,
  decodeOrganizationFlows,
  decodeSharedPolicyGroup,
  decodeSubscription,
  encodeApi,
  encodeApiKey,
  encodeEnvironmentKey,
  encodeGatewaySettings,
  encodeDictionary,
  encodeOrganizationFlows,
  encodeSharedPolicyGroup,
  encodeSubscription,
} from './payloads.ts';
import { decodeRecord, encodeRecord, type PublishedRecord } from './record.ts';

/**
 * The bytes on the wire are a promise to gateways in the field: these files change only when a field is added, and
 * then an old file stays beside the new one. `ISTHMUS_WRITE_GOLDEN=1` writes files that do not exist yet, never others.
 */
const folder = join(import.meta.dirname, 'golden');
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const at = { organization: 'org-1', environment: 'env-1' };
const timeMs = Date.UTC(2026, 0, 1);

const record: PublishedRecord = {
  ...at,
  kind: 'api',
  id: 'api-1',
  seq: 4_294_967_297,
  revision: '7',
  tags: ['dmz', 'eu'],
  isDeleted: false,
  payload: bytes(4, 1),
};
const nack = { kind: 'api' as const, id: 'api-1', seq: 7, code: 'definition.invalid', reason: 'no plan' };
const header = {
  kind: 'api' as const,
  id: 'api-1',
  seq: 7,
  sha256: bytes(32, 2),
  tags: ['dmz'],
  isDeleted: false,
};
const frames: readonly Frame[] = [
  {
    kind: 'hello',
    protocol: 1,
    instance: 'i-1',
    version: '0.1.0',
    hostname: 'host',
    startedAtMs: timeMs,
    policies: ['mock', 'rate-limit'],
    environments: [{ environment: 'env-1', epoch: 1, seq: 7, digest: bytes(32, 3), refused: [nack] }],
    tags: ['dmz'],
  },
  {
    kind: 'welcome',
    protocol: 1,
    gateway: 'g-1',
    organization: 'org-1',
    fleet: 'f-1',
    environments: ['env-1'],
    tags: ['dmz'],
    tenant: 'acme',
    bridgeTimeMs: timeMs,
    frameBytesMax: 16_777_216,
    pingMs: 20_000,
  },
  { kind: 'certificates', environment: 'env-1', certificates: [bytes(8, 4)] },
  {
    kind: 'headers',
    environment: 'env-1',
    isFull: true,
    headers: [header, { ...header, id: 'api-2', tags: [], isDeleted: true }],
  },
  { kind: 'payloads', environment: 'env-1', records: [bytes(3, 5), bytes(1, 6)] },
  { kind: 'head', environment: 'env-1', head: bytes(5, 7) },
  { kind: 'applied', environment: 'env-1', epoch: 1, seq: 8, nacks: [nack] },
  {
    kind: 'heartbeat',
    report: {
      instance: 'i-1',
      version: '0.1.0',
      hostname: 'host',
      startedAtMs: timeMs,
      policies: ['mock'],
      environments: [{ environment: 'env-1', epoch: 1, seq: 8, nacks: [] }],
      counters: { requests: 12, lag_s: 0.5 },
    },
  },
  { kind: 'buckets', environment: 'env-1', hashes: bytes(8_192, 8) },
  { kind: 'bucketHeaders', environment: 'env-1', buckets: [0, 17, 255], headers: [header], isLast: true },
  { kind: 'close', code: 'bridge.busy', reason: 'later', retryAfterMs: 1_500, bridgeTimeMs: timeMs },
  { kind: 'ping', atMs: timeMs },
];

const golden: readonly (readonly [
  name: string,
  encoded: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  value: unknown,
])[] = [
  ['record', encodeRecord(record), decodeRecord, record],
  [
    'record-tombstone',
    encodeRecord({ ...record, tags: [], isDeleted: true, payload: bytes(0, 0) }),
    decodeRecord,
    { ...record, tags: [], isDeleted: true, payload: bytes(0, 0) },
  ],
  [
    'record-full',
    encodeRecord({
      ...record,
      wave: 2,
      notBeforeMs: timeMs,
      sealed: [{ path: 'a.b', keyId: 'k', sealed: bytes(2, 9) }],
    }),
    decodeRecord,
    { ...record, wave: 2, notBeforeMs: timeMs, sealed: [{ path: 'a.b', keyId: 'k', sealed: bytes(2, 9) }] },
  ],
  ...frames.map(
    (frame) =>
      [
        `frame-${frame.kind}`,
        encodeFrame(frame),
        (encoded: Uint8Array) => decodeFrame(encoded),
        frame,
      ] as const,
  ),
  ...[{ kind: 'head', environment: 'env-1', head: bytes(5, 7), isAnnounced: true } as const].map(
    (frame) =>
      [
        'frame-head-announced',
        encodeFrame(frame),
        (encoded: Uint8Array) => decodeFrame(encoded),
        frame,
      ] as const,
  ),
  ...[
    {
      ...at,
      epoch: 1,
      seq: 8,
      count: 3,
      digest: bytes(32, 1),
      issuedAtMs: timeMs,
      expiresAtMs: timeMs + 300_000,
      keyId: 'key-1',
      signature: bytes(64, 2),
    },
  ].map((head) => ['head', encodeHead(head), decodeHead, head] as const),
  ...[
    {
      ...at,
      keyId: 'key-1',
      publicKey: bytes(32, 3),
      epoch: 1,
      notBeforeMs: timeMs,
      notAfterMs: timeMs + 1,
      signature: bytes(64, 4),
    },
  ].map(
    (certificate) => ['certificate', encodeCertificate(certificate), decodeCertificate, certificate] as const,
  ),
  ...[{ id: 'a', name: 'Orders', revision: '3', definition: '{"id":"a"}' }].map(
    (api) => ['payload-api', encodeApi(api), decodeApi, api] as const,
  ),
  ...[
    {
      id: 's',
      api: 'a',
      plan: 'p',
      application: 'app',
      applicationName: 'Shop',
      clientId: 'c',
      status: 'ACCEPTED',
      startingAtMs: timeMs,
      endingAtMs: timeMs + 1,
    },
  ].map(
    (subscription) =>
      ['payload-subscription', encodeSubscription(subscription), decodeSubscription, subscription] as const,
  ),
  ...[
    {
      id: 's',
      api: 'a',
      plan: 'p',
      application: 'app',
      status: 'ACCEPTED',
      certificates: [
        { sha256: bytes(32, 6) },
        { sha256: bytes(32, 7), startingAtMs: timeMs, endingAtMs: timeMs + 1 },
      ],
    },
  ].map(
    (subscription) =>
      [
        'payload-subscription-certificates',
        encodeSubscription(subscription),
        decodeSubscription,
        subscription,
      ] as const,
  ),
  ...[
    {
      id: 's',
      api: 'a',
      plan: 'p',
      application: 'app',
      status: 'ACCEPTED',
      metadata: new Map([['tier', 'gold']]),
    },
  ].map(
    (subscription) =>
      [
        'payload-subscription-metadata',
        encodeSubscription(subscription),
        decodeSubscription,
        subscription,
      ] as const,
  ),
  ...[
    {
      id: 'd',
      name: 'countries',
      entries: [
        { key: 'fr', value: 'France' },
        { key: '', value: '' },
      ],
    },
  ].map(
    (dictionary) =>
      ['payload-dictionary', encodeDictionary(dictionary), decodeDictionary, dictionary] as const,
  ),
  ...[{ id: 'g', name: 'Limits', definition: '{"phase":"request"}' }].map(
    (group) =>
      [
        'payload-shared-policy-group',
        encodeSharedPolicyGroup(group),
        decodeSharedPolicyGroup,
        group,
      ] as const,
  ),
  ...[{ id: 'org-1', definition: '{"flows":[]}' }].map(
    (flows) =>
      ['payload-organization-flows', encodeOrganizationFlows(flows), decodeOrganizationFlows, flows] as const,
  ),
  ...[
    { id: 'k', hash: bytes(32, 5), api: 'a', subscriptions: ['s'], expireAtMs: timeMs, isRevoked: true },
  ].map((key) => ['payload-api-key', encodeApiKey(key), decodeApiKey, key] as const),
  ...[{ gateway: 'g', keys: [{ id: 'k', sealed: bytes(3, 9) }] }].map(
    (key) => ['payload-environment-key', encodeEnvironmentKey(key), decodeEnvironmentKey, key] as const,
  ),
  ...[{ fleet: 'f', tags: ['dmz', '!lan'], tenant: 'acme', isRevoked: false }].map(
    (settings) =>
      ['payload-gateway-settings', encodeGatewaySettings(settings), decodeGatewaySettings, settings] as const,
  ),
];

for (const [name, encoded, decode, value] of golden) {
  test(`golden bytes of ${name} are read and written unchanged`, () => {
    const file = join(folder, `${name}.hex`);
    if (!existsSync(file) && process.env['ISTHMUS_WRITE_GOLDEN'] === '1')
      writeFileSync(file, `${Buffer.from(encoded).toString('hex')}\n`);
    const stored = readFileSync(file, 'utf8').trim();
    assert.equal(Buffer.from(encoded).toString('hex'), stored);
    assert.deepEqual(plain(decode(Buffer.from(stored, 'hex'))), plain(value));
  });
}

test('every golden file is tested', () => {
  assert.deepEqual(
    readdirSync(folder).toSorted((a, b) => a.localeCompare(b)),
    golden.map(([name]) => `${name}.hex`).toSorted((a, b) => a.localeCompare(b)),
  );
});

/** Buffers and Uint8Arrays of equal bytes are equal values. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Map) return plain([...value]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}
