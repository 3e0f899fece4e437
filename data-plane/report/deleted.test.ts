import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { factsOf } from '../../test/kit/gateway/access-facts.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { prefix, readRecords, startTestReporter } from '../../test/kit/gateway/reporter.ts';
import { listSegments, listSpools, segmentFile } from '../../proto/spool/folder.ts';

/* Somebody deletes or moves what the gateway is writing. */

/** The gateway writes meanwhile, so a folder may be filled again before it is empty. */
const deletion = { recursive: true, maxRetries: 10 } as const;

const vandals: Readonly<Record<string, (dir: string) => void>> = {
  'the spool folder is deleted': (dir) => rmSync(dir, deletion),
  'the data folder is deleted': (dir) => rmSync(dirname(dir), deletion),
  'the spool folder is moved away': (dir) => renameSync(dir, `${dir}-old`),
  'another folder takes its place': (dir) => (renameSync(dir, `${dir}-old`), mkdirSync(dir)),
  'a folder above it is moved away': (dir) => renameSync(dirname(dir), `${dirname(dir)}-old`),
};

for (const [what, vandal] of Object.entries(vandals)) {
  test(`${what}: every record is there again, and health says so`, async (t) => {
    const { reporter, dir, metrics } = await startTestReporter(t);
    await reporter.prepare(prefix);
    const recorder = reporter.recorder(prefix);
    let written = 0;
    const write = async (): Promise<void> => {
      await recorder.write(factsOf({ requestId: String(written) }));
      written += 1;
    };
    for (let n = 0; n < 50; n++) await write();
    vandal(dir);
    for (let n = 0; n < 50; n++) await write();
    await eventually(async () => (await readRecords(dir)).length === written);
    for (let n = 0; n < 50; n++) await write();
    const ids = (await readRecords(dir)).map((record) => Number(record['request_id']));
    assert.deepEqual(
      ids,
      Array.from({ length: written }, (_, n) => n),
    );
    await eventually(() => reporter.health().state === 'degraded');
    assert.match(reporter.health().problem ?? '', /deleted or moved/);
    assert.equal(reporter.health().droppedRecords, 0);
    assert.match(await metrics.text(), /isthmus_report_rescued_records_total [1-9]/);
    rmSync(`${dirname(dir)}-old`, { recursive: true, force: true });
  });
}

test('an idle gateway notices too', async (t) => {
  const { reporter, dir } = await startTestReporter(t);
  await reporter.prepare(prefix);
  await reporter.recorder(prefix).write(factsOf());
  rmSync(dir, deletion);
  await eventually(async () => (await readRecords(dir)).length === 1);
});

test('a record that is rescued twice is counted once', async (t) => {
  const { reporter, dir, metrics } = await startTestReporter(t);
  await reporter.prepare(prefix);
  const recorder = reporter.recorder(prefix);
  for (let n = 1; n <= 3; n++) {
    for (let m = 0; m < 5; m++) await recorder.write(factsOf());
    rmSync(dir, deletion);
    await eventually(async () => (await readRecords(dir)).length === 5 * n);
    const counted = new RegExp(`isthmus_report_rescued_records_total ${5 * n}\n`);
    await eventually(async () => counted.test(await metrics.text()));
  }
});

test('older segments that are deleted cannot be saved: they are counted, and said in the stream', async (t) => {
  const { reporter, dir, metrics } = await startTestReporter(t, { segmentBytes: 4_096, upkeepEveryMs: 20 });
  await reporter.prepare(prefix);
  const recorder = reporter.recorder(prefix);
  for (let n = 0; n < 30; n++) await recorder.write(factsOf());
  const [spool] = await listSpools(dir);
  assert.ok(spool);
  const segments = await listSegments(spool.dir);
  const [, second = 0, third = 0] = segments;
  const onDisk = segments.reduce((sum, first) => sum + statSync(join(spool.dir, segmentFile(first))).size, 0);
  // Upkeep has to have seen them.
  await eventually(() => reporter.health().bytes >= onDisk);
  rmSync(join(spool.dir, segmentFile(second)));
  await eventually(() => reporter.health().droppedRecords === third - second);
  assert.equal(reporter.health().state, 'degraded');
  assert.match(await metrics.text(), /isthmus_report_dropped_records_total\{reason="deleted"\} [1-9]/);
  const gap = await eventually(async () =>
    (await readRecords(dir)).find((record) => record['type'] === 'gap'),
  );
  assert.deepEqual([gap['reason'], gap['first'], gap['last']], ['deleted', second, third - 1]);
});
