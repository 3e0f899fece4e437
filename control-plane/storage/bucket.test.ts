import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { bucketIdentityKey, encodeBucketIdentity } from '../../proto/wire/bucket-identity.ts';
import { formatLandingKey } from '../../proto/wire/landing.ts';
import { landingNameOf, sealParcel, sha256Of } from '../../proto/wire/parcel.ts';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { startFaultyProxy } from '../../test/kit/servers/faulty-proxy.ts';
import { startS3Server } from '../../test/kit/servers/s3-server.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { blobsSettings } from './blobs/settings.ts';
import { adoptBucket, type AdoptWish } from './bucket-adopt.ts';
import { readBucketRow } from './bucket-identity.ts';
import { openBucket, placeBlobs } from './bucket.ts';
import { openStorage } from './storage.ts';

const silent = { info: () => undefined, warn: () => undefined };
const bytes = Buffer.from('x');

async function stage(t: TestContext, database: TestDatabase) {
  const dir = tempDir(t);
  const storage = await openStorage({ url: await database.createWithSchema(dir), dataDir: dir, log: silent });
  t.after(() => storage.close());
  const clock = createFakeClock(1_000_000);
  const configOf = (blobs: object) => ({ blobs: blobsSettings.parse(blobs), dataDir: dir });
  const open = (mayClaim: boolean, blobs: object) =>
    openBucket({ storage, config: configOf(blobs), mayClaim, clock, log: silent });
  const adopt = async (blobs: object, wish: Partial<AdoptWish> = {}) =>
    adoptBucket(
      { ...(await placeBlobs(configOf(blobs))), storage, clock },
      { isDryRun: false, record: async () => undefined, ...wish },
    );
  return { dir, storage, clock, open, adopt, folder: (name: string) => ({ dir: join(dir, name) }) };
}

const identityIn = (dir: string): string =>
  (JSON.parse(readFileSync(join(dir, bucketIdentityKey), 'utf8')) as { id: string }).id;

for (const database of testDatabases) {
  describe(`the bucket of a database on ${database.name}`, { skip: database.skip }, () => {
    test('the first control plane gives it an identity; whoever opens another bucket is refused, with both names', async (t) => {
      const { open, folder, storage } = await stage(t, database);
      await assert.rejects(open(false, folder('a')), { code: 'blobs.unclaimed' });
      const blobs = await open(true, folder('a'));
      await blobs.put('landing/x', bytes);
      const id = identityIn(folder('a').dir);
      assert.equal((await readBucketRow(storage.db))?.identity, id);
      assert.deepEqual(await (await open(false, folder('a'))).get('landing/x'), bytes);
      for (const mayClaim of [true, false])
        await assert.rejects(open(mayClaim, folder('b')), (error: Error & { code: string }) => {
          assert.equal(error.code, 'blobs.wrong_bucket');
          assert.match(
            error.message,
            new RegExp(`is not there.*${id}.*${folder('b').dir}.*${folder('a').dir}`),
          );
          return true;
        });
      assert.throws(() => readdirSync(folder('b').dir), { code: 'ENOENT' }, 'a refusal makes nothing');
      mkdirSync(folder('c').dir);
      await assert.rejects(open(false, folder('c')), /no identity/, 'one that is there and empty');
    });

    test('a fresh database does not take a bucket that belongs to another one', async (t) => {
      const one = await stage(t, database);
      await one.open(true, one.folder('a'));
      const two = await stage(t, database);
      await assert.rejects(two.open(true, one.folder('a')), { code: 'blobs.wrong_bucket' });
      await assert.rejects(two.open(false, one.folder('a')), { code: 'blobs.unclaimed' });
      await two.open(true, two.folder('own'));
    });

    test('two control planes that start at once with different buckets: one of them is refused', async (t) => {
      const { open, folder } = await stage(t, database);
      const both = await Promise.allSettled([open(true, folder('a')), open(true, folder('b'))]);
      assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    });

    test('a crash between the row and the object is finished by the next start', async (t) => {
      const { open, folder, storage } = await stage(t, database);
      const row = { singleton: 1, next_identity: null, location: '', confirmed_at_ms: null } as const;
      await storage.db
        .insertInto('bucket')
        .values({ ...row, identity: crypto.randomUUID() })
        .execute();
      await open(true, folder('a'));
      assert.equal((await readBucketRow(storage.db))?.identity, identityIn(folder('a').dir));
    });

    test('a start or an adoption of whose identity object the store kept a half is finished by the next; beside other objects it is refused', async (t) => {
      const { open, adopt, folder } = await stage(t, database);
      const keepHalf = (name: string, bytesKept: number): void => {
        mkdirSync(folder(name).dir, { recursive: true });
        const whole = Buffer.from(encodeBucketIdentity(crypto.randomUUID()));
        writeFileSync(join(folder(name).dir, bucketIdentityKey), whole.subarray(0, bytesKept));
      };
      keepHalf('a', 60);
      writeFileSync(join(folder('a').dir, 'of-somebody'), bytes);
      await assert.rejects(open(true, folder('a')), { code: 'blobs.wrong_bucket' });
      rmSync(join(folder('a').dir, 'of-somebody'));
      await open(true, folder('a'));
      assert.match(identityIn(folder('a').dir), /^[0-9a-f-]{36}$/);

      keepHalf('b', 0);
      writeFileSync(join(folder('b').dir, 'of-somebody'), bytes);
      await assert.rejects(adopt(folder('b')), { code: 'blobs.not_adoptable' });
      rmSync(join(folder('b').dir, 'of-somebody'));
      await adopt(folder('b'));
      await open(true, folder('b'));
    });

    test('what an older version landed without a label gets one at the first start after the upgrade, and only then', async (t) => {
      const { open, folder, storage } = await stage(t, database);
      const { blobs } = await placeBlobs({ blobs: blobsSettings.parse(folder('a')), dataDir: '' });
      const data = zstdCompressSync(Buffer.from('{}\n{}\n'));
      const place = (first: number) => ({
        stream: 'records' as const,
        organization: 'o',
        environment: 'e',
        fleet: 'f',
        gateway: 'g',
        spool: '0'.repeat(32),
        first,
        last: first + 1,
      });
      const old = (first: number) => formatLandingKey({ ...place(first), hash8: sha256Of(data).slice(0, 8) });
      for (const first of [0, 2]) await blobs.put(old(first), data);
      await blobs.put(formatLandingKey({ ...place(4), hash8: '00000000' }), data);
      const done = { object_key: old(2), outcome: 'ingested', delete_after_ms: 1 } as const;
      await storage.db.insertInto('landing_object').values(done).execute();
      const own = await open(true, folder('a'));
      const sealed = sealParcel(place(0), data);
      const left = (await Array.fromAsync(own.list('landing/'))).map(({ key }) => key);
      const half = formatLandingKey({ ...place(4), hash8: '00000000' });
      assert.deepEqual(new Set(left), new Set([landingNameOf(sealed), old(2), half]));
      assert.deepEqual(await own.get(landingNameOf(sealed) ?? ''), sealed);

      await own.put(old(6), data);
      await open(true, folder('a'));
      assert.deepEqual(await own.get(old(6)), data, 'a copy that comes later is not labelled');
    });

    test('an identity object that cannot be read is not taken for none', async (t) => {
      const { open, folder } = await stage(t, database);
      const { blobs } = await placeBlobs({ blobs: blobsSettings.parse(folder('a')), dataDir: '' });
      await blobs.put(bucketIdentityKey, Buffer.from('{}'));
      await assert.rejects(open(true, folder('a')), { code: 'blobs.wrong_bucket' });
    });

    test('adopting moves to an empty bucket; a process that still has the old one is refused within 10 s', async (t) => {
      const { open, adopt, folder, clock, storage } = await stage(t, database);
      const old = await open(true, folder('a'));
      await old.put('landing/x', bytes);
      const before = identityIn(folder('a').dir);
      const dry = await adopt(folder('b'), { isDryRun: true });
      assert.equal(dry.to.identity, undefined);
      assert.throws(() => readdirSync(folder('b').dir), { code: 'ENOENT' });
      const changes: object[] = [];
      const { from, to } = await adopt(folder('b'), {
        record: async (_, change) => void changes.push(change),
      });
      assert.deepEqual([from?.identity, to.identity], [before, identityIn(folder('b').dir)]);
      assert.deepEqual(changes, [{ from: before, to: to.identity }]);
      assert.equal((await readBucketRow(storage.db))?.next_identity, null);
      await (await open(false, folder('b'))).put('landing/y', bytes);
      await assert.rejects(open(true, folder('a')), { code: 'blobs.wrong_bucket' });
      await clock.advance(10_000);
      await assert.rejects(old.put('landing/z', bytes), { code: 'blobs.wrong_bucket' });
      await assert.rejects(old.get('landing/x'), { code: 'blobs.wrong_bucket' });
      await assert.rejects(Array.fromAsync(old.list('')), { code: 'blobs.wrong_bucket' });
    });

    test('a folder whose disk is gone is refused at the very next call, and made anew by nobody; it works when it is back', async (t) => {
      const { open, folder } = await stage(t, database);
      const { dir } = folder('a');
      const blobs = await open(true, folder('a'));
      await blobs.put('lake/x', bytes);
      renameSync(dir, `${dir}.unmounted`);
      for (const call of [() => blobs.put('landing/x', bytes), () => Array.fromAsync(blobs.list(''))])
        await assert.rejects(call(), { code: 'blobs.wrong_bucket' });
      assert.throws(() => readdirSync(dir), { code: 'ENOENT' });
      renameSync(`${dir}.unmounted`, dir);
      assert.deepEqual(await blobs.get('lake/x'), bytes);
    });

    test('a bucket with something in it is adopted only when it bears the identity, or the one that is named', async (t) => {
      const { open, adopt, folder } = await stage(t, database);
      await open(true, folder('a'));
      const own = identityIn(folder('a').dir);
      const into = async (name: string) =>
        (await placeBlobs({ blobs: blobsSettings.parse(folder(name)), dataDir: '' })).blobs;
      await (await into('full')).put('lake/x', bytes);
      await assert.rejects(adopt(folder('full')), { code: 'blobs.not_adoptable' });
      const foreign = crypto.randomUUID();
      await (await into('foreign')).put(bucketIdentityKey, encodeBucketIdentity(foreign));
      await assert.rejects(adopt(folder('foreign')), { code: 'blobs.not_adoptable' });
      await assert.rejects(adopt(folder('foreign'), { bearing: own }), { code: 'blobs.not_adoptable' });
      await (await into('copy')).put('lake/x', bytes);
      await (await into('copy')).put(bucketIdentityKey, encodeBucketIdentity(own));
      const copied = await adopt(folder('copy'));
      assert.notEqual(copied.to.identity, own, 'the copy is told from what it was copied from');
      await adopt(folder('foreign'), { bearing: foreign });
      await open(false, folder('foreign'));
    });

    test('an adoption that was cut off between bucket and database is finished by the next', async (t) => {
      const { open, adopt, folder } = await stage(t, database);
      await open(true, folder('a'));
      const record = async (): Promise<void> => Promise.reject(new Error('killed'));
      await assert.rejects(adopt(folder('b'), { record }), /killed/);
      await open(true, folder('a'));
      await adopt(folder('b'));
      await open(true, folder('b'));
    });
  });
}

test('the opened bucket is the bucket: every argument of every call arrives', async (t) => {
  const [sqlite] = testDatabases;
  assert.ok(sqlite);
  const { open, folder } = await stage(t, sqlite);
  const blobs = await open(true, folder('a'));
  const { blobs: bare } = await placeBlobs({ blobs: blobsSettings.parse(folder('a')), dataDir: '' });
  for (const key of ['l/o=1/e=1/x', 'l/o=1/e=2/x', 'l/o=2/e=1/x'])
    await blobs.put(key, bytes, { ifAbsent: true });
  assert.equal(await blobs.put('l/o=1/e=1/x', bytes, { ifAbsent: true }), 'existed');
  await assert.rejects(blobs.get('l/o=1/e=1/x', { bytesMax: 0 }), { code: 'blobs.too_large' });
  for (const depth of [1, 2])
    assert.deepEqual(
      await Array.fromAsync(blobs.folders('l/', depth)),
      await Array.fromAsync(bare.folders('l/', depth)),
    );
  const after = await Array.fromAsync(blobs.list('l/', { after: 'l/o=1/e=2/x' }));
  assert.deepEqual(
    after.map(({ key }) => key),
    ['l/o=2/e=1/x'],
  );
  assert.equal(await blobs.copy('l/o=2/e=1/x', 'copy'), true);
});

test('one S3 bucket by two names of its host is one bucket; another prefix in it is another', async (t) => {
  const [sqlite] = testDatabases;
  assert.ok(sqlite);
  const { open, dir } = await stage(t, sqlite);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, join(dir, 's3'));
  const s3 = { endpoint, bucket, accessKeyId, secretAccessKey };
  await open(true, { s3 });
  await open(false, { s3: { ...s3, endpoint: endpoint.replace('127.0.0.1', 'localhost') } });
  await assert.rejects(open(false, { s3: { ...s3, prefix: 'other/' } }), { code: 'blobs.wrong_bucket' });
});

test('a bucket made anew under the same name is another one: refused within 10 s, instead of an empty lake', async (t) => {
  const [sqlite] = testDatabases;
  assert.ok(sqlite);
  const { open, dir, clock } = await stage(t, sqlite);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, join(dir, 's3'));
  const s3 = { endpoint, bucket, accessKeyId, secretAccessKey };
  const own = await open(true, { s3 });
  const { blobs: bare } = await placeBlobs({ blobs: blobsSettings.parse({ s3 }), dataDir: '' });
  await bare.delete(bucketIdentityKey);
  await clock.advance(10_000);
  await assert.rejects(Array.fromAsync(own.list('lake/')), { code: 'blobs.wrong_bucket' });
  await assert.rejects(own.put('landing/x', bytes), { code: 'blobs.wrong_bucket' });
});

test('a bucket that is away at the start is checked when it answers, before anything is read or written', async (t) => {
  const [sqlite] = testDatabases;
  assert.ok(sqlite);
  const { open, dir } = await stage(t, sqlite);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await startS3Server(t, join(dir, 's3'));
  const proxy = await startFaultyProxy(t, endpoint);
  const s3 = { endpoint: proxy.url, bucket, accessKeyId, secretAccessKey, attemptsMax: 1 };
  await open(true, { s3 });
  proxy.setWeather('unavailable');
  const own = await open(false, { s3 });
  const other = await open(false, { s3: { ...s3, prefix: 'other/' } });
  for (const blobs of [own, other])
    await assert.rejects(blobs.put('landing/x', bytes), { code: 'blobs.unavailable' });
  proxy.setWeather('clear');
  assert.equal(await own.put('landing/x', bytes), 'stored');
  await assert.rejects(other.put('landing/x', bytes), { code: 'blobs.wrong_bucket' });
  const keys = (await Array.fromAsync(own.list(''))).map(({ key }) => key);
  assert.deepEqual(keys, [bucketIdentityKey, 'landing/x']);
});
