import type { RecordKind } from '../../proto/wire/published.ts';
import type { StoredChange, StoredEnvironment, StoredRecord } from './store.ts';

/** Changes of one environment folded into one. */
export interface PendingChange {
  readonly state: StoredEnvironment;
  readonly isFull: boolean;
  readonly records: ReadonlyMap<string, StoredRecord>;
  readonly gone: ReadonlyMap<string, { readonly kind: RecordKind; readonly id: string }>;
}

/**
 * Changes that are applied but not on disk yet.
 *
 * A change written over a missing one would leave a file that no head proves, so what a full disk refuses is folded
 * into the next change. Bounded by the size of the whole configuration.
 */
export interface Unsaved {
  add(change: StoredChange): void;
  changes(): readonly PendingChange[];
  /** It is on disk; stays when more was folded into it meanwhile. */
  written(change: PendingChange): void;
  delete(environment: string): void;
  clear(): void;
  /** Records and removals that wait; a change of state alone counts as one. */
  size(): number;
}

/** Makes an empty one. */
export function createUnsaved(): Unsaved {
  const pending = new Map<string, PendingChange>();
  return {
    add(change) {
      const before = change.isFull ? undefined : pending.get(change.state.environment);
      const records = new Map(before?.records);
      const gone = new Map(before?.gone);
      for (const record of change.records) {
        const key = `${record.header.kind}\0${record.header.id}`;
        records.set(key, record);
        gone.delete(key);
      }
      for (const removed of change.gone) {
        const key = `${removed.kind}\0${removed.id}`;
        records.delete(key);
        gone.set(key, removed);
      }
      const isFull = change.isFull || before?.isFull === true;
      pending.set(change.state.environment, { state: change.state, isFull, records, gone });
    },
    changes: () => [...pending.values()],
    written(change) {
      const { environment } = change.state;
      if (pending.get(environment) === change) pending.delete(environment);
    },
    delete: (environment) => void pending.delete(environment),
    clear: () => pending.clear(),
    size: () =>
      [...pending.values()].reduce(
        (sum, { records, gone }) => sum + Math.max(1, records.size + gone.size),
        0,
      ),
  };
}
