import { shipperConfigSchema } from '../../../shipper/config.ts';
import { startShipper } from '../../../shipper/start.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';

// A shipper in a process of its own for tests that kill it: settings come as JSON.
const log = createLog({ name: 'shipper', level: 'warn' });
const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
await startShipper({
  config: shipperConfigSchema.parse(JSON.parse(process.argv[2] ?? '{}')),
  log,
  clock: systemClock,
  lifecycle,
  metrics: createMetrics(),
  version: '0.0.0-test',
});
process.stdout.write('ready\n');
process.exitCode = await lifecycle.untilSignal();
