import {
  addMetrics,
  boundMetrics,
  lastingMetrics,
  type LabelBound,
  type MetricsSnapshot,
} from '../../proto/process/metrics.ts';
import type { ReporterHealth } from '../report/reporter.ts';
import type { WorkerStats } from './messages.ts';

/**
 * Adds up what workers count. A worker that has ended leaves its counts, so that a sum never falls: to Prometheus a
 * counter that falls has started again from zero.
 */
export interface Figures {
  /** Keeps the counts of a worker that has ended. */
  retire(stats: WorkerStats): void;
  /** Figures for the heartbeat, of the living and the dead. */
  counters(living: readonly WorkerStats[]): Readonly<Record<string, number>>;
  /** Undefined when no access records are written. `own` is the primary's, which sees the disk. */
  spool(own: ReporterHealth | undefined, living: readonly WorkerStats[]): ReporterHealth | undefined;
  /** What to add to the primary's own metrics. */
  metrics(living: readonly WorkerStats[]): Promise<readonly MetricsSnapshot[]>;
}

/** Starts at zero. `bound` keeps few what workers leave behind. */
export function createFigures(bound: LabelBound): Figures {
  let goneMetrics: Promise<MetricsSnapshot> = Promise.resolve([]);
  let goneCounters: Readonly<Record<string, number>> = {};
  let goneDropped = 0;
  return {
    retire({ counters, spool, metrics }) {
      goneMetrics = goneMetrics.then(async (gone) =>
        boundMetrics(await addMetrics([gone, lastingMetrics(metrics)]), bound),
      );
      // What a spool holds is no count: it is on the disk, which the primary sees. Nor are ways to Redis, which end with their worker.
      const { spoolBytes: _bytes, redisWays: _ways, redisWaysAway: _away, ...counts } = counters;
      goneCounters = sum([goneCounters, counts]);
      goneDropped += spool?.droppedRecords ?? 0;
    },
    counters: (living) => sum([goneCounters, ...living.map(({ counters }) => counters)]),
    spool(own, living) {
      if (own === undefined) return undefined;
      const all = [own, ...living.flatMap(({ spool }) => (spool === undefined ? [] : [spool]))];
      return {
        state: all.some(({ state }) => state === 'degraded') ? 'degraded' : 'ok',
        problem: all.find(({ problem }) => problem !== undefined)?.problem,
        droppedRecords: all.reduce((total, { droppedRecords }) => total + droppedRecords, goneDropped),
        bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      };
    },
    metrics: async (living) => [await goneMetrics, ...living.map(({ metrics }) => metrics)],
  };
}

function sum(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const total = new Map<string, number>();
  for (const figures of all)
    for (const [name, value] of Object.entries(figures)) total.set(name, (total.get(name) ?? 0) + value);
  return Object.fromEntries(total);
}
