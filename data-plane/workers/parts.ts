import type { ConfigChange, RemovedRecord, SetRecord } from '../gateway/deploy/change.ts';
import type { ChangePart } from './messages.ts';

/** Bounds of one message; a single record larger than that travels alone. */
const partBytesMax = 1024 * 1024;
const partRecordsMax = 2_000;

/** Cuts a change into messages, made one by one so that a large set is never in memory twice. */
export function* partsOf(change: ConfigChange, number: number): Generator<ChangePart> {
  const { organization, environment, seq, isFull } = change;
  const part = (
    set: readonly SetRecord[],
    removed: readonly RemovedRecord[],
    isLast: boolean,
  ): ChangePart => ({
    change: number,
    organization,
    environment,
    seq,
    isFull,
    set,
    removed,
    isLast,
  });
  for (let at = 0; at < change.removed.length; at += partRecordsMax)
    yield part([], change.removed.slice(at, at + partRecordsMax), false);
  let set: SetRecord[] = [];
  let bytes = 0;
  for (const record of change.set) {
    if (set.length > 0 && (set.length >= partRecordsMax || bytes + record.payload.length > partBytesMax)) {
      yield part(set, [], false);
      set = [];
      bytes = 0;
    }
    set.push(record);
    bytes += record.payload.length;
  }
  yield part(set, [], true);
}

/** Puts the pieces of changes together again; they come one change after another. */
export function createAssembly(): (part: ChangePart) => ConfigChange | undefined {
  let set: SetRecord[] = [];
  let removed: RemovedRecord[] = [];
  return (part) => {
    for (const record of part.set) set.push(record);
    for (const record of part.removed) removed.push(record);
    if (!part.isLast) return undefined;
    const { organization, environment, seq, isFull } = part;
    const whole = { organization, environment, seq, isFull, set, removed };
    set = [];
    removed = [];
    return whole;
  };
}
