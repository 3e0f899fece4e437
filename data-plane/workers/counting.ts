import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { GatewayConfig } from '../config.ts';
import { createAskedCounters } from '../limits/asked.ts';
import type { Count, CounterStore } from '../limits/limiter.ts';
import { createMemoryCounters, type MemoryCounterStore } from '../limits/memory.ts';
import type { TakeMessage, TakenMessage } from './messages.ts';

/** The counters of a worker: the primary keeps them for all. */
export interface PrimaryCounters {
  readonly counters: CounterStore;
  /** The primary has answered. */
  taken(message: TakenMessage): void;
}

/** What a worker's counters need. */
export interface PrimaryCountersOptions {
  readonly limits: GatewayConfig['limits'];
  /** How many workers there are. */
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Rejects when the primary is gone. */
  readonly send: (message: TakeMessage) => Promise<void>;
}

/** Makes them; nothing is sent before something is taken. */
export function createPrimaryCounters(options: PrimaryCountersOptions): PrimaryCounters {
  const { limits, workers, clock, log, metrics, send } = options;
  const alone = metrics.counter(
    'isthmus_gateway_counted_alone_total',
    'Counts of rate limits that a worker took by itself, since the primary was late.',
  );
  const asked = new Map<number, (counts: readonly Count[]) => void>();
  let number = 0;
  let isTold = false;
  const counters = createAskedCounters({
    waitMsMax: limits.waitMsMax,
    waitingMax: limits.waitingMax,
    askers: workers,
    owedMax: limits.waitingMax,
    clock,
    local: createMemoryCounters({ windowsMax: limits.windowsMax, clock }),
    send: (takes) =>
      new Promise((resolve, reject) => {
        number += 1;
        asked.set(number, resolve);
        send({ kind: 'take', batch: number, takes }).catch(reject);
      }),
    onLocal: () => alone.inc(),
    onAway() {
      if (isTold) return;
      isTold = true;
      log.warn(
        { waitMsMax: limits.waitMsMax },
        'the primary did not count within limits.waitMsMax: until it answers, each worker lets its share of rate limits pass (said once; isthmus_gateway_counted_alone_total goes on)',
      );
    },
    onBack: () => undefined,
  });
  return {
    counters,
    taken({ batch, counts, resetsAtMs }) {
      const resolve = asked.get(batch);
      asked.delete(batch);
      resolve?.(counts.map((count, index) => ({ count, resetAtMs: resetsAtMs[index] ?? 0 })));
    },
  };
}

/** The primary's part: counts for a worker. */
export function countFor({ batch, takes }: TakeMessage, counters: MemoryCounterStore): TakenMessage {
  const taken = takes.map(({ environment, key, rule, amount }) => {
    // Read at once: the next take may change it.
    const { count, resetAtMs } = counters.within(environment).take(key, rule, amount);
    return { count, resetAtMs };
  });
  return {
    kind: 'taken',
    batch,
    counts: taken.map(({ count }) => count),
    resetsAtMs: taken.map(({ resetAtMs }) => resetAtMs),
  };
}
