import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../../proto/faults/fault.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import { startFaultyProxy } from '../../../test/kit/servers/faulty-proxy.ts';
import { startS3Server } from '../../../test/kit/servers/s3-server.ts';
import { startStranger } from '../../../test/kit/bridge/stranger.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { blobsSettings, openBlobs } from './settings.ts';

const stores: readonly { readonly name: string; readonly open: (t: TestContext) => Promise<BlobStore> }[] = [
  { name: 'folder', open: async (t) => openBlobs(blobsSettings.parse({}), tempDir(t)) },
  { name: 's3', open: async (t) => (await openS3(t)).blobs },
];

async function openS3(t: TestContext) {
  const server = await startS3Server(t, tempDir(t));
  const proxy = await startFaultyProxy(t, server.endpoint);
  const { bucket, accessKeyId, secretAccessKey } = server;
  const s3 = {
    endpoint: proxy.url,
    bucket,
    accessKeyId,
    secretAccessKey,
    prefix: 'tenant/',
    attemptsMax: 1,
    requestMsMax: 500,
  };
  return { proxy, blobs: await openBlobs(blobsSettings.parse({ s3 }), '') };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const isFault = (code: string) => (error: Fault) => error.code === code;

for (const { name, open } of stores) {
  test(`${name}: what was put is read back whole, replaced whole, and gone when deleted`, async (t) => {
    const blobs = await open(t);
    assert.equal(await blobs.put('a/b=c/one', bytes('first')), 'stored');
    assert.equal(await blobs.put('a/b=c/one', bytes('second')), 'stored');
    assert.deepEqual(Buffer.from((await blobs.get('a/b=c/one')) ?? []), Buffer.from('second'));
    await blobs.delete('a/b=c/one');
    await blobs.delete('a/b=c/one');
    assert.equal(await blobs.get('a/b=c/one'), undefined);
  });

  test(`${name}: a repeated put of the same bytes is no second object, other bytes are a conflict`, async (t) => {
    const blobs = await open(t);
    assert.equal(await blobs.put('k', bytes('x'), { ifAbsent: true }), 'stored');
    assert.equal(await blobs.put('k', bytes('x'), { ifAbsent: true }), 'existed');
    await assert.rejects(blobs.put('k', bytes('y'), { ifAbsent: true }), isFault('blobs.conflict'));
    assert.deepEqual(Buffer.from((await blobs.get('k')) ?? []), Buffer.from('x'));
  });

  test(`${name}: what is there and proves itself wrong is replaced, what proves itself right stays`, async (t) => {
    const blobs = await open(t);
    const isSound = (present: Uint8Array): boolean => Buffer.from(present).toString() === 'whole';
    await blobs.put('k', bytes('who'));
    assert.equal(await blobs.put('k', bytes('whole'), { ifAbsent: true, isSound }), 'replaced');
    assert.equal(await blobs.put('k', bytes('whole'), { ifAbsent: true, isSound }), 'existed');
    await assert.rejects(
      blobs.put('k', bytes('other'), { ifAbsent: true, isSound }),
      isFault('blobs.conflict'),
    );
    assert.deepEqual(Buffer.from((await blobs.get('k')) ?? []), Buffer.from('whole'));
  });

  test(`${name}: an object is read up to a bound, and copied without being read`, async (t) => {
    const blobs = await open(t);
    await blobs.put('a=b/k', bytes('12345'));
    assert.equal((await blobs.get('a=b/k', { bytesMax: 5 }))?.length, 5);
    await assert.rejects(blobs.get('a=b/k', { bytesMax: 4 }), isFault('blobs.too_large'));
    assert.equal(await blobs.copy('a=b/k', 'aside/a=b/k'), true);
    assert.deepEqual(Buffer.from((await blobs.get('aside/a=b/k')) ?? []), Buffer.from('12345'));
    assert.equal(await blobs.copy('none', 'aside/none'), false);
    assert.equal(await blobs.get('aside/none'), undefined);
  });

  test(`${name}: a listing goes on behind a key, and folders are listed without what is in them`, async (t) => {
    const blobs = await open(t);
    for (const key of ['l/o=a/e=1/x', 'l/o=a/e=1/y', 'l/o=a/e=2/x', 'l/o=b/e=1/x', 'l/stray'])
      await blobs.put(key, bytes('x'));
    const behind = async (after: string) =>
      (await Array.fromAsync(blobs.list('l/', { after }))).map(({ key }) => key);
    assert.deepEqual(await behind('l/o=a/e=1/x'), ['l/o=a/e=1/y', 'l/o=a/e=2/x', 'l/o=b/e=1/x', 'l/stray']);
    assert.deepEqual(await behind('l/o=b/e=1/'), ['l/o=b/e=1/x', 'l/stray']);
    assert.deepEqual(await behind('l/stray'), []);
    assert.deepEqual(await Array.fromAsync(blobs.folders('l/')), ['o=a', 'o=b']);
    assert.deepEqual(await Array.fromAsync(blobs.folders('l/o=a/')), ['e=1', 'e=2']);
    assert.deepEqual(await Array.fromAsync(blobs.folders('l/', 2)), ['o=a/e=1', 'o=a/e=2', 'o=b/e=1']);
    assert.deepEqual(await Array.fromAsync(blobs.folders('none/')), []);
  });

  test(`${name}: a listing has the keys below its prefix in order, with their sizes`, async (t) => {
    const blobs = await open(t);
    for (const key of ['l/b/2', 'l/a', 'l/b/1', 'l/c-d', 'm/x', 'lx']) await blobs.put(key, bytes(key));
    const below = async (prefix: string) =>
      (await Array.fromAsync(blobs.list(prefix))).map(({ key, bytes: size }) => `${key}:${size}`);
    assert.deepEqual(await below('l/'), ['l/a:3', 'l/b/1:5', 'l/b/2:5', 'l/c-d:5']);
    assert.deepEqual(await below('l/b/'), ['l/b/1:5', 'l/b/2:5']);
    assert.deepEqual(await below('none/'), []);
  });

  test(`${name}: a listing says when an object was stored, or copied, by the store's clock`, async (t) => {
    const blobs = await open(t);
    const beforeMs = Date.now();
    await blobs.put('w/a', bytes('a'));
    await blobs.copy('w/a', 'w/b');
    const afterMs = Date.now();
    const listed = await Array.fromAsync(blobs.list('w/'));
    assert.equal(listed.length, 2);
    // A store may say it to the second.
    for (const { writtenMs = 0 } of listed)
      assert.ok(writtenMs > beforeMs - 1_001 && writtenMs <= afterMs + 1);
  });

  test(`${name}: keys that would leave the store are refused`, async (t) => {
    const blobs = await open(t);
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      'a/./b',
      'a b',
      'a\\b',
      'a\0',
      'ä',
      'a'.repeat(1_025),
    ]) {
      await assert.rejects(blobs.put(key, bytes('x')), isFault('request.invalid'), JSON.stringify(key));
    }
    assert.equal(await blobs.put('a'.repeat(200), bytes('x')), 'stored');
  });
}

test('folder: a file that was never finished is not listed, and goes once nobody can be writing it', async (t) => {
  const dir = tempDir(t);
  const blobs = await openBlobs(blobsSettings.parse({ dir }), '');
  await blobs.put('a/one', bytes('x'));
  const left = ['.unfinished-young', '.unfinished-old'].map((name) => join(dir, 'a', name));
  for (const path of left) writeFileSync(path, 'half');
  const hoursAgo = Date.now() / 1_000 - 2 * 3_600;
  utimesSync(left[1] ?? '', hoursAgo, hoursAgo);
  assert.deepEqual(
    (await Array.fromAsync(blobs.list('a/'))).map(({ key }) => key),
    ['a/one'],
  );
  assert.deepEqual(
    left.map((path) => existsSync(path)),
    [true, false],
  );
});

test('folder: what is there and cannot be read is replaced by what proves itself right', async (t) => {
  const dir = tempDir(t);
  const blobs = await openBlobs(blobsSettings.parse({ dir }), '');
  symlinkSync('nowhere', join(dir, 'k'));
  await assert.rejects(blobs.put('k', bytes('whole'), { ifAbsent: true }), isFault('blobs.unavailable'));
  assert.equal(await blobs.put('k', bytes('whole'), { ifAbsent: true, isSound: () => true }), 'replaced');
  assert.deepEqual(Buffer.from((await blobs.get('k')) ?? []), Buffer.from('whole'));
});

test('folder: a place that cannot be written is unavailable, not lost', async (t) => {
  const dir = join(tempDir(t), 'file');
  writeFileSync(dir, 'not a folder');
  await assert.rejects(
    (await openBlobs(blobsSettings.parse({ dir }), '')).put('a/b', bytes('x')),
    isFault('blobs.unavailable'),
  );
  rmSync(dir);
  mkdirSync(dir);
  assert.equal(await (await openBlobs(blobsSettings.parse({ dir }), '')).put('a/b', bytes('x')), 'stored');
});

test('s3: a store that refuses or is silent is unavailable, and a lost answer is no second object', async (t) => {
  const { blobs, proxy } = await openS3(t);
  proxy.setWeather('unavailable');
  await assert.rejects(blobs.put('k', bytes('x'), { ifAbsent: true }), isFault('blobs.unavailable'));
  proxy.setWeather('silent');
  await assert.rejects(blobs.get('k'), isFault('blobs.unavailable'));
  proxy.setWeather('answerLost');
  await assert.rejects(blobs.put('k', bytes('x')), isFault('blobs.unavailable'));
  proxy.setWeather('clear');
  assert.equal(await blobs.put('k', bytes('x'), { ifAbsent: true }), 'existed');
});

test('s3: half of an object that the store does not give back is replaced; a store that is away replaces nothing', async (t) => {
  const { blobs, proxy } = await openS3(t);
  const wish = {
    ifAbsent: true,
    isSound: (present: Uint8Array) => Buffer.from(present).toString() === 'whole',
  };
  await blobs.put('k', bytes('who'));
  proxy.setWeather('brokenReads');
  await assert.rejects(blobs.put('k', bytes('whole'), { ifAbsent: true }), isFault('blobs.unavailable'));
  assert.equal(await blobs.put('k', bytes('whole'), wish), 'replaced');
  proxy.setWeather('unavailable');
  await assert.rejects(blobs.put('k', bytes('whole'), wish), isFault('blobs.unavailable'));
  proxy.setWeather('clear');
  assert.equal(await blobs.put('k', bytes('whole'), wish), 'existed');
});

test("s3: a log-in page with 200 is not the store's answer, whatever was asked", async (t) => {
  const server = await startS3Server(t, tempDir(t));
  const stranger = await startStranger(t, server.endpoint);
  const { bucket, accessKeyId, secretAccessKey } = server;
  const s3 = { endpoint: stranger.url, bucket, accessKeyId, secretAccessKey, attemptsMax: 1 };
  const blobs = await openBlobs(blobsSettings.parse({ s3 }), '');
  await blobs.put('k', bytes('x'));
  const all = async (): Promise<unknown[]> => Array.fromAsync(blobs.list(''));
  for (const headers of [{}, { etag: '"0123456789abcdef0123456789abcdef"' }]) {
    stranger.answers((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/html', ...headers }).end('<html>Please log in</html>');
    });
    for (const call of [
      () => blobs.put('new', bytes('new')),
      () => blobs.copy('k', 'copy'),
      all,
      ...('etag' in headers
        ? []
        : [() => blobs.get('k'), () => blobs.put('k', bytes('x'), { ifAbsent: true })]),
    ])
      await assert.rejects(call, isFault('blobs.unavailable'));
  }
  stranger.answers(undefined);
  assert.equal(await blobs.put('new', bytes('new'), { ifAbsent: true }), 'stored');
  assert.equal((await all()).length, 2);
});

test('s3: wrong credentials are unavailable, since they may come right', async (t) => {
  const server = await startS3Server(t, tempDir(t));
  const s3 = {
    endpoint: server.endpoint,
    bucket: server.bucket,
    accessKeyId: 'nobody',
    secretAccessKey: 'wrong',
    attemptsMax: 1,
  };
  await assert.rejects(
    (await openBlobs(blobsSettings.parse({ s3 }), '')).put('k', bytes('x')),
    isFault('blobs.unavailable'),
  );
});

test('s3: a bucket that is not there is told as that, with how to make it; no object of it is taken for absent', async (t) => {
  const { endpoint, accessKeyId, secretAccessKey } = await startS3Server(t, tempDir(t));
  const s3 = { endpoint, bucket: 'nobody-made-it', accessKeyId, secretAccessKey, attemptsMax: 1 };
  const blobs = await openBlobs(blobsSettings.parse({ s3 }), '');
  const asked: readonly (() => Promise<unknown>)[] = [
    () => blobs.get('k'),
    () => blobs.put('k', bytes('x')),
    () => blobs.put('k', bytes('x'), { ifAbsent: true }),
    () => blobs.copy('k', 'l'),
    () => blobs.delete('k'),
    () => Array.fromAsync(blobs.list('')),
    () => Array.fromAsync(blobs.folders('')),
  ];
  for (const ask of asked)
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof Fault, String(error));
      assert.deepEqual(
        [error.code, error.detail],
        ['blobs.unavailable', 'The bucket is not there.'],
        String(ask),
      );
      assert.match(error.hint ?? '', /aws s3 mb/);
      return true;
    });
});
