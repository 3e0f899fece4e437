import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startReporter, type Reporter, type ReporterOptions } from '../../../data-plane/report/reporter.ts';
import { reportSettings, type ReportSettings } from '../../../data-plane/report/settings.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics, type Metrics } from '../../../proto/process/metrics.ts';
import { listSpools } from '../../../proto/spool/folder.ts';
import { createSpoolReader } from '../../../proto/spool/reader.ts';
import { tempDir } from '../temp-dir.ts';

/** Of the records that these tests write. */
export const prefix = { organization: 'o', environment: 'e', api: 'a', apiName: 'A' };

/** A reporter on real files. */
export interface TestReporter {
  readonly reporter: Reporter;
  readonly dir: string;
  readonly checkpointDir: string;
  readonly metrics: Metrics;
}

/** Starts one; it is closed when the test ends. */
export async function startTestReporter(
  t: TestContext,
  settings: Partial<ReportSettings> = {},
  more: Partial<ReporterOptions> = {},
): Promise<TestReporter> {
  const root = tempDir(t);
  const dir = more.dir ?? join(root, 'spool');
  const checkpointDir = join(root, 'checkpoints');
  mkdirSync(checkpointDir, { recursive: true });
  const metrics = createMetrics();
  const reporter = await startReporter({
    dir,
    checkpointDir,
    ledger: join(root, 'spool-ledger.json'),
    gateway: 'g',
    // A thread that a busy machine keeps from writing is no disk that stalls, which tests say themselves.
    settings: reportSettings.parse(
      more.filesModule === undefined ? { spoolHoldMsMax: 1_000, ...settings } : settings,
    ),
    log: createLog({ name: 'test', level: 'silent' }),
    metrics,
    clock: systemClock,
    ...more,
  });
  t.after(() => reporter.close());
  return { reporter, dir, checkpointDir, metrics };
}

/** Every record below a spool folder, gap records too; what is missing or damaged is passed over. */
export async function readRecords(dir: string): Promise<readonly Record<string, unknown>[]> {
  return (await readRecordPlaces(dir)).map(({ record }) => record);
}

/** A record, and where it stands. */
export interface PlacedRecord {
  readonly spool: string;
  readonly offset: number;
  readonly record: Readonly<Record<string, unknown>>;
}

/** The same, each with its place. */
export async function readRecordPlaces(dir: string): Promise<readonly PlacedRecord[]> {
  const records: PlacedRecord[] = [];
  for (const { dir: folder, spool } of await listSpools(dir)) {
    const reader = createSpoolReader({ dir: folder, spool, from: 0 });
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read()) {
      for (const entry of entries) {
        if (entry.kind === 'gap') continue;
        const lines = Buffer.from(entry.lines).toString().trimEnd().split('\n');
        assert.equal(lines.length, entry.count);
        lines.forEach((line, n) =>
          records.push({
            spool,
            offset: entry.first + n,
            record: JSON.parse(line) as Record<string, unknown>,
          }),
        );
      }
    }
    await reader.close();
  }
  return records;
}

/** URL of files that block, or fail with a code, while the flag file exists. */
export const stallingFiles = (flag: string, code?: string): string =>
  new URL(
    `./stalling-files.ts?flag=${encodeURIComponent(flag)}${code === undefined ? '' : `&code=${code}`}`,
    import.meta.url,
  ).href;
