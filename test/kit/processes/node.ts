import type { TestContext } from 'node:test';

import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { startNodeApi } from '../../../proto/process/node-api.ts';

/** Starts the node API of a process that is nothing else; says its port. */
export function startNode(t: TestContext, process: string): Promise<number> {
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const address = { host: '127.0.0.1', port: 0 };
  return startNodeApi({
    process,
    version: '0.0.0-test',
    address,
    metrics: createMetrics(),
    health: () => ({ degraded: [] }),
    ready: () => ({ parts: {} }),
    log,
    clock: systemClock,
    lifecycle,
  });
}
