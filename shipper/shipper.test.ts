import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { startFaultyProxy } from '../test/kit/servers/faulty-proxy.ts';
import { startNode } from '../test/kit/processes/processes.ts';
import { startS3Server, type S3Server } from '../test/kit/servers/s3-server.ts';
import { arrived, createSpool, folderObjects, quick, ship } from '../test/kit/shipper/shipper.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { openKeyring } from '../proto/process/secrets.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import { readCheckpoint, segmentFile } from '../proto/spool/folder.ts';
import { saveIdentity } from '../proto/trust/identity.ts';
import { verifyAssertion } from '../proto/trust/assertions.ts';
import { createSealingKeyPair, createSigningKeyPair } from '../proto/trust/keys.ts';
import { sha256Of } from '../proto/wire/parcel.ts';
import type { UploadReceipt } from '../proto/wire/receipt.ts';

async function bucketObjects(t: TestContext, s3: S3Server): Promise<ReadonlyMap<string, Uint8Array>> {
  const { S3Client, ListObjectsV2Command, GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { endpoint, bucket: Bucket, accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  t.after(() => client.destroy());
  const list = await client.send(new ListObjectsV2Command({ Bucket }));
  const objects = new Map<string, Uint8Array>();
  for (const { Key = '' } of list.Contents ?? []) {
    const object = await client.send(new GetObjectCommand({ Bucket, Key }));
    objects.set(Key, (await object.Body?.transformToByteArray()) ?? new Uint8Array());
  }
  return objects;
}

test('what is spooled arrives in order under a landing key, is acknowledged, and the shipper says that it lives', async (t) => {
  const dataDir = tempDir(t);
  const bucket = tempDir(t);
  const spool = createSpool(dataDir);
  spool.write('{"n":0}', '{"n":1}');
  const shipper = await ship(t, {
    dataDir,
    output: 'folder',
    folder: { dir: bucket },
    tenant: { fleet: 'f' },
  });
  const { checkpoints } = foldersOf(dataDir);
  await eventually(() => readCheckpoint(checkpoints, spool.spool) === 2);
  spool.write('{"n":2}');
  await eventually(() => readCheckpoint(checkpoints, spool.spool) === 3);
  const objects = folderObjects(bucket);
  assert.match(
    [...objects.keys()][0] ?? '',
    new RegExp(`^landing/v1/org=o/env=e/fleet=f/gateway=g/${spool.spool}/0-1-`),
  );
  assert.deepEqual([...arrived(objects).values()], ['{"n":0}', '{"n":1}', '{"n":2}']);
  const { status, stuck, setAside, quarantine } = await shipper.health();
  assert.deepEqual([status, stuck, setAside, quarantine?.files], ['UP', [], [], 0]);
  assert.match(await shipper.metrics(), /isthmus_shipper_records_total 3/);
  rmSync(spool.dir, { recursive: true });
  await eventually(() => !existsSync(join(checkpoints, `${spool.spool}.json`)));
});

test('a bad record stays behind alone and its offset is kept', async (t) => {
  const dataDir = tempDir(t);
  const bucket = tempDir(t);
  const spool = createSpool(dataDir);
  spool.write('{"n":0}', 'nonsense', `{"n":"${'x'.repeat(1024 * 1024)}"}`, '{"n":3}');
  await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === 4);
  assert.deepEqual([...arrived(folderObjects(bucket)).values()], ['{"n":0}', '{}', '{}', '{"n":3}']);
  assert.deepEqual(readdirSync(join(dataDir, 'shipper/quarantine')).toSorted(), [
    `${spool.spool}-1.line`,
    `${spool.spool}-2.line`,
  ]);
});

test('a lost segment makes a hole in the ranges and stops nothing', async (t) => {
  const dataDir = tempDir(t);
  const bucket = tempDir(t);
  const spool = createSpool(dataDir, { segmentBytes: 100 });
  for (let n = 0; n < 6; n++) spool.write(`{"n":${n},"text":"${'x'.repeat(60)}"}`);
  rmSync(join(spool.dir, segmentFile(2)));
  await ship(t, { dataDir, output: 'folder', folder: { dir: bucket } });
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === 6);
  assert.deepEqual(
    [...arrived(folderObjects(bucket)).keys()].toSorted((a, b) => a - b),
    [0, 1, 3, 4, 5],
  );
});

test('a bucket that is away, silent or loses its answers costs nothing and doubles nothing', async (t) => {
  const dataDir = tempDir(t);
  const bucketDir = tempDir(t);
  const s3 = await startS3Server(t, bucketDir);
  const proxy = await startFaultyProxy(t, s3.endpoint);
  const spool = createSpool(dataDir);
  const settings = { bucket: s3.bucket, accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
  proxy.setWeather('unavailable');
  await ship(t, { dataDir, output: 's3', s3: { ...settings, endpoint: proxy.url }, deliveryMsMax: 500 });
  const { checkpoints } = foldersOf(dataDir);
  let written = 0;
  for (const weather of ['unavailable', 'answerLost', 'silent', 'clear'] as const) {
    proxy.setWeather(weather);
    const before = proxy.requests();
    for (let n = 0; n < 50; n++) spool.write(`{"n":${written++}}`);
    await eventually(() => proxy.requests() >= before + 2, { timeoutMs: 10_000 });
    if (weather !== 'clear') assert.equal(readCheckpoint(checkpoints, spool.spool), 0);
  }
  await eventually(() => readCheckpoint(checkpoints, spool.spool) === written, { timeoutMs: 10_000 });
  assert.equal(arrived(await bucketObjects(t, s3)).size, written);
});

for (const weather of ['clear', 'brokenReads'] as const)
  test(`half of a batch that a store kept is replaced by the whole one (reads: ${weather})`, async (t) => {
    const dataDir = tempDir(t);
    const bucketDir = tempDir(t);
    const s3 = await startS3Server(t, bucketDir);
    const proxy = await startFaultyProxy(t, s3.endpoint);
    const spool = createSpool(dataDir);
    for (let n = 0; n < 50; n++) spool.write(`{"n":${n}}`);
    const settings = { bucket: s3.bucket, accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
    proxy.setWeather('halfKept');
    await ship(t, { dataDir, output: 's3', s3: { ...settings, endpoint: proxy.url } });
    await eventually(() => proxy.requests() >= 2, { timeoutMs: 10_000 });
    // It is written again and again: what is read in that moment breaks off.
    await eventually(async () => (await bucketObjects(t, s3)).size > 0);
    proxy.setWeather(weather);
    const { checkpoints } = foldersOf(dataDir);
    await eventually(() => readCheckpoint(checkpoints, spool.spool) === 50, { timeoutMs: 10_000 });
    assert.equal(arrived(await bucketObjects(t, s3)).size, 50);
  });

test('wrong credentials are an outage, not a reason to lose anything', async (t) => {
  const dataDir = tempDir(t);
  const s3 = await startS3Server(t, tempDir(t));
  const spool = createSpool(dataDir);
  spool.write('{"n":0}');
  const wrong = { endpoint: s3.endpoint, accessKeyId: 'nobody', secretAccessKey: s3.secretAccessKey };
  const first = await ship(t, { dataDir, output: 's3', s3: wrong });
  await eventually(async () => {
    return /failures_total\{kind="unavailable"\} ([2-9]|[0-9]{2,})/.test(await first.metrics());
  });
  await first.lifecycle.close();
  assert.equal(readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool), 0);
  await ship(t, { dataDir, output: 's3', s3: { ...wrong, accessKeyId: s3.accessKeyId } });
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === 1);
});

test('the bridge gets a proof of the enrolled gateway with each upload, over a nonce of its own, and exactly the bytes', async (t) => {
  const dataDir = tempDir(t);
  const objects = new Map<string, Uint8Array>();
  const signing = createSigningKeyPair();
  const nonces = new Set<string>();
  const nonce = (): string => {
    const made = randomBytes(32).toString('base64url');
    nonces.add(made);
    return made;
  };
  const receive = async (request: IncomingMessage): Promise<{ status: number; body: object }> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (request.url === '/bridge/v1/nonce') return { status: 200, body: {} };
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const subject = await verifyAssertion(token, {
      key: signing.publicKey,
      audiences: [`http://${request.headers.host}`],
    });
    assert.deepEqual([subject.gateway, subject.role], ['g-1', 'shipper']);
    if (!nonces.delete(subject.nonce)) return { status: 401, body: {} };
    if (request.url === '/bridge/v1/seat') return { status: 200, body: { ticket: 'A'.repeat(43) } };
    assert.equal(Number(request.headers['content-length']), body.length);
    const key = decodeURIComponent(request.url ?? '').replace('/bridge/v1/uploads/', '');
    objects.set(key, body);
    const receipt: UploadReceipt = {
      receipt: 'isthmus-upload',
      key,
      sha256: sha256Of(body),
      outcome: 'stored',
      bridgeTimeMs: 1,
    };
    return { status: 201, body: receipt };
  };
  const server = createServer((request, response) => {
    void receive(request).then(({ status, body }) => {
      response.writeHead(status, { 'x-isthmus-nonce': nonce() }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const spool = createSpool(dataDir);
  spool.write('{"n":0}');
  await ship(t, { dataDir });
  const bridge = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const identity = {
    gateway: 'g-1',
    organization: 'o',
    fleet: 'f-1',
    bridge,
    rootKey: new Uint8Array(32),
    enrolledAtMs: 1,
  };
  saveIdentity(
    dataDir,
    { ...identity, signing, sealing: createSealingKeyPair() },
    openKeyring({ dir: join(dataDir, 'secrets') }),
  );
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === 1);
  assert.match([...objects.keys()][0] ?? '', /fleet=f-1\/gateway=g-1\//);
  spool.write('{"n":1}');
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === 2);
  assert.equal(arrived(objects).size, 2);
});

test('killed at any moment, the shipper repeats what it began and every offset arrives once', async (t) => {
  const dataDir = tempDir(t);
  const bucket = tempDir(t);
  const spool = createSpool(dataDir);
  const settings = JSON.stringify({
    ...quick,
    dataDir,
    output: 'folder',
    folder: { dir: bucket },
    batch: { bytesMax: 1_024, msMax: 5 },
  });
  const seed = Date.now() & 0xffff;
  let state = seed;
  let written = 0;
  for (let round = 0; round < 6; round++) {
    const child = startNode(t, [join(import.meta.dirname, '../test/kit/shipper/shipper-main.ts'), settings]);
    await eventually(() => child.output().includes('ready'), { timeoutMs: 20_000 });
    state = (state * 75 + 74) % 65_537;
    const until = written + 100 + (state % 300);
    while (written < until) {
      spool.write(`{"n":${written++}}`);
      if (written % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => folderObjects(bucket).size > round);
    child.kill('SIGKILL');
    await child.ended;
  }
  await ship(t, { ...(JSON.parse(settings) as Record<string, unknown>) });
  await eventually(() => readCheckpoint(foldersOf(dataDir).checkpoints, spool.spool) === written, {
    timeoutMs: 15_000,
  });
  const lines = arrived(folderObjects(bucket));
  assert.equal(lines.size, written, `seed ${seed}`);
  for (const [offset, line] of lines) assert.equal(line, `{"n":${offset}}`);
});
