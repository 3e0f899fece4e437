import { join } from 'node:path';
import { startAnalytics } from '../../../control-plane/analytics/start.ts';
import { analyticsSettings } from '../../../control-plane/analytics/settings.ts';
import { createFileBlobs } from '../../../control-plane/storage/blobs/files.ts';
import { openStorage } from '../../../control-plane/storage/storage.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';

// An ingester in a process of its own that kills or stops itself at a step, once: arguments are folder, step, the database's url
// (empty: SQLite in the folder), the signal, and the length of its lease. It merges files if that is where it ends.
const [dir = '', fatalStep = '', url = '', signal = 'SIGKILL', leaseMs = '100'] = process.argv.slice(2);
let isDone = false;
const log = createLog({ name: 'ingester', level: 'warn' });
const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
await startAnalytics({
  storage: await openStorage({ url: url === '' ? undefined : url, dataDir: dir, log }),
  blobs: createFileBlobs(join(dir, 'bucket')),
  dir: join(dir, 'analytics'),
  settings: analyticsSettings.parse({
    ingestEveryMs: 10,
    graceMs: 0,
    leaseMs: Number(leaseMs),
    recordsKeptDays: 36_500,
    logsKeptDays: 36_500,
    keptDaysMax: 36_500,
    retireEveryMs: fatalStep.startsWith('re') ? 10 : 3_600_000,
    mergeEveryMs: /^(merge|rollup)/.test(fatalStep) ? 10 : 3_600_000,
    rollupRecordsMin: 100,
  }),
  log,
  clock: systemClock,
  lifecycle,
  metrics: createMetrics(),
  onStep: (step) => {
    if (step !== fatalStep || isDone) return;
    isDone = true;
    process.kill(process.pid, signal);
  },
});
process.exitCode = await lifecycle.untilSignal();
