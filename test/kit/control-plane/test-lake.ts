import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Analytics } from '../../../control-plane/analytics/analytics.ts';
import type { Span } from '../../../control-plane/analytics/questions/from.ts';
import { requestsCount, responseStatusRanges } from '../../../control-plane/analytics/questions/questions.ts';
import type { LakeParts } from '../../../control-plane/analytics/lake.ts';
import { analyticsSettings, type AnalyticsSettings } from '../../../control-plane/analytics/settings.ts';
import { startAnalytics, type AnalyticsParts } from '../../../control-plane/analytics/start.ts';
import { createFileBlobs } from '../../../control-plane/storage/blobs/files.ts';
import { openStorage, type Storage } from '../../../control-plane/storage/storage.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics, type Metrics } from '../../../proto/process/metrics.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import type { TestDatabase } from '../servers/databases.ts';
import { recordLine } from './landing.ts';
import { tempDir } from '../temp-dir.ts';

/** A database and a bucket in a folder, and the ingesters that a test starts over them. */
export interface TestLake {
  readonly dir: string;
  readonly url: string | undefined;
  readonly storage: Storage;
  readonly blobs: BlobStore;
  start(settings?: Partial<AnalyticsSettings>, more?: Partial<AnalyticsParts>): Promise<TestAnalytics>;
  keys(prefix: string): Promise<readonly string[]>;
  /** Kind and reason of what was reported, in any order. */
  events(): Promise<readonly string[]>;
}

/** A span of one API; ms since the epoch, `toMs` exclusive. */
export interface ApiSpan extends Span {
  readonly api: string;
}

/** Analytics that can be closed before the test ends. */
export interface TestAnalytics extends Analytics {
  requestsCount(span: ApiSpan): Promise<AnswerOf<typeof requestsCount>>;
  responseStatusRanges(span: ApiSpan): Promise<AnswerOf<typeof responseStatusRanges>>;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

type AnswerOf<Asked> = Asked extends { shape(rows: never): infer Answer } ? Answer : never;

const log = createLog({
  name: 'test',
  level: process.env['ISTHMUS_TEST_LOG'] === undefined ? 'silent' : 'debug',
});

// Records of tests are of any time.
const forGood = { recordsKeptDays: 36_500, logsKeptDays: 36_500, keptDaysMax: 36_500 };

/** What works on a test's lake without an ingester. */
export const lakeParts = (
  { dir, storage, blobs }: TestLake,
  settings: Partial<AnalyticsSettings> = {},
): LakeParts => ({
  storage,
  blobs,
  dir: join(dir, 'analytics'),
  settings: analyticsSettings.parse({ leaseMs: 100, ...forGood, ...settings }),
  log,
  clock: systemClock,
});

/** Makes an empty one. */
export async function createTestLake(t: TestContext, database: TestDatabase): Promise<TestLake> {
  const dir = tempDir(t);
  const url = await database.createWithSchema(dir);
  const storage = await openStorage({ url, dataDir: dir, log });
  t.after(() => storage.close());
  const blobs = createFileBlobs(join(dir, 'bucket'));
  return {
    dir,
    url,
    storage,
    blobs,
    async start(settings = {}, more = {}) {
      const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
      t.after(() => lifecycle.close());
      // Files stay as they were written, unless a test wants them merged.
      const quick = { ingestEveryMs: 25, graceMs: 0, unfinishedMs: 0, leaseMs: 100, mergeEveryMs: 3_600_000 };
      const metrics = createMetrics();
      const analytics = await startAnalytics({
        storage,
        blobs,
        dir: join(dir, 'analytics'),
        settings: analyticsSettings.parse({ ...quick, ...forGood, ...settings }),
        log,
        clock: systemClock,
        lifecycle,
        metrics,
        ...more,
      });
      return {
        ...analytics,
        metrics,
        requestsCount: (span) => analytics.ask(requestsCount, span, { api: span.api }),
        responseStatusRanges: (span) => analytics.ask(responseStatusRanges, span, { api: span.api }),
        close: () => lifecycle.close(),
      };
    },
    async keys(prefix) {
      const found: string[] = [];
      for await (const { key } of blobs.list(prefix)) found.push(key);
      return found;
    },
    async events() {
      const rows = await storage.db.selectFrom('gateway_event').select(['kind', 'detail']).execute();
      const texts = rows.map(({ kind, detail }) => `${kind} ${detail.replace(/^.*: /, '')}`);
      return texts.toSorted((a, b) => (a < b ? -1 : 1));
    },
  };
}

/** Records of one API, one per ms. */
export const recordLines = (count: number, over: Record<string, unknown> = {}): readonly string[] =>
  Array.from({ length: count }, (_, n) => recordLine({ timestamp: 1_700_000_000_000 + n, ...over }));
