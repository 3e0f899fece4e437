import { type Nack, recordKinds } from '../../proto/wire/published.ts';
import type { ConfigChange, SetRecord } from '../gateway/deploy/change.ts';

interface Held {
  /** What is in service. */
  readonly good: SetRecord | undefined;
  /** A newer state that was refused. */
  readonly refused: SetRecord | undefined;
  readonly code: string | undefined;
}

interface HeldEnvironment {
  readonly organization: string;
  seq: number;
  readonly records: Map<string, Held>;
}

/**
 * Everything that is in service, as records: what a worker that starts now has to be given.
 *
 * It holds the payloads that the deployments hold too, by reference.
 */
export interface ServedSet {
  /** Remembers a change with what was refused of it. */
  take(change: ConfigChange, nacks: readonly Nack[]): void;
  /** Changes that bring an empty worker to where the others are, in order. */
  changes(): readonly ConfigChange[];
}

/** Refused since another API has the path: to a worker it says nothing, and were it given, the order would decide anew. */
const pathTaken = 'path.taken';

/** Makes an empty set. */
export function createServedSet(): ServedSet {
  const environments = new Map<string, HeldEnvironment>();
  return {
    take(change, nacks) {
      const { organization, environment, seq } = change;
      const before = environments.get(environment);
      const refusals = new Map(nacks.map((nack) => [keyOf(nack), nack.code]));
      const isFresh = change.isFull || before === undefined;
      const records = isFresh ? new Map<string, Held>() : before.records;
      for (const each of change.removed) records.delete(keyOf(each));
      for (const record of change.set) {
        const key = keyOf(record);
        const code = refusals.get(key);
        const good = code === undefined ? record : before?.records.get(key)?.good;
        records.set(key, { good, refused: code === undefined ? undefined : record, code });
      }
      environments.set(environment, { organization, seq, records });
    },
    changes: () => [...environments].flatMap(([environment, held]) => changesOf(environment, held)),
  };
}

function changesOf(
  environment: string,
  { organization, seq, records }: HeldEnvironment,
): readonly ConfigChange[] {
  const all = [...records.values()];
  const at = { organization, environment, seq, removed: [] };
  const good = all.flatMap((held) => (held.good === undefined ? [] : [held.good]));
  const refused = all.flatMap(({ refused: record, code }) =>
    record === undefined || code === pathTaken ? [] : [record],
  );
  const full = { ...at, isFull: true, set: good.toSorted(inOrder) };
  // After what is in service, so that a record refused again finds its predecessor.
  return refused.length === 0 ? [full] : [full, { ...at, isFull: false, set: refused.toSorted(inOrder) }];
}

const keyOf = ({ kind, id }: { readonly kind: string; readonly id: string }): string => `${kind}\0${id}`;

const inOrder = (a: SetRecord, b: SetRecord): number =>
  recordKinds.indexOf(a.kind) - recordKinds.indexOf(b.kind) || a.seq - b.seq;
