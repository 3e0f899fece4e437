import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinRanges } from '../ranges.ts';
import { chooseFiles, type Mergeable } from './choice.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const bounds = { filesMin: 2, filesMax: 256, bytesMax: 64 * mebibyte, recordsMax: 2_000_000 };
const sized = (...sizes: readonly number[]): readonly Mergeable[] =>
  sizes.map((bytes) => ({ bytes, records: 10 }));

test('a large file waits until the small ones together are half as large', () => {
  const large = 20 * mebibyte;
  assert.deepEqual(
    chooseFiles(sized(large, 30 * kibibyte, 20 * kibibyte), bounds),
    sized(20 * kibibyte, 30 * kibibyte),
  );
  assert.deepEqual(chooseFiles(sized(large, 5 * mebibyte, 2 * mebibyte), bounds), []);
  assert.equal(chooseFiles(sized(large, 12 * mebibyte, 12 * mebibyte), bounds).length, 3);
});

test('files of about one size become one, none of which is as large as the one before', () => {
  const files = sized(...Array.from({ length: 9 }, (_, n) => 6 * mebibyte + n * kibibyte));
  assert.equal(chooseFiles(files, bounds).length, 9);
});

test('larger files do not wait for a small one that is alone', () => {
  const [small, ...large] = sized(200 * kibibyte, 6 * mebibyte, 6 * mebibyte, 7 * mebibyte);
  assert.ok(small !== undefined);
  assert.deepEqual(chooseFiles([small, ...large], bounds), large);
});

test('too few files stay as they are', () => {
  assert.deepEqual(chooseFiles(sized(1, 1, 1), { ...bounds, filesMin: 4 }), []);
  assert.deepEqual(chooseFiles([], bounds), []);
});

test('a merge keeps within its bounds', () => {
  const file = fc.record({ bytes: fc.integer({ min: 1, max: 40 * mebibyte }), records: fc.nat(1_000_000) });
  fc.assert(
    fc.property(fc.array(file, { maxLength: 300 }), (files) => {
      const chosen = chooseFiles(files, bounds);
      const sum = (of: (file: Mergeable) => number): number => chosen.reduce((all, one) => all + of(one), 0);
      assert.ok(chosen.length === 0 || (chosen.length >= 2 && chosen.length <= bounds.filesMax));
      assert.ok(sum(({ bytes }) => bytes) <= bounds.bytesMax);
      assert.ok(sum(({ records }) => records) <= bounds.recordsMax);
      assert.equal(new Set(chosen).size, chosen.length);
    }),
  );
});

test('a year of files that come one by one stays few, and a record is written again for each growth by half', () => {
  let files: readonly Mergeable[] = [];
  let rewritten = 0;
  const count = 5_000;
  for (let n = 0; n < count; n++) {
    files = [...files, { bytes: 70 * kibibyte, records: 10 }];
    const chosen = new Set(chooseFiles(files, { ...bounds, filesMin: 16, bytesMax: 1024 * mebibyte }));
    if (chosen.size === 0) continue;
    const made = { bytes: 0, records: 0 };
    for (const { bytes, records } of chosen) {
      made.bytes += bytes;
      made.records += records;
    }
    rewritten += made.records;
    files = [...files.filter((file) => !chosen.has(file)), made];
  }
  assert.ok(files.length < 64, `${files.length} files`);
  assert.ok(
    rewritten / (count * 10) < Math.log(count) / Math.log(1.5),
    `each record was written ${rewritten / (count * 10)} times`,
  );
});

test('ranges that follow each other become one, of each spool and gateway by itself', () => {
  const from = (spool: string, gateway = 'g') => ({ spool, gateway, hash8: 'aaaaaaaa' });
  const joined = joinRanges([
    { ...from('b'), first: 5, last: 9 },
    { ...from('a'), first: 10, last: 19 },
    { ...from('a'), first: 0, last: 9 },
    { ...from('a', 'h'), first: 20, last: 21 },
    { ...from('a'), first: 30, last: 30 },
  ]);
  assert.deepEqual(joined, [
    { ...from('a'), first: 0, last: 19, hash8: '' },
    { ...from('a'), first: 30, last: 30 },
    { ...from('a', 'h'), first: 20, last: 21 },
    { ...from('b'), first: 5, last: 9 },
  ]);
});
