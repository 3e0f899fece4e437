import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import { bucketIdentityKey, encodeBucketIdentity } from '../../proto/wire/bucket-identity.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { startFaultyProxy, type FaultyProxy } from '../../test/kit/servers/faulty-proxy.ts';
import { startS3Server } from '../../test/kit/servers/s3-server.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { blobsSettings } from './blobs/settings.ts';
import { openBucket, placeBlobs, type BucketOptions } from './bucket.ts';
import { openStorage } from './storage.ts';

const silent = { info: () => undefined, warn: () => undefined };
const bytes = Buffer.from('x');

async function stage(t: TestContext) {
  const dir = tempDir(t);
  const storage = await openStorage({ dataDir: dir, log: silent });
  t.after(() => storage.close());
  const clock = createFakeClock(1_000_000);
  const open = (mayClaim: boolean, blobs: object, more: Partial<BucketOptions> = {}) => {
    const config = { blobs: blobsSettings.parse(blobs), dataDir: dir };
    return openBucket({ storage, config, mayClaim, clock, log: silent, ...more });
  };
  return { dir, clock, open };
}

/** Each way in which a bucket is not there for a process that runs, and how it comes back. */
const troubles: readonly {
  readonly says: RegExp;
  begin(stage: TroubleStage): unknown;
  end(stage: TroubleStage): unknown;
}[] = [
  {
    // A store that answers 503.
    says: /blobs\.unavailable/,
    begin: ({ proxy }) => proxy.setWeather('unavailable'),
    end: ({ proxy }) => proxy.setWeather('clear'),
  },
  {
    // A store that hangs.
    says: /no answer within 5000 ms/,
    begin: ({ proxy }) => proxy.setWeather('silent'),
    end: ({ proxy }) => proxy.setWeather('clear'),
  },
  {
    // A store without the bucket.
    says: /The bucket is not there.*NoSuchBucket/,
    begin: ({ bucketDir }) => renameSync(bucketDir, `${bucketDir}.away`),
    end: ({ bucketDir }) => renameSync(`${bucketDir}.away`, bucketDir),
  },
  {
    // A bucket without its identity.
    says: /blobs\.wrong_bucket.*no identity/,
    begin: ({ bare }) => bare.delete(bucketIdentityKey),
    end: ({ bare, identity }) => bare.put(bucketIdentityKey, identity),
  },
  {
    // A bucket of another identity.
    says: /blobs\.wrong_bucket.*bears the identity/,
    begin: ({ bare }) => bare.put(bucketIdentityKey, encodeBucketIdentity(crypto.randomUUID())),
    end: ({ bare, identity }) => bare.put(bucketIdentityKey, identity),
  },
];

interface TroubleStage {
  readonly proxy: FaultyProxy;
  readonly bucketDir: string;
  readonly bare: BlobStore;
  readonly identity: Uint8Array;
}

test('whatever is wrong with the bucket is known without a call, told once in the log, and gone when it is back', async (t) => {
  const { open, dir, clock } = await stage(t);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, join(dir, 's3'));
  const proxy = await startFaultyProxy(t, endpoint);
  const own = { bucket, accessKeyId, secretAccessKey, attemptsMax: 1, requestMsMax: 1_500 };
  const ends = new AbortController();
  t.after(() => ends.abort());
  const lines: string[] = [];
  const log = {
    info: (_: object, message: string) => void lines.push(message),
    warn: (_: object, message: string) => void lines.push(message),
  };
  const lifecycle = { signal: ends.signal, task: () => undefined };
  const used = await open(true, { s3: { ...own, endpoint: proxy.url } }, { log, lifecycle });
  const { blobs: bare } = await placeBlobs({
    blobs: blobsSettings.parse({ s3: { ...own, endpoint } }),
    dataDir: '',
  });
  const identity = await bare.get(bucketIdentityKey);
  assert.ok(identity);
  const parts = { proxy, bucketDir: join(dir, 's3', bucket), bare, identity };
  assert.equal(used.trouble(), undefined);
  for (const { says, begin, end } of troubles) {
    await begin(parts);
    await advanceUntil(clock, () => says.test(used.trouble() ?? ''));
    await end(parts);
    await advanceUntil(clock, () => used.trouble() === undefined);
  }
  const pair = ['the bucket cannot be used; it is asked again and again', 'the bucket is in use again'];
  assert.deepEqual(
    lines,
    troubles.flatMap(() => pair),
  );
});

/** In steps of the watch, as long as real sockets take. */
async function advanceUntil(clock: ReturnType<typeof createFakeClock>, isSo: () => boolean): Promise<void> {
  let steps = 0;
  await eventually(
    async () => {
      // Less than the minute after which the log tells it again.
      if (!isSo() && steps++ < 200) await clock.advance(250);
      return isSo();
    },
    { timeoutMs: 20_000 },
  );
}

test('a folder that is gone, and what a call met that no look meets, are known as well', async (t) => {
  const { open, dir: parent, clock } = await stage(t);
  const dir = join(parent, 'a');
  const used = await open(true, { dir });
  renameSync(dir, `${dir}.unmounted`);
  await assert.rejects(used.get('lake/x'), { code: 'blobs.wrong_bucket' });
  assert.match(used.trouble() ?? '', /folder of the bucket is not there/);
  renameSync(`${dir}.unmounted`, dir);
  await used.get('lake/x');
  assert.equal(used.trouble(), undefined);

  writeFileSync(join(dir, 'landing'), 'a file where a folder should be');
  await assert.rejects(used.put('landing/x', bytes), { code: 'blobs.unavailable' });
  await used.get('lake/x');
  assert.match(used.trouble() ?? '', /landing\/x/, 'reads that work say nothing of writes');
  rmSync(join(dir, 'landing'));
  await used.put('landing/x', bytes);
  assert.equal(used.trouble(), undefined);
  writeFileSync(join(dir, 'lake'), '');
  await assert.rejects(used.put('lake/x', bytes), { code: 'blobs.unavailable' });
  await clock.advance(61_000);
  assert.equal(used.trouble(), undefined, 'nobody asked for it again');
});

test('at the start a store that says there is no such bucket is refused; one that hangs is told within 5 s and not waited for', async (t) => {
  const { open, dir, clock } = await stage(t);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, join(dir, 's3'));
  const proxy = await startFaultyProxy(t, endpoint);
  const s3 = { endpoint: proxy.url, bucket, accessKeyId, secretAccessKey, attemptsMax: 1 };
  const nowhere = { s3: { ...s3, bucket: 'nowhere' } };
  await assert.rejects(open(true, nowhere), /The bucket is not there/, 'the very first start');
  await open(true, { s3 });
  for (const mayClaim of [true, false])
    await assert.rejects(open(mayClaim, nowhere), /The bucket is not there/);
  proxy.setWeather('silent');
  const lines: string[] = [];
  const log = { ...silent, warn: (_: object, message: string) => void lines.push(message) };
  for (const mayClaim of [true, false]) {
    const before = proxy.requests();
    const opening = open(mayClaim, { s3: { ...s3, requestMsMax: 2_000 } }, { log });
    await eventually(() => proxy.requests() > before);
    await clock.advance(5_000);
    assert.match((await opening).trouble() ?? '', /no answer within 5000 ms/);
  }
  assert.deepEqual(
    lines,
    Array.from({ length: 2 }, () => 'the bucket cannot be used; it is asked again and again'),
  );
});
