import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { factsOf } from '../../test/kit/gateway/access-facts.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startNode } from '../../test/kit/processes/processes.ts';
import { prefix, readRecords, stallingFiles, startTestReporter } from '../../test/kit/gateway/reporter.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { type Clock, systemClock } from '../../proto/process/clock.ts';
import { listSegments, listSpools, shippedOf, writeCheckpoint } from '../../proto/spool/folder.ts';
import { createSpoolReader } from '../../proto/spool/reader.ts';

test('when the promise resolves the record can be read from disk; a turn is one batch', async (t) => {
  const { reporter, dir } = await startTestReporter(t);
  const recorder = reporter.recorder(prefix);
  await Promise.all(['1', '2', '3'].map(async (requestId) => recorder.write(factsOf({ requestId }))));
  const records = await readRecords(dir);
  assert.deepEqual(
    records.map((record) => record['request_id']),
    ['1', '2', '3'],
  );
  const [spool] = await listSpools(dir);
  assert.ok(spool);
  const reader = createSpoolReader({ dir: spool.dir, spool: spool.spool, from: 0 });
  assert.deepEqual(
    (await reader.read()).map((entry) => entry.kind === 'batch' && entry.count),
    [3],
  );
  await reader.close();
  assert.equal(reporter.health().state, 'ok');
});

test('each environment has a spool of its own, each start new ones', async (t) => {
  const { reporter, dir } = await startTestReporter(t);
  await reporter.recorder(prefix).write(factsOf());
  await reporter.recorder({ ...prefix, environment: 'f' }).write(factsOf());
  await reporter.close();
  const again = await startTestReporter(t, {}, { dir });
  await again.reporter.recorder(prefix).write(factsOf());
  const spools = await listSpools(dir);
  assert.deepEqual(spools.map(({ environment }) => environment).toSorted(), ['e', 'e', 'f']);
});

test('a killed gateway has every record whose answer was received', async (t) => {
  const dir = join(tempDir(t), 'spool');
  const child = startNode(t, [
    join(import.meta.dirname, '../../test/kit/engine/answering-main.ts'),
    dir,
    // Past the hold an answer leaves without its record, and on a busy machine the thread that writes it may be late.
    '{"spoolHoldMsMax":1000}',
  ]);
  const port = Number(await eventually(() => /port (\d+)/.exec(child.stdout())?.[1], { timeoutMs: 20_000 }));
  const answered = new Set<string>();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  t.after(() => agent.destroy());
  let sent = 0;
  const ask = (): void => {
    const id = String(sent++);
    get({ host: '127.0.0.1', port, path: `/${id}`, agent }, (answer) => {
      answer.on('data', () => answered.add(id));
      answer.on('end', ask).on('error', () => undefined);
    }).on('error', () => undefined);
  };
  for (let n = 0; n < 32; n++) ask();
  await eventually(() => answered.size > 2_000, { timeoutMs: 60_000 });
  child.kill('SIGKILL');
  await child.ended;
  const recorded = new Set((await readRecords(dir)).map((record) => String(record['request_id'])));
  const lost = [...answered].filter((id) => !recorded.has(id));
  assert.deepEqual(lost, []);
  assert.ok(recorded.size - answered.size <= 64, 'only requests in flight are recorded without an answer');
});

test('a frozen disk delays nobody past the hold, does not hold the event loop and loses nothing that fits memory', async (t) => {
  const flag = join(tempDir(t), 'frozen');
  const filesModule = stallingFiles(flag);
  const { reporter, dir } = await startTestReporter(t, {}, { filesModule });
  const recorder = reporter.recorder(prefix);
  await recorder.write(factsOf());
  writeFileSync(flag, '');
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  const began = performance.now();
  await recorder.write(factsOf());
  const waitedMs = performance.now() - began;
  assert.ok(waitedMs >= 15 && waitedMs < 10_000, `waited ${waitedMs} ms`);
  await eventually(() => reporter.health().state === 'degraded', { timeoutMs: 20_000 });
  for (let turn = 0; turn < 200; turn++) {
    assert.equal(recorder.write(factsOf()), undefined, 'nobody waits while it is degraded');
    await new Promise((resolve) => setImmediate(resolve));
  }
  lag.disable();
  // Whoever waited for the disk would wait until it thaws, which is later.
  assert.ok(lag.max / 1e6 <= 500, `event loop lag ${lag.max / 1e6} ms`);
  rmSync(flag);
  await eventually(() => reporter.health().state === 'ok', { timeoutMs: 20_000 });
  await recorder.write(factsOf());
  assert.equal((await readRecords(dir)).length, 203);
  assert.equal(reporter.health().droppedRecords, 0);
});

test('past the bound in memory the oldest is dropped, counted and said in the stream', async (t) => {
  const flag = join(tempDir(t), 'frozen');
  const filesModule = stallingFiles(flag);
  const { reporter, dir } = await startTestReporter(t, { memoryBytesMax: 600_000 }, { filesModule });
  const recorder = reporter.recorder(prefix);
  writeFileSync(flag, '');
  await recorder.write(factsOf());
  await eventually(() => reporter.health().state === 'degraded', { timeoutMs: 20_000 });
  for (let n = 0; n < 2_000; n++) void recorder.write(factsOf());
  const { droppedRecords } = reporter.health();
  assert.ok(droppedRecords > 0);
  rmSync(flag);
  await eventually(() => reporter.health().state === 'ok', { timeoutMs: 20_000 });
  await recorder.write(factsOf());
  const records = await readRecords(dir);
  const gaps = records.filter((record) => record['type'] === 'gap');
  assert.equal(
    gaps.reduce((sum, gap) => sum + Number(gap['dropped']), 0),
    droppedRecords,
  );
  assert.equal(records.length - gaps.length, 2_002 - droppedRecords);
});

test('segments are deleted when they are shipped, and spools of dead processes with their last one', async (t) => {
  const { reporter, dir, checkpointDir } = await startTestReporter(t, {
    segmentBytes: 4_096,
    diskBytesMax: 1_000_000,
    upkeepEveryMs: 20,
  });
  const recorder = reporter.recorder(prefix);
  await recorder.write(factsOf());
  const [own] = await listSpools(dir);
  assert.ok(own);
  let written = 1;
  // What a slow disk makes wait comes as one batch into one segment.
  const before = await eventually(async () => {
    for (let n = 0; n < 10; n++, written++) await recorder.write(factsOf());
    const found = await listSegments(own.dir);
    return found.length >= 3 && found;
  });
  const kept = before[2] ?? 0;
  writeCheckpoint(checkpointDir, own.spool, kept);
  await eventually(async () => (await listSegments(own.dir))[0] === kept);
  // So that a lost checkpoint makes none of what was deleted look lost.
  assert.equal(shippedOf(own, join(checkpointDir, 'lost')), kept);
  writeCheckpoint(checkpointDir, own.spool, written);
  await eventually(async () => (await listSegments(own.dir)).length === 1);

  const child = startNode(t, [
    join(import.meta.dirname, '../../test/kit/engine/answering-main.ts'),
    dir,
    // Past the hold an answer leaves without its record, and on a busy machine the thread that writes it may be late.
    '{"spoolHoldMsMax":1000}',
  ]);
  const port = Number(await eventually(() => /port (\d+)/.exec(child.stdout())?.[1], { timeoutMs: 20_000 }));
  await (await fetch(`http://127.0.0.1:${port}/x`)).text();
  const others = (await listSpools(dir)).filter(({ spool }) => spool !== own.spool);
  const [dead] = others;
  assert.ok(dead);
  child.kill('SIGKILL');
  await child.ended;
  assert.ok(existsSync(dead.dir), 'an unshipped spool stays');
  writeCheckpoint(checkpointDir, dead.spool, 1);
  await eventually(() => !existsSync(dead.dir));
});

test('past the bound on disk the oldest segment goes, counted and said in the stream', async (t) => {
  const { reporter, dir } = await startTestReporter(t, {
    segmentBytes: 4_096,
    diskBytesMax: 16_384,
    upkeepEveryMs: 20,
  });
  const recorder = reporter.recorder(prefix);
  // Little more than fits, so that the gap record itself stays.
  for (let n = 0; n < 45; n++) await recorder.write(factsOf());
  await eventually(() => reporter.health().droppedRecords > 0);
  await eventually(() => reporter.health().bytes <= 16_384);
  const gaps = await eventually(async () => {
    const found = (await readRecords(dir)).filter((record) => record['type'] === 'gap');
    const said = found.reduce((sum, gap) => sum + Number(gap['dropped']), 0);
    return said === reporter.health().droppedRecords && found;
  });
  assert.equal(gaps[0]?.['reason'], 'diskFull');
});

test('a spool that was prepared is on disk before its first line, and is asked for once', async (t) => {
  const { reporter, dir } = await startTestReporter(t);
  await reporter.prepare(prefix);
  const [spool] = await listSpools(dir);
  assert.ok(spool);
  assert.deepEqual(await listSegments(spool.dir), [0]);
  assert.equal(reporter.prepare(prefix), undefined);
  assert.equal(reporter.health().state, 'ok');
  assert.equal((await listSpools(dir)).length, 1);
});

test('an environment whose spool cannot be made is served after a while, degraded, and its records wait', async (t) => {
  const flag = join(tempDir(t), 'full');
  writeFileSync(flag, '');
  // Five seconds are short.
  const hasty: Clock = {
    ...systemClock,
    after: (ms, back) => systemClock.after(ms === 5_000 ? 50 : ms, back),
  };
  const more = { filesModule: stallingFiles(flag, 'ENOSPC'), clock: hasty };
  const { reporter, dir } = await startTestReporter(t, {}, more);
  await reporter.prepare(prefix);
  assert.equal(reporter.health().state, 'degraded');
  assert.match(reporter.health().problem ?? '', /no spool could be made for e/);
  await reporter.recorder(prefix).write(factsOf());
  rmSync(flag);
  await eventually(async () => (await readRecords(dir)).length === 1);
  await reporter.recorder(prefix).write(factsOf());
  await eventually(() => reporter.health().state === 'ok', { timeoutMs: 20_000 });
});

test('a disk that is full or may only be read degrades the spool, and loses nothing that fits memory', async (t) => {
  for (const code of ['ENOSPC', 'EROFS', 'EIO']) {
    const flag = join(tempDir(t), 'refuses');
    const filesModule = stallingFiles(flag, code);
    const { reporter, dir } = await startTestReporter(t, { segmentBytes: 4_096 }, { filesModule });
    await reporter.prepare(prefix);
    const recorder = reporter.recorder(prefix);
    await recorder.write(factsOf());
    writeFileSync(flag, '');
    for (let n = 0; n < 30; n++) await recorder.write(factsOf());
    assert.equal(reporter.health().state, 'degraded', code);
    rmSync(flag);
    await eventually(() => reporter.health().state === 'ok', { timeoutMs: 20_000 });
    await eventually(async () => (await readRecords(dir)).length === 31);
    assert.equal(reporter.health().droppedRecords, 0);
    await reporter.close();
  }
});
