import type { CounterMetric, Metrics } from '../../proto/process/metrics.ts';
import type { LastingTrouble } from '../../proto/trust/border.ts';
import type { SyncState } from './state.ts';

/** The metrics of this room. */
export interface SyncMetrics {
  readonly refused: CounterMetric;
  /** Shows what keeps the gateway out, at once; undefined when nothing does. */
  trouble(this: void, present: LastingTrouble | undefined): void;
  /** Sets the gauges from a state. */
  update(state: SyncState): void;
}

/** Registers isthmus_sync_*. */
export function createSyncMetrics(metrics: Metrics): SyncMetrics {
  const gauge = (what: string, help: string) => metrics.gauge(`isthmus_sync_${what}`, help, ['environment']);
  const seq = gauge('seq', 'Seq of the head that is served.');
  const epoch = gauge('epoch', 'Epoch of the head that is served.');
  const age = gauge('age_seconds', 'Time since the newest head.');
  const nacks = gauge('nacks', 'Records refused at their present revision.');
  const records = gauge('records', 'Records on this gateway.');
  const expired = gauge('head_expired', '1 when no new head has come for too long.');
  const connected = metrics.gauge('isthmus_sync_connected', '1 while the bridge answers.', ['mode']);
  const trouble = metrics.gauge(
    'isthmus_sync_trouble',
    '1 while the bridge does not let this gateway in; the code says why.',
    ['code'],
  );
  return {
    trouble(present) {
      trouble.reset();
      if (present !== undefined) trouble.set({ code: present.code }, 1);
    },
    refused: metrics.counter('isthmus_sync_refused_total', 'What came from the bridge and was refused.', [
      'reason',
    ]),
    update(state) {
      for (const each of state.environments) {
        const { environment } = each;
        seq.set({ environment }, each.seq);
        epoch.set({ environment }, each.epoch);
        age.set({ environment }, (each.ageMs ?? 0) / 1_000);
        nacks.set({ environment }, each.nacks.length);
        records.set({ environment }, each.recordsHeld);
        expired.set({ environment }, each.isHeadExpired ? 1 : 0);
      }
      connected.reset();
      connected.set({ mode: state.mode }, state.isConnected ? 1 : 0);
    },
  };
}
