import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { append, line, openSpool, readAll, spool } from '../../test/kit/gateway/spool-lines.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { segmentFile } from './folder.ts';
import { inspectSegment } from './inspect.ts';
import { readOwner } from './owner.ts';
import { createSpoolReader } from './reader.ts';
import { recoverSpool } from './recover.ts';
import { batchHeadBytes, headerBytes } from './segment.ts';
import { diskFiles, type SpoolFiles } from './spool-files.ts';
import { createSpoolWriter, type Rescue } from './writer.ts';

test('a damaged byte costs at most its batch, wherever it is, and the gap is named', async (t) => {
  const { dir, writer, path } = openSpool(t);
  append(writer, 0);
  append(writer, 1, 2);
  append(writer, 3);
  writer.close();
  const whole = readFileSync(path);
  const starts = [headerBytes, headerBytes + batchHeadBytes + line(0).length];
  starts.push((starts[1] ?? 0) + batchHeadBytes + 2 * line(1).length);
  const all = ['0+1 {"n":0}', '1+2 {"n":1} {"n":2}', '3+1 {"n":3}'];
  const gaps = ['gap 0-0 damaged', 'gap 1-2 damaged'];
  const records = [1, 2, 1];
  for (let at = 0; at < whole.length; at++) {
    for (const mask of [0xff, 1 << (at % 8)]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ mask;
      writeFileSync(path, damaged);
      const batch = starts.findLastIndex((start) => at >= start);
      const inBatch = at - (starts[batch] ?? 0);
      // Length, offset and count are mended; a checksum or a line cannot be told from a lie.
      const isLost = batch >= 0 && (inBatch >= batchHeadBytes || (inBatch >= 4 && inBatch < 8));
      const expected = all.flatMap((each, n) => (n === batch && isLost ? (gaps[n] ?? []) : each));
      const reader = createSpoolReader({ dir, spool, from: 0 });
      assert.deepEqual(await readAll(reader), expected, `byte ${at}, mask ${mask}`);
      await reader.close();
      const content = await inspectSegment({ dir, spool }, 0, undefined);
      const [damage, ...others] = content?.damages ?? [];
      assert.ok(damage && others.length === 0 && damage.from <= at && at < damage.to, `bytes of ${at}`);
      assert.equal(damage.records, isLost ? records[batch] : 0, `records of ${at}`);
      assert.equal(damage.kind, 'damaged');
    }
  }
});

test('a segment cut short at any byte is never taken for a whole one', async (t) => {
  const { dir, writer, path } = openSpool(t);
  append(writer, 0);
  append(writer, 1, 2);
  writer.close();
  const whole = readFileSync(path);
  const second = headerBytes + batchHeadBytes + line(0).length;
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const content = await inspectSegment({ dir, spool }, 0, undefined);
    const isWhole = [0, headerBytes, second, whole.length].includes(length);
    assert.equal(content?.damages.length, isWhole ? 0 : 1, `cut at ${length}`);
    const [damage] = content.damages;
    if (damage === undefined) continue;
    const start = length < headerBytes ? 0 : length < second ? headerBytes : second;
    assert.deepEqual([damage.from, damage.to, damage.kind], [start, length, 'torn'], `cut at ${length}`);
    // With a next segment it is known what is missing.
    const known = await inspectSegment({ dir, spool }, 0, 3);
    assert.equal(
      known?.damages.reduce((sum, { records = 0 }) => sum + records, 0),
      3 - content.end,
    );
  }
});

test('a change of segment forces nothing to disk while somebody waits, and a first batch neither', (t) => {
  const dir = join(tempDir(t), spool);
  let forced = 0;
  const counting: SpoolFiles = {
    ...diskFiles,
    syncData: (file) => (forced++, diskFiles.syncData(file)),
    syncFile: (file) => (forced++, diskFiles.syncFile(file)),
    syncFolder: (folder) => (forced++, diskFiles.syncFolder(folder)),
  };
  const writer = createSpoolWriter({ dir, spool, segmentBytes: 60, files: counting });
  writer.open();
  assert.ok(forced > 0, 'what is made before is forced to disk');
  forced = 0;
  for (let n = 0; n < 5; n++) append(writer, n);
  assert.equal(forced, 0);
  writer.close();
});

test('a segment that was deleted, moved or hidden is written anew under its name, and readers follow', async (t) => {
  const dir = join(tempDir(t), 'env', spool);
  const rescues: Rescue[] = [];
  const writer = createSpoolWriter({
    dir,
    spool,
    owner: { organization: 'o', environment: 'e', gateway: 'g' },
    segmentBytes: 150,
    onRescue: (rescue) => rescues.push(rescue),
  });
  const reader = createSpoolReader({ dir, spool, from: 0 });
  let next = 0;
  const write = (): void => {
    append(writer, next);
    next += 1;
  };
  const writeStubbornly = (): void => {
    try {
      write();
    } catch {
      // As the spool thread does: again, and the writer looks first.
      write();
    }
  };
  write();
  assert.equal((await readAll(reader)).length, 1);
  const vandals: readonly (() => void)[] = [
    () => rmSync(join(dir, segmentFile(writer.segment ?? 0))),
    () => rmSync(dir, { recursive: true }),
    () => renameSync(join(dir, '..'), join(dir, '../../elsewhere')),
    () => (renameSync(dir, `${dir}-old`), mkdirSync(dir)),
  ];
  for (const [n, vandal] of vandals.entries()) {
    write();
    vandal();
    writeStubbornly();
    writer.rescue();
    write();
    assert.equal(readOwner(dir)?.organization, 'o', `vandal ${n}`);
    await readAll(reader);
    assert.equal(reader.next, next, `vandal ${n}`);
  }
  assert.equal(rescues.length, vandals.length);
  assert.ok(rescues.every(({ saved, lost }) => saved > 0 && lost === undefined));
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'in the way');
  assert.throws(() => writer.rescue());
  assert.throws(write, 'nothing is written to where nobody finds it');
  rmSync(dir);
  write();
  await readAll(reader);
  assert.equal(reader.next, next);
  await reader.close();
  writer.close();
});

test('what was in a deleted segment that cannot be read is named, and writing goes on behind it', async (t) => {
  const dir = join(tempDir(t), spool);
  const rescues: Rescue[] = [];
  const unreadable: SpoolFiles = {
    ...diskFiles,
    read: () => {
      throw Object.assign(new Error('gone'), { code: 'EIO' });
    },
  };
  const writer = createSpoolWriter({
    dir,
    spool,
    files: unreadable,
    onRescue: (rescue) => rescues.push(rescue),
  });
  append(writer, 0, 1);
  rmSync(dir, { recursive: true });
  writer.rescue();
  append(writer, 2);
  assert.deepEqual(rescues, [{ saved: 0, lost: { first: 0, last: 1 } }]);
  const content = await recoverSpool(dir, spool);
  assert.deepEqual(content, { end: 3, records: 1, gaps: [{ first: 0, last: 1, reason: 'missing' }] });
  writer.close();
});
