import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { tempDir } from '../../test/kit/temp-dir.ts';
import {
  listSegments,
  newSpoolId,
  sealJson,
  segmentFile,
  spoolFolder,
  writeCheckpoint,
} from '../../proto/spool/folder.ts';
import { readOwner } from '../../proto/spool/owner.ts';
import { createSpoolReader } from '../../proto/spool/reader.ts';
import { batchHeadBytes, headerBytes } from '../../proto/spool/segment.ts';
import { createSpoolWriter } from '../../proto/spool/writer.ts';
import { Upkeep, type UpkeepOptions, type UpkeepRound } from './upkeep.ts';

const line = (n: number): string => `${JSON.stringify({ org_id: 'o', env_id: 'e', gateway_id: 'g', n })}\n`;
/** Of a process that is certainly gone. */
const dead = {
  organization: 'o',
  environment: 'e',
  gateway: 'g',
  host: hostname(),
  pid: 2 ** 22 + 5,
  ticks: '1',
};

function open(t: TestContext, options: Partial<UpkeepOptions> = {}) {
  const root = tempDir(t);
  const dir = join(root, 'spool');
  const checkpointDir = join(root, 'checkpoints');
  const ledger = join(root, 'spool-ledger.json');
  mkdirSync(checkpointDir);
  const start = (): Upkeep =>
    new Upkeep({
      dir,
      checkpointDir,
      ledger,
      diskBytesMax: 1e9,
      damagedBytesMax: 1e9,
      segmentInUse: () => undefined,
      ...options,
    });
  const upkeep = start();
  /** A spool of a dead process with batches of 1, 2, 3 ... records. */
  const write = (batches: number, segmentBytes = 1e9) => {
    const spool = newSpoolId();
    const folder = spoolFolder(dir, { stream: 'records', environment: 'e', spool });
    const writer = createSpoolWriter({ dir: folder, spool, segmentBytes });
    let next = 0;
    for (let count = 1; count <= batches; count++) {
      const lines = Array.from({ length: count }, () => line(next++)).join('');
      writer.append(Buffer.concat([Buffer.alloc(batchHeadBytes), Buffer.from(lines)]), count);
    }
    writer.close();
    writeFileSync(join(folder, 'spool.json'), sealJson(dead));
    return { spool, folder, path: join(folder, segmentFile(0)), end: next };
  };
  /** What a shipper does: reads all there is and says so. Returns the offsets that it had. */
  const ship = async ({ spool, folder }: { spool: string; folder: string }): Promise<readonly number[]> => {
    const reader = createSpoolReader({ dir: folder, spool, from: 0 });
    const shipped: number[] = [];
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read())
      for (const entry of entries)
        if (entry.kind === 'batch') for (let n = 0; n < entry.count; n++) shipped.push(entry.first + n);
    await reader.close();
    // As writeCheckpoint, but forced to disk by nobody: these tests do it a thousand times.
    const said = sealJson({ spool, shipped: (shipped.at(-1) ?? -1) + 1 });
    writeFileSync(join(checkpointDir, `${spool}.json`), said);
    return shipped;
  };
  /** Puts back a spool that upkeep has removed, with other bytes in its only segment. */
  const put = ({ folder, path }: { folder: string; path: string }, bytes: Uint8Array): void => {
    rmSync(join(dir, 'damaged'), { recursive: true, force: true });
    rmSync(ledger, { force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'spool.json'), sealJson(dead));
    writeFileSync(path, bytes);
  };
  return { dir, checkpointDir, ledger, start, upkeep, write, ship, put };
}

const lostOf = ({ lost }: UpkeepRound): readonly number[] =>
  lost.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n));

test('segments that somebody deletes one by one are lost once: those before them end where they ended', async (t) => {
  const { dir, upkeep, write, ship } = open(t);
  const spool = write(8, 64);
  const [, second = 0, third = 0, fourth = 0, fifth = 0] = await listSegments(spool.folder);
  assert.deepEqual(lostOf(await upkeep.run()), []);
  const deleted = [
    { first: third, end: fourth },
    { first: second, end: third },
    { first: fourth, end: fifth },
  ];
  for (const { first, end } of deleted) {
    rmSync(join(spool.folder, segmentFile(first)));
    const { lost } = await upkeep.run();
    assert.deepEqual(
      lost.map((range) => [range.reason, range.first, range.last]),
      [['deleted', first, end - 1]],
    );
  }
  await ship(spool);
  const round = await upkeep.run();
  assert.deepEqual([round.lost, round.damaged], [[], []]);
  assert.ok(!existsSync(spool.folder) && !existsSync(join(dir, 'damaged')));
});

test('a told deletion is told once: neither a restart nor the segment before it tells it again', async (t) => {
  const { dir, start, upkeep, write, ship } = open(t);
  const spool = write(8, 64);
  const teller = write(1);
  const [, second = 0, third = 0] = await listSegments(spool.folder);
  await upkeep.run();
  rmSync(join(spool.folder, segmentFile(second)));
  const [lost, ...others] = (await upkeep.run()).lost;
  assert.ok(lost !== undefined && others.length === 0);
  assert.deepEqual([lost.reason, lost.first, lost.last], ['deleted', second, third - 1]);
  upkeep.note(lost, { spool: teller.spool, offset: 0 });
  const next = start();
  assert.deepEqual((await next.run()).lost, []);
  await ship(spool);
  await ship(teller);
  for (const each of [next, start()]) {
    const round = await each.run();
    assert.deepEqual([round.lost, round.damaged], [[], []]);
  }
  assert.ok(!existsSync(spool.folder) && !existsSync(join(dir, 'damaged')));
});

test('a told damage is told once, also when the process ends before its segment is set aside', async (t) => {
  const { start, upkeep, write, ship } = open(t);
  const spool = write(3);
  const teller = write(1);
  const bytes = readFileSync(spool.path);
  bytes[headerBytes + batchHeadBytes + 3] = 0;
  writeFileSync(spool.path, bytes);
  await ship(spool);
  const [lost] = (await upkeep.run()).lost;
  assert.ok(lost !== undefined);
  upkeep.note(lost, { spool: teller.spool, offset: 0 });
  mkdirSync(spool.folder, { recursive: true });
  writeFileSync(join(spool.folder, 'spool.json'), sealJson(dead));
  writeFileSync(spool.path, bytes);
  const round = await start().run();
  assert.deepEqual([round.lost, round.damaged.length], [[], 1]);
});

test('a loss whose gap record was not written, noted or not, is told by the next process', async (t) => {
  const { start, upkeep, write } = open(t);
  const spool = write(8, 64);
  const teller = write(1);
  const [, second = 0, third = 0] = await listSegments(spool.folder);
  await upkeep.run();
  rmSync(join(spool.folder, segmentFile(second)));
  const [lost] = (await upkeep.run()).lost;
  assert.ok(lost !== undefined);
  const expected = [['deleted', second, third - 1]];
  for (const isNoted of [false, true]) {
    const next = start();
    const again = (await next.run()).lost;
    assert.deepEqual(
      again.map(({ reason, first, last }) => [reason, first, last]),
      expected,
    );
    // Behind the end of the spool that was to hold it.
    if (!isNoted) next.note(lost, { spool: teller.spool, offset: teller.end });
    else next.note(lost, { spool: teller.spool, offset: 0 });
  }
  assert.deepEqual((await start().run()).lost, []);
});

test('spools that are deleted while everybody is dead are told by the next process, but for what was shipped', async (t) => {
  const { dir, checkpointDir, start, upkeep, write } = open(t);
  const [one, other] = [write(8, 64), write(2)];
  writeCheckpoint(checkpointDir, one.spool, 5);
  await upkeep.run();
  rmSync(dir, { recursive: true });
  // Its shipper forgets what is gone.
  rmSync(join(checkpointDir, `${one.spool}.json`));
  const { lost } = await start().run();
  assert.deepEqual(
    new Map(lost.map(({ spool, organization, first, last }) => [spool, [organization, first, last]])),
    new Map([
      [one.spool, ['o', 5, one.end - 1]],
      [other.spool, ['o', 0, other.end - 1]],
    ]),
  );
});

test('what was closed since the last look, and deleted before everybody was killed, is told by the next process', async (t) => {
  const { checkpointDir, start, upkeep, write } = open(t);
  await upkeep.run();
  const spool = write(8, 64);
  const last = (await listSegments(spool.folder)).at(-1) ?? 0;
  for (const first of await listSegments(spool.folder))
    if (first !== last) rmSync(join(spool.folder, segmentFile(first)));
  writeCheckpoint(checkpointDir, spool.spool, 2);
  const { lost } = await start().run();
  assert.deepEqual(
    lost.map((range) => [range.reason, range.first, range.last]),
    [['deleted', 2, last - 1]],
  );
});

test('where no ledger was, what lies before the first segment may have been shipped: nothing is told as lost', async (t) => {
  const { ledger, start, write } = open(t);
  const spool = write(8, 64);
  rmSync(join(spool.folder, segmentFile(0)));
  assert.deepEqual((await start().run()).lost, []);
  writeFileSync(ledger, readFileSync(ledger, 'utf8').replace('"shipped":0', '"shipped":9'));
  assert.deepEqual((await start().run()).lost, [], 'a damaged one is none');
});

test('a flipped byte anywhere in a dead segment: what was not shipped is named, and the segment is set aside', async (t) => {
  const { start, write, ship, put } = open(t);
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
  const { upkeep, write, ship, put } = open(t);
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
  const { dir, upkeep, write, ship } = open(t);
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
  const { upkeep, write, ship } = open(t);
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
  const { upkeep, write, ship } = open(t);
  const [one, other] = [write(1), write(2)];
  writeFileSync(one.path, readFileSync(other.path));
  await ship(one);
  const { damaged } = await upkeep.run();
  assert.deepEqual(
    damaged.map(({ spool, isForeign }) => [spool, isForeign]),
    [[one.spool, true]],
  );
});

test('what is set aside is bounded: the oldest goes, and that is said', async (t) => {
  const { dir, upkeep, write, ship } = open(t, { damagedBytesMax: 1_000 });
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
  const { upkeep, write } = open(t);
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
  const { checkpointDir, upkeep, write } = open(t);
  const spool = write(9);
  writeCheckpoint(checkpointDir, spool.spool, 4);
  const path = join(checkpointDir, `${spool.spool}.json`);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"shipped":4', '"shipped":64'));
  await upkeep.run();
  assert.ok(existsSync(spool.path));
});

test('segments that somebody else deletes unshipped are counted, the last of a dead spool too', async (t) => {
  const { checkpointDir, upkeep, write } = open(t);
  const spool = write(6, 200);
  const [, , third = 0, fourth = 0] = await listSegments(spool.folder);
  writeCheckpoint(checkpointDir, spool.spool, third + 1);
  await upkeep.run();
  rmSync(join(spool.folder, segmentFile(third)));
  assert.deepEqual(
    lostOf(await upkeep.run()),
    Array.from({ length: fourth - third - 1 }, (_, n) => third + 1 + n),
  );
  rmSync(spool.folder, { recursive: true });
  // The checkpoint goes too, as when a whole data folder is deleted: the last known one counts.
  rmSync(join(checkpointDir, `${spool.spool}.json`));
  const { lost } = await upkeep.run();
  assert.deepEqual(lost.map(({ reason, organization }) => [reason, organization]).at(-1), ['deleted', 'o']);
  assert.equal(lost.at(-1)?.last, spool.end - 1);
  assert.deepEqual((await upkeep.run()).lost, []);
});

test('a spool that nobody can read holds up no other, and stays', async (t) => {
  const { upkeep, write, ship } = open(t);
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
  const { upkeep, write } = open(t);
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
