import { join } from 'node:path';
import { startAnalytics } from '../../control-plane/analytics/start.ts';
import { AnalyticsSettings } from '../../control-plane/analytics/settings.ts';
import { createFileBlobs } from '../../control-plane/storage/blobs/files.ts';
import { openStorage } from '../../control-plane/storage/storage.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';

// An ingester in a process of its own that kills itself at a step: arguments are folder, step, and the database's url.
const [dir = '', fatalStep = '', url] = process.argv.slice(2);
const log = createLog({ name: 'ingester', level: 'warn' });
const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
await startAnalytics({
  storage: await openStorage({ url, dataDir: dir, log }),
  blobs: createFileBlobs(join(dir, 'bucket')),
  dir: join(dir, 'analytics'),
  settings: AnalyticsSettings.parse({ ingestEveryMs: 10, graceMs: 0, leaseMs: 100 }),
  log,
  clock: systemClock,
  lifecycle,
  metrics: createMetrics(),
  onStep: (step) => {
    if (step === fatalStep) process.kill(process.pid, 'SIGKILL');
  },
});
process.exitCode = await lifecycle.untilSignal();
