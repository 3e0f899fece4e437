import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { isWithin } from '../../test/kit/pace.ts';
import { encodeDelimited, readDelimited } from './delimited.ts';
import { Fault } from '../faults/fault.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import { decodeHead, encodeHead } from './head.ts';
import { formatLandingKey, parseLandingKey } from './landing.ts';
import { landingNameOf, sealParcel, sha256Of } from './parcel.ts';
import { wireLimits } from './limits.ts';
import { decodeRecord, encodeRecord } from './record.ts';

const seed = Number(process.env['ISTHMUS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runs = { seed, numRuns: 300 };
process.stderr.write(`seed ${seed} (ISTHMUS_TEST_SEED)\n`);

const name = fc.stringMatching(/^[A-Za-z0-9._ é-]{1,40}$/);
const uint = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 200 });
const recordArbitrary = fc.record(
  {
    organization: name,
    environment: name,
    kind: fc.constantFrom('api' as const, 'subscription' as const, 'api-key' as const),
    id: name,
    seq: uint,
    revision: name,
    tags: fc.array(name, { maxLength: 5 }),
    isDeleted: fc.boolean(),
    payload: bytes,
    wave: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    notBeforeMs: uint,
  },
  {
    requiredKeys: [
      'organization',
      'environment',
      'kind',
      'id',
      'seq',
      'revision',
      'tags',
      'isDeleted',
      'payload',
    ],
  },
);
const headerArbitrary = fc.record({
  kind: fc.constantFrom('api' as const, 'dictionary' as const),
  id: name,
  seq: uint,
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  tags: fc.array(name, { maxLength: 3 }),
  isDeleted: fc.boolean(),
});
const framesArbitrary: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant('headers' as const),
    environment: name,
    isFull: fc.boolean(),
    headers: fc.array(headerArbitrary, { maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant('payloads' as const),
    environment: name,
    records: fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('ping' as const), atMs: uint }),
);

test('every record that is written is read back the same', () => {
  fc.assert(
    fc.property(recordArbitrary, (record) => {
      const encoded = encodeRecord(record);
      const decoded = decodeRecord(encoded);
      assert.deepEqual(
        { ...decoded, payload: [...decoded.payload] },
        { ...record, payload: [...record.payload] },
      );
      assert.ok(Buffer.from(encodeRecord(decoded)).equals(encoded));
    }),
    runs,
  );
});

test('fields of a later version survive decoding and encoding byte for byte', () => {
  fc.assert(
    fc.property(recordArbitrary, fc.integer({ min: 100, max: 15_000 }), bytes, (record, field, value) => {
      const encoded = Buffer.concat([encodeRecord(record), unknownField(field, value)]);
      assert.ok(Buffer.from(encodeRecord(decodeRecord(encoded))).equals(encoded));
    }),
    runs,
  );
});

test('bytes that are no message are refused with a fault and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      for (const decode of [decodeRecord, decodeHead, (input: Uint8Array) => decodeFrame(input)]) {
        try {
          decode(noise);
        } catch (error) {
          assert.ok(error instanceof Fault && error.code.startsWith('wire.'), String(error));
        }
      }
    }),
    { ...runs, numRuns: 2_000 },
  );
});

test('a flipped bit in a head never reads as the same head', () => {
  const head = encodeHead({
    organization: 'o',
    environment: 'e',
    epoch: 1,
    seq: 2,
    count: 3,
    digest: new Uint8Array(32),
    issuedAtMs: 4,
    expiresAtMs: 5,
    keyId: 'k',
    signature: new Uint8Array(64),
  });
  for (let bit = 0; bit < head.length * 8; bit += 1) {
    const flipped = Uint8Array.from(head);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      const decoded = decodeHead(flipped);
      assert.ok(!Buffer.from(encodeHead(decoded)).equals(head));
    } catch (error) {
      assert.ok(error instanceof Fault, String(error));
    }
  }
  for (const extra of [unknownField(99, new Uint8Array(3)), head]) {
    assert.throws(() => decodeHead(Buffer.concat([head, extra])), { code: 'wire.malformed' });
  }
});

test('frames come out of a body however its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(framesArbitrary, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
      async (frames, cuts) => {
        const body = Buffer.concat(frames.map(encodeDelimited));
        const pieces: Uint8Array[] = [];
        for (let start = 0, index = 0; start < body.length; index += 1) {
          const length = cuts[index % cuts.length] ?? 1;
          pieces.push(body.subarray(start, start + length));
          start += length;
        }
        const read: Frame[] = [];
        for await (const frame of readDelimited(pieces)) read.push(frame);
        assert.deepEqual(
          read.map((frame) => Buffer.from(encodeFrame(frame)).toString('hex')),
          frames.map((frame) => Buffer.from(encodeFrame(frame)).toString('hex')),
        );
      },
    ),
    { ...runs, numRuns: 100 },
  );
});

test('a frame kind of a later version is skipped, and a header with an unknown field is refused', () => {
  assert.equal(decodeFrame(unknownField(77, new Uint8Array(2))), undefined);
  assert.throws(() => decodeFrame(new Uint8Array(0)), { code: 'wire.malformed' });
  const header = Buffer.from([
    0x0a,
    3,
    ...Buffer.from('api'),
    0x12,
    1,
    0x61,
    0x22,
    32,
    ...new Uint8Array(32),
  ]);
  const frameOf = (line: Uint8Array): Uint8Array => {
    const body = Buffer.concat([Buffer.from([0x0a, 1, 0x65, 0x1a, line.length]), line]);
    return Buffer.concat([Buffer.from([0x22, body.length]), body]);
  };
  assert.equal(decodeFrame(frameOf(header))?.kind, 'headers');
  assert.throws(() => decodeFrame(frameOf(Buffer.concat([header, unknownField(90, new Uint8Array(1))]))), {
    code: 'wire.malformed',
  });
});

test('both sides of each bound', () => {
  const record = {
    organization: 'o',
    environment: 'e',
    kind: 'api' as const,
    id: 'i'.repeat(wireLimits.idCharsMax),
    seq: 1,
    revision: '',
    tags: Array.from({ length: wireLimits.tagsMax }, (_, index) => `t${index}`),
    isDeleted: false,
    payload: new Uint8Array(0),
  };
  assert.equal(decodeRecord(encodeRecord(record)).id.length, wireLimits.idCharsMax);
  for (const bad of [
    { ...record, id: `${record.id}i` },
    { ...record, id: '' },
    { ...record, id: 'a\nb' },
    { ...record, tags: [...record.tags, 'more'] },
    { ...record, tags: ['t'.repeat(wireLimits.tagCharsMax + 1)] },
    { ...record, seq: 2 ** 53 },
  ]) {
    assert.throws(() => decodeRecord(encodeRecord(bad)), { code: 'wire.malformed' });
  }
  assert.throws(() => decodeRecord(new Uint8Array(wireLimits.recordBytesMax + 1)), {
    code: 'wire.too_large',
  });
  assert.throws(() => decodeFrame(new Uint8Array(wireLimits.frameBytesMax + 1)), { code: 'wire.too_large' });
});

const landing = {
  stream: 'records' as const,
  organization: 'org-1',
  environment: 'env-1',
  fleet: 'f',
  gateway: 'g',
  spool: 'ab'.repeat(16),
  first: 0,
  last: 41,
  hash8: '1a2b3c4d',
};

test('an object names its own key from inside its hash, and every decoder passes over the label', () => {
  const lines = '{"n":0}\n{"n":1}\n';
  const bytes = sealParcel(landing, zstdCompressSync(lines));
  const named = landingNameOf(bytes);
  assert.equal(named, formatLandingKey({ ...landing, hash8: sha256Of(bytes).slice(0, 8) }));
  assert.equal(zstdDecompressSync(bytes).toString(), lines);
  assert.equal(landingNameOf(zstdCompressSync(lines)), undefined);
  for (let cut = 1; cut < bytes.length; cut++)
    assert.equal(landingNameOf(bytes.subarray(0, -cut)), undefined);
  const foreign = sealParcel({ ...landing, gateway: 'a/../b' }, zstdCompressSync(lines));
  assert.equal(landingNameOf(foreign), undefined);
});

test('a landing key is written and read one way only', () => {
  const key = `landing/v1/org=org-1/env=env-1/fleet=f/gateway=g/${'ab'.repeat(16)}/0-41-1a2b3c4d.ndjson.zst`;
  assert.equal(formatLandingKey(landing), key);
  assert.deepEqual(parseLandingKey(key), landing);
  const logs = { ...landing, stream: 'logs' as const };
  assert.deepEqual(parseLandingKey(formatLandingKey(logs)), logs);
  for (const bad of [
    '',
    `/${key}`,
    `${key} `,
    `${key}\n`,
    key.replace('v1', 'v2'),
    key.replace('org-1', '..'),
    key.replace('org-1', 'a/b'),
    key.replace('org-1', ''),
    key.replace('0-41', '41-0'),
    key.replace('0-41', '00-41'),
    key.replace('0-41', `0-${'9'.repeat(17)}`),
    key.replace('abab', 'ABAB'),
    key.replace('1a2b3c4d', '1a2b3c4'),
    `${key}${'x'.repeat(2_000)}`,
  ]) {
    assert.equal(parseLandingKey(bad), undefined, bad);
  }
});

/** A length-delimited field with that number. */
function unknownField(field: number, value: Uint8Array): Buffer {
  const varint = (number: number): number[] =>
    number < 128 ? [number] : [(number & 127) | 128, ...varint(number >>> 7)];
  return Buffer.from([...varint((field << 3) | 2), ...varint(value.length), ...value]);
}

test('a frame of more fields than any frame has is refused before anything is made of them', () => {
  // Field 3 of a headers frame (4), each an empty header line of two bytes.
  const lines = Buffer.alloc(2 * 2_000_000, Buffer.from([0x1a, 0x00]));
  const length = Buffer.from([0x22, 0x80, 0x92, 0xf4, 0x01]);
  const startedAtMs = performance.now();
  assert.throws(() => decodeFrame(Buffer.concat([length, lines])), { code: 'wire.too_large' });
  isWithin(performance.now() - startedAtMs, { msMax: 1_000 });
});
