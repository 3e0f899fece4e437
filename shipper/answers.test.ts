import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { startS3Server } from '../test/kit/servers/s3-server.ts';
import {
  arrived,
  bridgeTenant,
  createSpool,
  enrolled,
  folderObjects,
  ship,
} from '../test/kit/shipper/shipper.ts';
import { startStranger, type StrangersAnswer as Answer } from '../test/kit/bridge/stranger.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { sealParcel, sha256Of } from '../proto/wire/parcel.ts';
import { createS3Output } from './outputs/s3.ts';
import { createFolderOutput } from './outputs/folder.ts';
import { shipperConfigSchema } from './config.ts';
import { parcelOf } from './parcels.ts';

const page = '<html><body>Please log in</body></html>';
const say =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_incoming, outgoing) =>
    void outgoing
      .writeHead(status, { 'content-type': 'text/html', server: 'captive/1.0', ...headers })
      .end(body);
const json = { 'content-type': 'application/json' };
const receiptFor = (key: string, sha256: string): string =>
  JSON.stringify({ receipt: 'isthmus-upload', key, sha256, outcome: 'stored', bridgeTimeMs: 1 });
const keyOf = (incoming: IncomingMessage): string =>
  decodeURIComponent((incoming.url ?? '').replace('/bridge/v1/uploads/', ''));

/** What strangers say, and what health says of it. */
const strangers: readonly (readonly [name: string, answer: Answer, reason: RegExp])[] = [
  ['a log-in page with 200', say(200, page), /200 text\/html by captive\/1\.0: no receipt/],
  ['a log-in page of many bytes', say(200, page.repeat(10_000)), /200 text\/html by captive/],
  ['an HTML page with 201', say(201, page), /201 text\/html/],
  ['an empty 204', say(204, ''), /204 .*not the bridge's answer/],
  [
    'a redirect',
    say(302, '', { location: 'https://login.example/?secret=1' }),
    /302 .*to https:\/\/login\.example\/:/,
  ],
  ['JSON of somebody else', say(200, '{"outcome":"stored","ok":true}', json), /200 application\/json/],
  [
    'a receipt for another key',
    (incoming, outgoing) =>
      say(200, receiptFor(`${keyOf(incoming)}x`, '0'.repeat(64)), json)(incoming, outgoing),
    /the receipt of another parcel/,
  ],
  [
    'a receipt for other bytes',
    (incoming, outgoing) => say(200, receiptFor(keyOf(incoming), '0'.repeat(64)), json)(incoming, outgoing),
    /the receipt of another parcel/,
  ],
  [
    'an answer that breaks off',
    (_incoming, outgoing) => {
      outgoing.writeHead(201, { ...json, 'content-length': '500' });
      outgoing.write('{"receipt":"isthmus-upload",', () => outgoing.destroy());
    },
    /201 application\/json|outbound/,
  ],
  ['a conflict of somebody else', say(409, page), /409 text\/html.*not the bridge's answer/],
  [
    "a conflict of the bridge's that is about something else",
    say(409, JSON.stringify({ code: 'bridge.identity_in_use', reason: 'no', bridgeTimeMs: 1 }), {
      ...json,
      'x-isthmus-code': 'bridge.identity_in_use',
    }),
    /409 bridge\.identity_in_use/,
  ],
  ['a wait of a year', say(503, page, { 'retry-after': '31536000' }), /503 text\/html/],
];

test("only the bridge's receipt for this key and hash is a delivery, whoever answers what", async (t) => {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  bridge.alsoAt(stranger.url);
  const dataDir = tempDir(t);
  enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
  const spool = createSpool(dataDir, bridgeTenant);
  spool.write('{"n":0}', '{"n":1}');
  stranger.answers(say(200, page));
  const shipper = await ship(t, { dataDir, stuckMsMax: 50 });
  for (const [name, answer, reason] of strangers) {
    stranger.answers(answer);
    const before = stranger.count();
    await eventually(() => stranger.count() >= before + 3, { timeoutMs: 10_000 });
    await eventually(async () => reason.test((await shipper.health()).stuck[0]?.reason ?? ''));
    assert.equal(spool.shipped(), 0, name);
  }
  const health = await shipper.health();
  assert.ok(health.degraded.includes('deliveries'));
  assert.deepEqual(
    health.stuck.map((each) => [each.spool, each.range]),
    [[spool.spool, { first: 0, last: 1 }]],
  );
  assert.ok(!JSON.stringify(health).includes('secret'));
  const metrics = await shipper.metrics();
  assert.match(metrics, /isthmus_shipper_failing 1/);
  assert.match(metrics, /isthmus_shipper_stuck_spools 1/);
  assert.match(metrics, /failures_total\{kind="foreign"\} [0-9]{2}/);
  assert.deepEqual(readdirSync(join(dataDir, 'shipper/quarantine')), []);

  stranger.answers(undefined);
  await eventually(() => spool.shipped() === 2);
  assert.deepEqual([...arrived(bridge.blobs.objects).values()], ['{"n":0}', '{"n":1}']);
  assert.deepEqual((await shipper.health()).degraded, []);
  assert.match(await shipper.metrics(), /isthmus_shipper_stuck_since_timestamp_seconds 0/);
});

test('a batch is given up only when the bridge refuses this very key, and it is kept', async (t) => {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  bridge.alsoAt(stranger.url);
  const dataDir = tempDir(t);
  enrolled(dataDir, bridge.repository.addGateway(), stranger.url);
  const spool = createSpool(dataDir, bridgeTenant);
  spool.write('{"n":0}');
  const refusal = (path: string): Answer =>
    say(
      409,
      JSON.stringify({
        code: 'blobs.conflict',
        reason: 'no',
        details: [{ path, message: 'm' }],
        bridgeTimeMs: 1,
      }),
      { ...json, 'x-isthmus-code': 'blobs.conflict' },
    );
  stranger.answers(refusal('landing/another'));
  const shipper = await ship(t, { dataDir });
  await eventually(() => stranger.count() >= 3);
  assert.equal(spool.shipped(), 0);
  stranger.answers((incoming, outgoing) => refusal(keyOf(incoming))(incoming, outgoing));
  await eventually(() => spool.shipped() === 1);
  const { setAside, quarantine } = await shipper.health();
  assert.match(setAside[0]?.file ?? '', /0-0\.ndjson\.zst$/);
  assert.equal(quarantine?.files, 1);
});

const place = {
  stream: 'records' as const,
  organization: 'o',
  environment: 'e',
  fleet: 'f',
  gateway: 'g',
  spool: 'ab'.repeat(16),
  first: 0,
  last: 1,
};

test('a log-in page is not a bucket, and what a store kept of half a write is replaced', async (t) => {
  const s3 = await startS3Server(t, tempDir(t));
  const stranger = await startStranger(t, s3.endpoint);
  const { accessKeyId, secretAccessKey, bucket } = s3;
  const settings = { endpoint: stranger.url, accessKeyId, secretAccessKey, bucket };
  const output = createS3Output(shipperConfigSchema.parse({ s3: settings }).s3, 2_000);
  t.after(() => output.close());
  const parcel = parcelOf(sealParcel(place, Buffer.from('lines')));
  assert.ok(parcel);
  const { signal } = new AbortController();
  const kinds: string[] = [];
  for (const answer of [
    say(200, page),
    say(204, ''),
    say(200, page, { etag: '"abc"' }),
    say(302, '', { location: 'https://login.example/' }),
  ]) {
    stranger.answers(answer);
    kinds.push((await output.deliver(parcel, signal)).kind);
  }
  assert.deepEqual(kinds, ['foreign', 'foreign', 'foreign', 'unavailable']);
  stranger.answers(say(413, page));
  assert.equal((await output.deliver(parcel, signal)).kind, 'tooLarge');
  stranger.answers(undefined);
  const { S3Client, PutObjectCommand, GetObjectCommand } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  t.after(() => client.destroy());
  const at = { Bucket: bucket, Key: parcel.key };
  await client.send(new PutObjectCommand({ ...at, Body: parcel.bytes.subarray(0, 7) }));
  for (let times = 0; times < 2; times++)
    assert.equal((await output.deliver(parcel, signal)).kind, 'delivered');
  const stored = await (await client.send(new GetObjectCommand(at))).Body?.transformToByteArray();
  assert.equal(sha256Of(stored ?? new Uint8Array()), sha256Of(parcel.bytes));
});

test('a folder keeps one object under a key, and replaces half of one', async (t) => {
  const dir = tempDir(t);
  const output = createFolderOutput(dir);
  const { signal } = new AbortController();
  const parcel = parcelOf(sealParcel(place, Buffer.from('lines')));
  assert.ok(parcel);
  assert.equal((await output.deliver(parcel, signal)).kind, 'delivered');
  const half = { ...parcel, bytes: parcel.bytes.subarray(0, 7) };
  assert.equal((await output.deliver(half, signal)).kind, 'refused');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(dir, parcel.key), half.bytes);
  assert.equal((await output.deliver(parcel, signal)).kind, 'delivered');
  assert.deepEqual(folderObjects(dir).get(parcel.key), Buffer.from(parcel.bytes));
});
