import type { Clock } from '../../proto/process/clock.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { GatewayConfig } from '../config.ts';
import type { CounterStore } from './limiter.ts';
import { createMemoryCounters } from './memory.ts';

/** What counters need of their process. */
interface CountersOptions {
  readonly config: Pick<GatewayConfig, 'limits'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
}

/** Opens the counters of rate limits, and closes them with the life-cycle: in Redis, or in this process. */
export async function openCounters({
  config,
  clock,
  log,
  metrics,
  lifecycle,
}: CountersOptions): Promise<CounterStore> {
  const { redis: settings, windowsMax, waitingMax } = config.limits;
  if (settings === undefined) return createMemoryCounters({ windowsMax, clock });
  const unanswered = metrics.counter(
    'isthmus_gateway_uncounted_total',
    'Counts of rate limits that Redis did not answer; their errorStrategy decided.',
  );
  const { openRedisCounters } = await import('./redis.ts');
  const counters = await openRedisCounters({
    settings,
    waitingMax,
    windowsMax,
    clock,
    log,
    onUnanswered: () => unanswered.inc(),
  });
  lifecycle.onClose('counters', () => counters.close());
  return counters;
}
