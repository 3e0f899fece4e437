import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bucketIdentityKey, encodeBucketIdentity } from '../proto/wire/bucket-identity.ts';
import { eventually } from '../test/kit/eventually.ts';
import { startS3Server } from '../test/kit/servers/s3-server.ts';
import { createSpool, folderObjects, ship } from '../test/kit/shipper/shipper.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

test('a shipper that names its bucket delivers nothing into another, and goes on when it is the right one', async (t) => {
  const dataDir = tempDir(t);
  const dir = join(tempDir(t), 'bucket');
  const identity = randomUUID();
  const spool = createSpool(dataDir);
  spool.write('{"a":1}');
  const settings = { dataDir, output: 'folder', folder: { dir }, bucketIdentity: identity };
  const shipper = await ship(t, settings);
  const waitsBecause = (why: RegExp) =>
    eventually(async () => why.test(JSON.stringify(await shipper.health())), { timeoutMs: 10_000 });
  await waitsBecause(/bears no identity/);
  mkdirSync(dir);
  writeFileSync(join(dir, bucketIdentityKey), encodeBucketIdentity(randomUUID()));
  await waitsBecause(/bears [0-9a-f]{8}-/);
  assert.equal(folderObjects(dir).size, 0);
  assert.equal(spool.shipped(), 0);
  writeFileSync(join(dir, bucketIdentityKey), encodeBucketIdentity(identity));
  await eventually(() => spool.shipped() === 1, { timeoutMs: 10_000 });
  assert.equal(folderObjects(dir).size, 1);
});

test('the same into S3', async (t) => {
  const dataDir = tempDir(t);
  const dir = tempDir(t);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, dir);
  const s3 = { endpoint, bucket, accessKeyId, secretAccessKey };
  const identity = randomUUID();
  const spool = createSpool(dataDir);
  spool.write('{"a":1}');
  const shipper = await ship(t, { dataDir, output: 's3', s3, bucketIdentity: identity });
  await eventually(async () => /bears no identity/.test(JSON.stringify(await shipper.health())), {
    timeoutMs: 10_000,
  });
  const store = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  t.after(() => store.destroy());
  const Body = encodeBucketIdentity(identity);
  await store.send(new PutObjectCommand({ Bucket: bucket, Key: bucketIdentityKey, Body }));
  await eventually(() => spool.shipped() === 1, { timeoutMs: 10_000 });
});

test('a bucket that does not let the shipper in is named at once, with what to do', async (t) => {
  const dataDir = tempDir(t);
  const { endpoint, accessKeyId, secretAccessKey } = await startS3Server(t, tempDir(t));
  const spool = createSpool(dataDir);
  spool.write('{"a":1}');
  const s3 = { endpoint, bucket: 'another', accessKeyId, secretAccessKey };
  const shipper = await ship(t, { dataDir, output: 's3', s3 });
  await eventually(async () => (await shipper.health()).trouble?.code === 'blobs.refused', {
    timeoutMs: 10_000,
  });
  assert.deepEqual((await shipper.health()).degraded, ['bucket']);
  assert.equal(spool.shipped(), 0);
});

test('a bucket that is not there is told at the start, before there is anything to send, and that it is there as soon as it is', async (t) => {
  const { endpoint, accessKeyId, secretAccessKey } = await startS3Server(t, tempDir(t));
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = { endpoint, bucket: 'another', ...credentials };
  const shipper = await ship(t, { dataDir: tempDir(t), output: 's3', s3 });
  await eventually(async () => (await shipper.health()).trouble?.code === 'blobs.refused', {
    timeoutMs: 10_000,
  });
  const { degraded, connected } = await shipper.health();
  assert.deepEqual({ degraded, connected }, { degraded: ['bucket'], connected: false });
  const store = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  t.after(() => store.destroy());
  await store.send(new CreateBucketCommand({ Bucket: 'another' }));
  await eventually(async () => (await shipper.health()).degraded.length === 0, { timeoutMs: 10_000 });
  assert.equal((await shipper.health()).connected, true);
});
