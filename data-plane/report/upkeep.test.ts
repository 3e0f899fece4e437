import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dead, line, lostOf, openUpkeep } from '../../test/kit/gateway/upkeep.ts';
import { listSegments, sealJson, segmentFile, writeCheckpoint } from '../../proto/spool/folder.ts';
import { readOwner } from '../../proto/spool/owner.ts';
import { batchHeadBytes, headerBytes } from '../../proto/spool/segment.ts';

test('a flipped byte anywhere in a dead segment: what was not shipped is named, and the segment is set aside', async (t) => {
  const { start, write, ship, put } = openUpkeep(t);
  const spool = write(3);
  const whole = readFileSync(spool.path);
  // Every byte of the header and of the first batch's head, and some of all the others.
  for (let at = 0; at < whole.length; at += at < headerBytes + batchHeadBytes ? 1 : 3) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    put(spool, bytes);
    const shipped = await ship(spool);
    const round = await start().run();
    const all = [...shipped, ...lostOf(round)].toSorted((a, b) => a - b);
    assert.deepEqual(all, [0, 1, 2, 3, 4, 5], `byte ${at}`);
    if (at < headerBytes) assert.equal(shipped.length, 6, 'a header costs nothing');
    const [aside, ...others] = round.damaged;
    assert.ok(aside !== undefined && others.length === 0, `byte ${at}`);
    assert.ok(
      aside.damages.every(({ from, to }) => from <= at && at < to),
      `bytes of ${at}`,
    );
    assert.deepEqual(readFileSync(aside.path), bytes, 'it is kept as it was');
    assert.ok(!existsSync(spool.folder));
  }
});

test('a dead segment cut at any byte is set aside unless it ends with a batch', async (t) => {
  const { upkeep, write, ship, put } = openUpkeep(t);
  const spool = write(2);
  const whole = readFileSync(spool.path);
  const second = headerBytes + batchHeadBytes + line(0).length;
  for (let length = 0; length <= whole.length; length += length < second ? 2 : 5) {
    put(spool, whole.subarray(0, length));
    const shipped = await ship(spool);
    assert.deepEqual(
      shipped,
      length < second ? [] : length < whole.length ? [0] : [0, 1, 2],
      `cut at ${length}`,
    );
    const { damaged } = await upkeep.run();
    const isWhole = [0, headerBytes, second, whole.length].includes(length);
    const tails = damaged.flatMap(({ damages }) => damages.map(({ kind, to }) => [kind, to]));
    assert.deepEqual(tails, isWhole ? [] : [['torn', length]], `cut at ${length}`);
    assert.ok(!existsSync(spool.folder));
  }
});

test('nothing is deleted before it is shipped, and nothing shipped is set aside', async (t) => {
  const { dir, upkeep, write, ship } = openUpkeep(t);
  const spool = write(6, 200);
  const firsts = await listSegments(spool.folder);
  assert.ok(firsts.length > 2);
  let round = await upkeep.run();
  assert.deepEqual(await listSegments(spool.folder), firsts);
  await ship(spool);
  round = await upkeep.run();
  assert.deepEqual([round.damaged, round.lost, existsSync(spool.folder)], [[], [], false]);
  assert.ok(!existsSync(join(dir, 'damaged')));
});

test('damage at the end of a segment that others follow is named when the rest was shipped', async (t) => {
  const { upkeep, write, ship } = openUpkeep(t);
  const spool = write(6, 200);
  const [, second = 0, third = 0] = await listSegments(spool.folder);
  const path = join(spool.folder, segmentFile(second));
  const bytes = readFileSync(path);
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 4;
  writeFileSync(path, bytes);
  const shipped = await ship(spool);
  const round = await upkeep.run();
  assert.deepEqual(
    [...shipped, ...lostOf(round)].toSorted((a, b) => a - b),
    Array.from({ length: spool.end }, (_, n) => n),
  );
  assert.deepEqual(
    round.lost.map(({ reason, last }) => [reason, last]),
    [['damaged', third - 1]],
  );
});

test('a copy of another spool is set aside unread, not deleted', async (t) => {
  const { upkeep, write, ship } = openUpkeep(t);
  const [one, other] = [write(1), write(2)];
  writeFileSync(one.path, readFileSync(other.path));
  await ship(one);
  const { damaged } = await upkeep.run();
  assert.deepEqual(
    damaged.map(({ spool, isForeign }) => [spool, isForeign]),
    [[one.spool, true]],
  );
});

for (const already of [0, 2])
  test(`segments of a spool that took each other's place are set aside unread and told as lost, but for what was shipped before (${already})`, async (t) => {
    const { upkeep, write, ship, checkpointDir } = openUpkeep(t);
    const spool = write(4, 64);
    const [, second = 0, third = 0, fourth = 0] = await listSegments(spool.folder);
    if (already > 0) writeCheckpoint(checkpointDir, spool.spool, already);
    await upkeep.run();
    const [one, other] = [second, third].map((first) => join(spool.folder, segmentFile(first)));
    assert.ok(one !== undefined && other !== undefined);
    const bytes = readFileSync(one);
    writeFileSync(one, readFileSync(other));
    writeFileSync(other, bytes);
    const shipped = await ship(spool);
    assert.ok(!shipped.includes(second) && !shipped.includes(third));
    const round = await upkeep.run();
    assert.deepEqual(
      round.damaged.map(({ segment, isForeign }) => [segment, isForeign]),
      [
        [second, true],
        [third, true],
      ],
    );
    const from = Math.max(second, already);
    assert.deepEqual(
      lostOf(round),
      Array.from({ length: fourth - from }, (_, n) => from + n),
    );
    assert.deepEqual(lostOf(await upkeep.run()), []);
  });

test('what is set aside is bounded: the oldest goes, and that is said', async (t) => {
  const { dir, upkeep, write, ship } = openUpkeep(t, { damagedBytesMax: 1_000 });
  const problems: string[] = [];
  for (let n = 0; n < 6; n++) {
    const spool = write(2);
    const bytes = readFileSync(spool.path);
    bytes[3] = 0;
    writeFileSync(spool.path, bytes);
    await ship(spool);
    problems.push(...(await upkeep.run()).problems);
  }
  const left = readdirSync(join(dir, 'damaged')).length;
  assert.ok(left >= 1 && left < 6);
  assert.equal(problems.length, 6 - left);
  assert.match(problems[0] ?? '', /damagedBytesMax/);
});

test('a damaged spool.json is restored from the records, so that they are shipped', async (t) => {
  const { upkeep, write } = openUpkeep(t);
  const spool = write(2);
  for (const text of ['', '{"organization":"o"', sealJson(dead).replace('"o"', '"p"')]) {
    writeFileSync(join(spool.folder, 'spool.json'), text);
    assert.equal(readOwner(spool.folder), undefined);
    const { problems } = await upkeep.run();
    assert.equal(readOwner(spool.folder)?.organization, 'o');
    assert.equal(readOwner(spool.folder)?.gateway, 'g');
    assert.match(problems[0] ?? '', /spool\.json was missing or damaged/);
  }
});

test('a damaged checkpoint deletes nothing', async (t) => {
  const { checkpointDir, upkeep, write } = openUpkeep(t);
  const spool = write(9);
  writeCheckpoint(checkpointDir, spool.spool, 4);
  const path = join(checkpointDir, `${spool.spool}.json`);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"shipped":4', '"shipped":64'));
  await upkeep.run();
  assert.ok(existsSync(spool.path));
});

test('a spool that nobody can read holds up no other, and stays', async (t) => {
  const { upkeep, write, ship } = openUpkeep(t);
  const later = write(2);
  const bytes = readFileSync(later.path);
  const { crc32 } = await import('node:zlib');
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes - 4)), headerBytes - 4);
  writeFileSync(later.path, bytes);
  const other = write(2);
  await ship(other);
  const { problems } = await upkeep.run();
  assert.match(problems.join(), /version 2/);
  assert.ok(existsSync(later.path));
  assert.ok(!existsSync(other.folder));
});

test('the folder of a process that died before it had a segment goes', async (t) => {
  const { upkeep, write } = openUpkeep(t);
  const spool = write(1);
  rmSync(spool.path);
  writeFileSync(join(spool.folder, 'spare.tmp'), '');
  await upkeep.run();
  assert.ok(!existsSync(spool.folder));
  const nameless = write(1);
  rmSync(nameless.path);
  rmSync(join(nameless.folder, 'spool.json'));
  await upkeep.run();
  assert.ok(existsSync(nameless.folder), 'its process may be about to write into it');
  utimesSync(nameless.folder, 1, 1);
  await upkeep.run();
  assert.ok(!existsSync(nameless.folder));
});
