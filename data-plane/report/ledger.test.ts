import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dead, lostOf, openUpkeep } from '../../test/kit/gateway/upkeep.ts';
import { listSegments, sealJson, segmentFile, writeCheckpoint } from '../../proto/spool/folder.ts';
import { batchHeadBytes, headerBytes } from '../../proto/spool/segment.ts';

test('segments that somebody deletes one by one are lost once: those before them end where they ended', async (t) => {
  const { dir, upkeep, write, ship } = openUpkeep(t);
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
  const { dir, start, upkeep, write, ship } = openUpkeep(t);
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

test('what has arrived is not told as deleted by the next process, whenever this one was killed while it tidied up', async (t) => {
  const { checkpointDir, ledger, start, upkeep, write, ship } = openUpkeep(t);
  const spool = write(3);
  await upkeep.run();
  await ship(spool);
  // As a kill before the ledger is written: it cannot be.
  renameSync(ledger, `${ledger}.kept`);
  mkdirSync(ledger);
  await upkeep.run();
  rmSync(ledger, { recursive: true });
  renameSync(`${ledger}.kept`, ledger);
  // As a shipper does that finds no such spool any more.
  if (!existsSync(spool.folder)) rmSync(join(checkpointDir, `${spool.spool}.json`));
  const next = start();
  assert.deepEqual((await next.run()).lost, []);
  await next.run();
  assert.ok(!existsSync(spool.folder));
});

test('a told damage is told once, also when the process ends before its segment is set aside', async (t) => {
  const { start, upkeep, write, ship } = openUpkeep(t);
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
  const { start, upkeep, write } = openUpkeep(t);
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
  const { dir, checkpointDir, start, upkeep, write } = openUpkeep(t);
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
  const { checkpointDir, start, upkeep, write } = openUpkeep(t);
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

test('a segment that goes before anybody saw where the one before it ends is told when that is shipped, and nothing is set aside', async (t) => {
  const { dir, upkeep, write, ship } = openUpkeep(t);
  await upkeep.run();
  const spool = write(8, 64);
  const [, second = 0, third = 0] = await listSegments(spool.folder);
  rmSync(join(spool.folder, segmentFile(second)));
  const shipped = await ship(spool);
  const round = await upkeep.run();
  assert.deepEqual(
    round.lost.map((range) => [range.reason, range.first, range.last]),
    [['deleted', second, third - 1]],
  );
  assert.equal(shipped.length + third - second, spool.end);
  assert.deepEqual([round.damaged, (await upkeep.run()).lost], [[], []]);
  assert.ok(!existsSync(spool.folder) && !existsSync(join(dir, 'damaged')));
});

test('where no ledger was, what lies before the first segment may have been shipped: nothing is told as lost', async (t) => {
  const { ledger, start, write } = openUpkeep(t);
  const spool = write(8, 64);
  rmSync(join(spool.folder, segmentFile(0)));
  assert.deepEqual((await start().run()).lost, []);
  writeFileSync(ledger, readFileSync(ledger, 'utf8').replace('"shipped":0', '"shipped":9'));
  assert.deepEqual((await start().run()).lost, [], 'a damaged one is none');
});

test('segments that somebody else deletes unshipped are counted, the last of a dead spool too', async (t) => {
  const { checkpointDir, upkeep, write } = openUpkeep(t);
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
