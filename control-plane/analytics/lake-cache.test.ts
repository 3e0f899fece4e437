import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { createFileBlobs } from '../storage/blobs/files.ts';
import { LakeCache } from './lake-cache.ts';

const fileBytes = 1_000;
const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A cache that has place for one file, and a bucket with three. */
async function cached(t: TestContext) {
  const dir = tempDir(t);
  const blobs = createFileBlobs(join(dir, 'bucket'));
  const files = [1, 2, 3].map((n) => ({
    id: idOf(n),
    key: `lake/${n}`,
    bytes: fileBytes,
    organization: 'o',
    environment: 'e',
  }));
  for (const { key } of files) await blobs.put(key, Buffer.alloc(fileBytes));
  const cache = new LakeCache({ dir: join(dir, 'cache'), blobs, bytesMax: fileBytes });
  await cache.open();
  const isHere = (n: number): boolean => existsSync(join(dir, 'cache', `${idOf(n)}.parquet`));
  return { cache, files, isHere };
}

test('a file that is read stays, whatever others fetch meanwhile, and goes when nobody reads it', async (t) => {
  const { cache, files, isHere } = await cached(t);
  const [one, two, three] = files.map((file) => [file]);
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  await cache.hold(one, async ([path = '']) => {
    await cache.hold(two, () => cache.hold(one, () => Promise.resolve()));
    await cache.hold(three, () => Promise.resolve());
    assert.ok(existsSync(path));
    assert.deepEqual([1, 2, 3].map(isHere), [true, false, false]);
  });
  await cache.hold(two, () => Promise.resolve());
  assert.deepEqual([1, 2, 3].map(isHere), [false, true, false]);
  await assert.rejects(
    cache.hold(three, () => Promise.reject(new Error('work'))),
    { message: 'work' },
  );
  await cache.hold(one, () => Promise.resolve());
  assert.deepEqual([1, 2, 3].map(isHere), [true, false, false], 'what failed holds nothing');
});

test('a file that leaves the lake while it is read goes when it was read', async (t) => {
  const { cache, files, isHere } = await cached(t);
  await cache.hold(files.slice(0, 1), () =>
    cache.hold(files.slice(0, 1), async () => {
      await cache.forget(idOf(1));
      assert.ok(isHere(1));
    }),
  );
  assert.ok(!isHere(1));
});
