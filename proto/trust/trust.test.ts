import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCertificate, encodeHead, type SignedHead } from '../wire/head.ts';
import type { RecordHeader } from '../wire/published.ts';
import { audienceOf, peekAssertion, signAssertion, verifyAssertion } from './assertions.ts';
import { bucketHash, bucketHashesOf, bucketOf, differingBuckets, digestOf } from './digest.ts';
import { contradictoryTags, isEntitled, isRecordEntitled } from './entitlement.ts';
import { signCertificate, signHead, verifyHead, type HeadTrust } from './heads.ts';
import { apiKeyHash, createSealingKeyPair, createSigningKeyPair, keyIdOf, type KeyPair } from './keys.ts';
import { makeNonce, readNonce } from './nonces.ts';
import { openSealed, sealTo } from './sealing.ts';
import { createEnrolmentToken, readEnrolmentToken } from './tokens.ts';

const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
process.stderr.write(`seed ${seed} (ISTHMUS_TEST_SEED)\n`);
const nowMs = Date.UTC(2026, 0, 1);
const environment = { organization: 'o', environment: 'e' };

function world() {
  const root = createSigningKeyPair();
  const key = createSigningKeyPair();
  const certify = (of: KeyPair, epoch: number, by = root) =>
    encodeCertificate(
      signCertificate(
        {
          ...environment,
          keyId: keyIdOf(of.publicKey),
          publicKey: of.publicKey,
          epoch,
          notBeforeMs: nowMs - 1_000,
          notAfterMs: nowMs + 1_000_000,
        },
        by.privateKey,
      ),
    );
  const headOf = (change: Partial<SignedHead> = {}, by = key): Uint8Array =>
    encodeHead(
      signHead(
        {
          ...environment,
          epoch: 1,
          seq: 5,
          count: 2,
          digest: new Uint8Array(32),
          issuedAtMs: nowMs,
          expiresAtMs: nowMs + 300_000,
          keyId: keyIdOf(key.publicKey),
          ...change,
        },
        by.privateKey,
      ),
    );
  const trust: HeadTrust = { rootKey: root.publicKey, certificates: [certify(key, 1)], environment, nowMs };
  const reasonOf = (head: Uint8Array, change: Partial<HeadTrust> = {}): string => {
    const verdict = verifyHead(head, { ...trust, ...change });
    return verdict.kind === 'ok' ? `ok${verdict.isExpired ? ' expired' : ''}` : verdict.reason;
  };
  return { root, key, certify, headOf, reasonOf };
}

test('a head is taken when the root vouches for its key, and every forgery has its reason', () => {
  const { root, key, certify, headOf, reasonOf } = world();
  const stranger = createSigningKeyPair();
  const seen = { epoch: 1, seq: 5 };
  assert.equal(reasonOf(headOf()), 'ok');
  assert.equal(reasonOf(headOf(), { lastSeen: seen }), 'ok');
  assert.equal(reasonOf(headOf(), { nowMs: nowMs + 300_001 }), 'ok expired');
  assert.equal(reasonOf(headOf(), { nowMs: 0 }), 'ok');
  assert.equal(reasonOf(headOf({}, stranger)), 'bad_signature');
  assert.equal(reasonOf(headOf({ keyId: keyIdOf(stranger.publicKey) }, stranger)), 'unknown_key');
  assert.equal(reasonOf(headOf(), { rootKey: stranger.publicKey }), 'unknown_key');
  assert.equal(reasonOf(headOf(), { certificates: [certify(key, 1, stranger)] }), 'unknown_key');
  assert.equal(reasonOf(headOf(), { certificates: [new Uint8Array(9)] }), 'unknown_key');
  assert.equal(reasonOf(headOf({ issuedAtMs: nowMs + 2_000_000 })), 'unknown_key');
  assert.equal(reasonOf(headOf({ environment: 'other' })), 'wrong_environment');
  assert.equal(reasonOf(headOf({ organization: 'other' })), 'wrong_environment');
  assert.equal(reasonOf(headOf(), { lastSeen: { epoch: 1, seq: 6 } }), 'rollback');
  assert.equal(reasonOf(headOf(), { lastSeen: { ...seen, digest: new Uint8Array(32).fill(1) } }), 'rollback');
  assert.equal(reasonOf(new Uint8Array(3)), 'malformed');
  assert.equal(reasonOf(Buffer.concat([headOf(), headOf()])), 'malformed');
  assert.ok(root);
});

test('a higher epoch counts only when the root signed it, and then a lower seq is no rollback', () => {
  const { key, certify, headOf, reasonOf } = world();
  const lastSeen = { epoch: 1, seq: 500 };
  const restored = headOf({ epoch: 2, seq: 3 });
  assert.equal(reasonOf(restored, { lastSeen }), 'epoch_not_signed');
  const certificates = [certify(key, 1), certify(key, 2)];
  assert.equal(reasonOf(restored, { lastSeen, certificates }), 'ok');
  assert.equal(reasonOf(headOf({ seq: 900 }), { lastSeen: { epoch: 2, seq: 3 }, certificates }), 'rollback');
});

test('a certificate is no head and a head is no certificate: signatures keep to their domain', () => {
  const { key, certify, headOf, reasonOf } = world();
  assert.equal(reasonOf(certify(key, 1)), 'malformed');
  assert.equal(reasonOf(headOf(), { certificates: [headOf()] }), 'unknown_key');
});

const header = fc.record({
  kind: fc.constantFrom('api' as const, 'api-key' as const),
  id: fc.stringMatching(/^[a-z0-9-]{1,12}$/),
  seq: fc.integer({ min: 1, max: 1_000 }),
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  tags: fc.array(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 3 }),
  isDeleted: fc.boolean(),
});
const headers = fc.uniqueArray(header, { selector: ({ kind, id }) => `${kind} ${id}`, maxLength: 40 });

test('the digest is of the set, not of its order, and any change of any field changes it in one bucket', () => {
  fc.assert(
    fc.property(headers, fc.nat(), (set, pick) => {
      const hashes = bucketHashesOf(set);
      assert.deepEqual(bucketHashesOf(set.toReversed()), hashes);
      const chosen = set[pick % Math.max(1, set.length)];
      if (chosen === undefined) return;
      const changes: readonly Partial<RecordHeader>[] = [
        { seq: chosen.seq + 1 },
        { tags: [...chosen.tags, 'more'] },
        { isDeleted: !chosen.isDeleted },
        { sha256: chosen.sha256.map((byte) => byte ^ 1) },
      ];
      for (const change of changes) {
        const changed = bucketHashesOf(set.map((one) => (one === chosen ? { ...one, ...change } : one)));
        assert.deepEqual(differingBuckets(hashes, changed), [bucketOf(chosen.kind, chosen.id)]);
        assert.notDeepEqual(digestOf(changed), digestOf(hashes));
      }
    }),
    { seed, numRuns: 200 },
  );
});

test('digest, bucket and key hash are what gateways in the field compute', () => {
  const line: RecordHeader = {
    kind: 'api',
    id: 'a',
    seq: 1,
    sha256: new Uint8Array(32),
    tags: ['x', 'y'],
    isDeleted: false,
  };
  const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  assert.equal(hex(bucketHash([])), '00'.repeat(32));
  assert.deepEqual(
    [
      bucketOf('api', 'a'),
      hex(bucketHash([line])),
      hex(digestOf(bucketHashesOf([line]))),
      hex(apiKeyHash('env-1', 'key')),
    ],
    // Computed by another implementation of the same definition.
    [
      30,
      '9e65189e5272e81aaa923c35706b6feba811ed6dd04115b14cb47b1e824a8cf2',
      'e60663db326f4dd05dc2f5e81620caf122f4cb02c1c9fe0f36d0d45afa7d4f09',
      '35203d8b4621044b36a79ca5217e246cd24112052913f2f3318a122e93cc5c33',
    ],
  );
  assert.throws(() => bucketHash([{ ...line, id: 'a\0b' }]), /control character/);
  assert.throws(() => bucketHash([{ ...line, tags: ['a\u0001b'] }]), /control character/);
});

test('the table of sharding tags', () => {
  const table: readonly (readonly [
    gateway: readonly string[],
    record: readonly string[],
    isTaken: boolean,
  ])[] = [
    [[], [], true],
    [[], ['a'], true],
    [['a'], [], false],
    [['a'], ['a', 'c'], true],
    [['a', 'b'], ['b'], true],
    [['a'], ['c'], false],
    [['!b'], ['a'], true],
    [['!b'], ['b'], false],
    [['!b'], ['a', 'b'], false],
    [['!b'], [], true],
    [['a', '!b'], ['a', 'b'], false],
    [['a', '!b'], ['a'], true],
    [['a', '!b'], [], false],
  ];
  for (const [gateway, record, isTaken] of table)
    assert.equal(isEntitled(gateway, record), isTaken, JSON.stringify([gateway, record]));
  assert.deepEqual(contradictoryTags(['a', 'b', '!a']), ['a']);
});

test('settings reach their own fleet whatever its tags; a dictionary without tags reaches all', () => {
  const gateway = { fleet: 'f', tags: ['dmz'] };
  const record = { id: 'x', tags: [] };
  assert.equal(isRecordEntitled(gateway, { ...record, kind: 'gateway-settings', id: 'f' }), true);
  assert.equal(
    isRecordEntitled(gateway, { ...record, kind: 'gateway-settings', id: 'g', tags: ['dmz'] }),
    false,
  );
  assert.equal(isRecordEntitled(gateway, { ...record, kind: 'dictionary' }), true);
  assert.equal(isRecordEntitled(gateway, { ...record, kind: 'dictionary', tags: ['lan'] }), false);
  assert.equal(isRecordEntitled(gateway, { ...record, kind: 'api' }), false);
});

test('an assertion is a signed nonce, for its bridge, from its key', async () => {
  const { publicKey, privateKey } = createSigningKeyPair();
  const audience = audienceOf('wss://bridge.example:18092/bridge/v1/stream');
  assert.equal(audience, 'https://bridge.example:18092');
  const subject = { gateway: 'g', instance: 'i', role: 'shipper', nonce: 'n' } as const;
  const sign = () => signAssertion({ ...subject, audience, key: privateKey });
  const verify = (token: string, change: object = {}) =>
    verifyAssertion(token, { key: publicKey, audiences: [audience], ...change });
  const token = await sign();
  assert.deepEqual(await verify(token), subject);
  assert.deepEqual(peekAssertion(token), subject);
  await assert.rejects(verify(token, { audiences: ['https://other'] }), { code: 'trust.wrong_audience' });
  await assert.rejects(verify(token, { key: createSigningKeyPair().publicKey }), {
    code: 'trust.bad_signature',
  });
  const [head, body, signature] = token.split('.');
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'isthmus-assertion+jwt' })).toString(
    'base64url',
  );
  for (const bad of ['', 'a.b', `${unsigned}.${body}.`, `${head}.e30.${signature}`, 'x'.repeat(5_000)])
    await assert.rejects(verify(bad), { code: 'trust.malformed' }, bad.slice(0, 40));
});

test('only a nonce of ours is read, in one spelling, with the time at which it was made', () => {
  const key = { id: 'ff112233445566ff', key: randomBytes(32) };
  const nonce = makeNonce(key, nowMs);
  assert.deepEqual(readNonce(nonce, [key]), { text: nonce, issuedAtMs: nowMs });
  assert.notEqual(makeNonce(key, nowMs), nonce);
  assert.equal(readNonce(nonce, [{ ...key, key: randomBytes(32) }]), undefined);
  assert.equal(readNonce(nonce, [{ ...key, id: '0000000000000000' }]), undefined);
  const last = nonce.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // 62 characters hold 46 bytes and four bits over, which must be zero.
  const spelled = `${nonce.slice(0, -1)}${alphabet[alphabet.indexOf(last) + 1]}`;
  for (const bad of [spelled, '', 'x', `${nonce}A`, nonce.replace(/.$/, '='), `A${nonce.slice(1)}`])
    assert.equal(readNonce(bad, [key]), undefined, bad);
});

test('an enrolment token says what the fleet grants and cannot be altered', () => {
  const root = createSigningKeyPair();
  const payload = {
    id: 't-1',
    bridge: 'https://bridge.example:18092',
    organization: 'o',
    rootKey: root.publicKey,
    grant: { organization: 'o', fleet: 'f', environments: ['e'], tags: ['dmz'], tenant: undefined },
    expiresAtMs: nowMs,
    secret: 's'.repeat(32),
  };
  const token = createEnrolmentToken(payload, root.privateKey);
  assert.match(token, /^ist1\.[\w-]+\.[\w-]+$/);
  assert.deepEqual(readEnrolmentToken(` ${token}\n`), payload);
  assert.deepEqual(readEnrolmentToken(token, { rootKey: root.publicKey, nowMs }), payload);
  assert.throws(() => readEnrolmentToken(token, { nowMs: nowMs + 1 }), { code: 'trust.expired' });
  const { publicKey: rootKey } = createSigningKeyPair();
  assert.throws(() => readEnrolmentToken(token, { rootKey }), {
    code: 'trust.bad_signature',
    hint: /roll-root/,
  });
  const [version, body = '', signature] = token.split('.');
  const greedy = Buffer.from(Buffer.from(body, 'base64url').toString().replace('dmz', 'lan')).toString(
    'base64url',
  );
  assert.throws(() => readEnrolmentToken([version, greedy, signature].join('.')), {
    code: 'trust.bad_signature',
  });
  for (const bad of [
    '',
    'ist1',
    `ist2.${body}.${signature}`,
    `ist1.e30.${signature}`,
    `ist1.!.${signature}`,
    `${token}.x`,
  ])
    assert.throws(() => readEnrolmentToken(bad), { code: 'trust.malformed' }, bad);
});

test('what is sealed opens with the right key and context only', () => {
  const pair = createSealingKeyPair();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (plain) => {
      const sealed = sealTo(pair.publicKey, plain, 'api a, field password');
      assert.ok(Buffer.from(plain).equals(openSealed(pair, sealed, 'api a, field password')));
    }),
    { seed, numRuns: 50 },
  );
  const sealed = sealTo(pair.publicKey, Buffer.from('secret'), 'context');
  assert.throws(() => openSealed(pair, sealed, 'other'), { code: 'trust.bad_signature' });
  assert.throws(() => openSealed(createSealingKeyPair(), sealed, 'context'), { code: 'trust.bad_signature' });
  for (let index = 1; index < sealed.length; index += 7) {
    const broken = Uint8Array.from(sealed);
    broken[index] = (broken[index] ?? 0) ^ 4;
    assert.throws(() => openSealed(pair, broken, 'context'), { code: 'trust.bad_signature' });
  }
  assert.throws(() => openSealed(pair, sealed.subarray(0, 20), 'context'), { code: 'trust.malformed' });
});
