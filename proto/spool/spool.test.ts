import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, truncateSync, rmSync, renameSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, line, openSpool, readAll, spool } from '../../test/kit/gateway/spool-lines.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import {
  listSegments,
  listSpools,
  newSpoolId,
  readCheckpoint,
  segmentFile,
  spoolFolder,
  writeCheckpoint,
} from './folder.ts';
import { mayBeAlive, readOwner, writeOwner } from './owner.ts';
import { createSpoolReader } from './reader.ts';
import { recoverSpool } from './recover.ts';
import { batchHeadBytes, encodeBatch, encodeHeader, headerBytes } from './segment.ts';
import { diskFiles, type SpoolFiles } from './spool-files.ts';
import { createSpoolWriter } from './writer.ts';

test('a segment has these bytes and no other', (t) => {
  const { writer, path } = openSpool(t);
  append(writer, 1);
  append(writer, 2, 3);
  writer.close();
  const golden = readFileSync(join(import.meta.dirname, 'golden/segment-v1.hex'), 'utf8').replaceAll(
    /\s/g,
    '',
  );
  assert.equal(readFileSync(path).toString('hex'), golden);
});

test('a reader follows a writer over segments and begins at any offset', async (t) => {
  const { dir, writer } = openSpool(t, 100);
  const reader = createSpoolReader({ dir, spool, from: 0 });
  assert.deepEqual(await reader.read(), []);
  append(writer, 0, 1);
  assert.deepEqual(await readAll(reader), ['0+2 {"n":0} {"n":1}']);
  for (let n = 2; n < 8; n++) append(writer, n);
  assert.ok((await listSegments(dir)).length > 2);
  assert.deepEqual((await readAll(reader)).length, 6);
  assert.equal(reader.next, 8);
  await reader.close();
  const later = createSpoolReader({ dir, spool, from: 1 });
  assert.equal((await readAll(later))[0], '1+1 {"n":1}');
  await later.close();
});

test('a torn, short or zeroed tail is "not yet" at every byte, and goes on when it is completed', async (t) => {
  const { dir, writer, path } = openSpool(t);
  append(writer, 0);
  append(writer, 1, 2);
  writer.close();
  const whole = readFileSync(path);
  const firstEnd = headerBytes + batchHeadBytes + line(0).length;
  for (let cut = 0; cut < whole.length; cut++) {
    for (const tail of [Buffer.alloc(0), Buffer.alloc(whole.length - cut), Buffer.alloc(4096)]) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, cut), tail]));
      const reader = createSpoolReader({ dir, spool, from: 0 });
      const expected = cut >= firstEnd ? ['0+1 {"n":0}'] : [];
      assert.deepEqual(await readAll(reader), expected, `cut at ${cut}, tail ${tail.length}`);
      writeFileSync(path, whole);
      assert.equal((await readAll(reader)).length, 2 - expected.length, `completed after a cut at ${cut}`);
      await reader.close();
    }
  }
});

test('a damaged end of a segment becomes a gap once the next segment is there', async (t) => {
  const { dir, writer, path } = openSpool(t, 60);
  append(writer, 0);
  truncateSync(path, 60);
  const reader = createSpoolReader({ dir, spool, from: 0 });
  assert.deepEqual(await readAll(reader), []);
  append(writer, 1);
  assert.deepEqual(await readAll(reader), ['gap 0-0 damaged', '1+1 {"n":1}']);
  await reader.close();
});

test('a deleted segment is a gap, and a stray copy of another spool is passed over', async (t) => {
  const { dir, writer, path } = openSpool(t, 60);
  append(writer, 0);
  append(writer, 1);
  append(writer, 2);
  rmSync(join(dir, segmentFile(1)));
  assert.deepEqual((await recoverSpool(dir, spool)).gaps, [{ first: 1, last: 1, reason: 'missing' }]);
  rmSync(path);
  const content = await recoverSpool(dir, spool);
  assert.deepEqual([content.end, content.records], [3, 1]);
  const header = encodeHeader({ spool: newSpoolId(), first: 3 });
  writeFileSync(
    join(dir, segmentFile(3)),
    Buffer.concat([header, encodeBatch({ first: 3, count: 1, lines: Buffer.from(line(9)) })]),
  );
  assert.equal((await recoverSpool(dir, spool)).end, 3);
});

test('a segment of a later version stops the reader instead of being skipped', async (t) => {
  const { dir, writer, path } = openSpool(t);
  append(writer, 0);
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(2, 8);
  const { crc32 } = await import('node:zlib');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes - 4)), headerBytes - 4);
  writeFileSync(path, bytes);
  await assert.rejects(recoverSpool(dir, spool), { code: 'spool.corrupt' });
});

test('a write that fails or is short is repeated over itself without a trace', async (t) => {
  const dir = join(tempDir(t), spool);
  const seed = Date.now() & 0xffff;
  let state = seed;
  const random = (): number => (state = (state * 75 + 74) % 65_537) / 65_537;
  const moody: SpoolFiles = {
    ...diskFiles,
    write(file, bytes, position) {
      const mood = random();
      if (mood < 0.3) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return diskFiles.write(
        file,
        mood < 0.6 ? bytes.subarray(0, 1 + Math.floor(bytes.length * random())) : bytes,
        position,
      );
    },
    syncData(file) {
      if (random() < 0.2) throw Object.assign(new Error('gone'), { code: 'EIO' });
      diskFiles.syncData(file);
    },
    async syncDataAside(file) {
      moody.syncData(file);
    },
  };
  const writer = createSpoolWriter({ dir, spool, files: moody, segmentBytes: 400 });
  const stubbornly = (work: () => void): void => {
    for (;;) {
      try {
        return work();
      } catch {
        // Tried again, as the spool thread does.
      }
    }
  };
  for (let n = 0; n < 200; n++) {
    stubbornly(() => append(writer, n));
    if (n % 10 === 0) await writer.sync().catch(() => undefined);
  }
  const content = await recoverSpool(dir, spool);
  assert.deepEqual(content, { end: 200, records: 200, gaps: [] }, `seed ${seed}`);
});

test('however syncs and changes of segment meet, each file is closed once and nothing is lost', async (t) => {
  const dir = join(tempDir(t), spool);
  const opened = new Set<number>();
  const waiting: (() => void)[] = [];
  const tracked: SpoolFiles = {
    ...diskFiles,
    create(path) {
      const file = diskFiles.create(path);
      opened.add(file);
      return file;
    },
    close(file) {
      assert.ok(opened.delete(file), 'closed once');
      diskFiles.close(file);
    },
    syncDataAside: (file) => {
      assert.ok(opened.has(file), 'forced to disk while open');
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
  const writer = createSpoolWriter({ dir, spool, segmentBytes: 60, files: tracked });
  const syncs: Promise<void>[] = [];
  for (let n = 0; n < 300; n++) {
    append(writer, n);
    if (n % 5 === 0) syncs.push(writer.sync());
    if (n % 7 === 0) rmSync(join(dir, segmentFile(writer.segment ?? 0)));
    if (n % 7 === 0) writer.rescue();
    if (n % 3 === 0) waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const pump = setInterval(() => waiting.shift()?.(), 0);
  await Promise.all(syncs);
  clearInterval(pump);
  writer.close();
  assert.deepEqual([...opened], []);
  assert.deepEqual(await recoverSpool(dir, spool), { end: 300, records: 300, gaps: [] });
});

test('whatever is appended is read back, in any chunk size', async (t) => {
  const root = tempDir(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 5 }), {
        maxLength: 20,
      }),
      fc.integer({ min: 30, max: 2_000 }),
      fc.integer({ min: 48, max: 4_000 }),
      async (batches, chunkBytes, segmentBytes) => {
        const id = newSpoolId();
        const dir = join(root, id);
        const writer = createSpoolWriter({ dir, spool: id, segmentBytes });
        const lines = batches.map((batch) => batch.map((text) => `${JSON.stringify(text)}\n`));
        for (const batch of lines) {
          writer.append(
            Buffer.concat([Buffer.alloc(batchHeadBytes), Buffer.from(batch.join(''))]),
            batch.length,
          );
        }
        writer.close();
        const reader = createSpoolReader({ dir, spool: id, from: 0, chunkBytes: Math.max(48, chunkBytes) });
        const read: string[] = [];
        for (let entries = await reader.read(); entries.length > 0; entries = await reader.read()) {
          for (const entry of entries)
            read.push(entry.kind === 'batch' ? Buffer.from(entry.lines).toString() : 'gap');
        }
        await reader.close();
        assert.equal(read.join(''), lines.flat().join(''));
      },
    ),
    { numRuns: 60 },
  );
});

test('folders tell whose a spool is and who writes it, and checkpoints count for their own spool alone', async (t) => {
  const root = tempDir(t);
  const at = { stream: 'records', environment: 'DEFAULT', spool } as const;
  const dir = spoolFolder(root, at);
  assert.throws(() => spoolFolder(root, { ...at, environment: '..' }), TypeError);
  mkdirSync(dir, { recursive: true });
  mkdirSync(join(root, 'records', 'DEFAULT', 'not-a-spool'));
  assert.deepEqual(await listSpools(root), [{ ...at, dir }]);
  assert.equal(readOwner(dir), undefined);
  writeOwner(dir, { organization: 'o', environment: 'DEFAULT', gateway: 'g' });
  const owner = readOwner(dir);
  assert.ok(owner);
  assert.deepEqual([owner.organization, mayBeAlive(owner)], ['o', true]);
  assert.equal(mayBeAlive({ ...owner, ticks: '1' }), false);
  assert.equal(mayBeAlive({ ...owner, pid: 2 ** 22 + 5 }), false);

  assert.equal(readCheckpoint(root, spool), 0);
  writeCheckpoint(root, spool, 42);
  assert.equal(readCheckpoint(root, spool), 42);
  const other = newSpoolId();
  renameSync(join(root, `${spool}.json`), join(root, `${other}.json`));
  assert.equal(readCheckpoint(root, other), 0);
  writeCheckpoint(root, spool, 42);
  const sealed = readFileSync(join(root, `${spool}.json`), 'utf8');
  for (let at = 0; at < sealed.length; at++) {
    const bytes = Buffer.from(sealed);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(root, `${spool}.json`), bytes);
    const read = readCheckpoint(root, spool);
    assert.ok(read === 0 || read === 42, `byte ${at}: ${read}`);
  }
  const owned = readFileSync(join(dir, 'spool.json'), 'utf8');
  for (let at = 0; at < owned.length; at++) {
    const bytes = Buffer.from(owned);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(dir, 'spool.json'), bytes);
    const read = readOwner(dir);
    if (read !== undefined) assert.deepEqual(read, owner, `byte ${at}`);
  }
});
