import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStorage } from '../../control-plane/storage/storage.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { bucketIdentityKey, encodeBucketIdentity } from '../../proto/wire/bucket-identity.ts';
import { shipperConfigSchema } from '../../shipper/config.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { startS3Server } from '../../test/kit/servers/s3-server.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { customerChecks } from './customer.ts';
import { examine } from './doctor.ts';
import { platformChecks } from './platform.ts';

const any = { port: 0 };
const sources = new Map<string, string>();
type Findings = Awaited<ReturnType<typeof examine>>;

function bucketOf(findings: Findings): string {
  const { status, found, remedy } = findings.find(({ check }) => check === 'bucket') ?? assert.fail();
  return `${status} ${found} ${remedy ?? ''}`;
}

async function ofControlPlane(settings: object): Promise<string> {
  const load = () => ({
    config: controlPlaneProcessSchema.parse({ listen: any, admin: any, ...settings }),
    sources,
  });
  return bucketOf(await examine({ process: 'control-plane', load }, platformChecks));
}

async function ofShipper(settings: object): Promise<string> {
  const load = () => ({
    config: shipperConfigSchema.parse({ admin: any, output: 's3', ...settings }),
    sources,
  });
  return bucketOf(await examine({ process: 'shipper', clock: systemClock, load }, customerChecks));
}

test('a bucket is asked before the first start of a control plane, and of a shipper with output s3: one that is not there fails, and a dead endpoint', async (t) => {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, tempDir(t));
  const s3 = { endpoint, bucket, accessKeyId, secretAccessKey };
  const dataDir = tempDir(t);
  const other = { ...s3, bucket: 'nonesuch' };
  const dead = { ...s3, endpoint: `http://127.0.0.1:${await freePort()}` };
  const rows = [
    { s3, first: /^ok s3:.* answers and is free: the first start makes it/, shipping: /^ok s3:.* answers / },
    {
      s3: other,
      first: /^failed The bucket is not there.*aws s3 mb/,
      shipping: /^failed .*NoSuchBucket.*s3\.bucket/,
    },
    { s3: dead, first: /^failed .*ECONNREFUSED/, shipping: /^failed .*ECONNREFUSED.*s3\.endpoint/ },
  ];
  for (const row of rows) {
    assert.match(await ofControlPlane({ dataDir, blobs: { s3: row.s3 } }), row.first);
    assert.match(await ofShipper({ dataDir, s3: row.s3 }), row.shipping);
  }
  const bucketIdentity = randomUUID();
  assert.match(
    await ofShipper({ dataDir, s3, bucketIdentity }),
    /^failed .*bears no identity, bucketIdentity is/,
  );
});

test('what a first start would do with a bucket is said, also of a database that was migrated before it, and nothing is made', async (t) => {
  const dataDir = tempDir(t);
  const dir = join(dataDir, 'bucket');
  const settings = { dataDir, blobs: { dir } };
  const free = /^ok .*bucket is free: the first start makes it the bucket of this database/;
  assert.match(await ofControlPlane(settings), free);
  await (await openStorage({ dataDir, log: { info: () => undefined, warn: () => undefined } })).close();
  assert.match(await ofControlPlane(settings), free);
  assert.ok(!existsSync(dir));
  mkdirSync(dir);
  const identity = randomUUID();
  writeFileSync(join(dir, bucketIdentityKey), encodeBucketIdentity(identity));
  assert.match(
    await ofControlPlane(settings),
    new RegExp(`^failed The bucket bears the identity ${identity} of another database.*adopt --bearing`),
  );
});
