import { hash } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import { isRecordEntitled } from '../../proto/trust/entitlement.ts';
import { verifyHead } from '../../proto/trust/heads.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef, Nack } from '../../proto/wire/published.ts';
import { decodeGatewaySettings } from '../../proto/wire/payloads.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import type { SetRecord } from '../gateway/deploy/change.ts';
import type { Predecessors } from '../store/predecessors.ts';
import type { LoadedEnvironment } from '../store/store.ts';
import type { Judgements } from './judgements.ts';
import { keyOf, RecordSet } from './record-set.ts';
import { inOrder, readInto } from './transition.ts';

/** What the store holds, proven again, or why it is not believed. */
export type StoredReading =
  | {
      readonly kind: 'ok';
      readonly set: RecordSet;
      readonly head: SignedHead;
      /** What was in service: each record, or what it was before it was refused. */
      readonly lastGood: readonly SetRecord[];
      /** Records refused last time that have a predecessor in lastGood; another version may take them. */
      readonly refusedBefore: readonly SetRecord[];
      readonly nacks: readonly Nack[];
    }
  | { readonly kind: 'refused'; readonly detail: string };

/**
 * Proves what is on disk as if it had just come from a bridge: signature, digest, count, the hash of each record, and that none is missing
 * that is ours. A bridge that hears of the same head sends nothing again.
 *
 * Cost: about 10 us per record.
 */
export function readStored(
  stored: LoadedEnvironment,
  trust: {
    readonly at: EnvironmentRef;
    readonly fleet: string;
    readonly rootKey: Uint8Array;
    readonly nowMs: number;
    /** Undefined has every API compiled. */
    readonly judgements: Judgements | undefined;
    readonly predecessors: Predecessors;
  },
): StoredReading {
  const verdict = verifyHead(stored.head, {
    rootKey: trust.rootKey,
    certificates: stored.certificates,
    environment: trust.at,
    nowMs: trust.nowMs,
  });
  if (verdict.kind === 'refused') return { kind: 'refused', detail: `the stored head: ${verdict.detail}` };
  const { head } = verdict;
  const set = RecordSet.empty.with(
    stored.records.map(({ header, bytes }) => ({ header, hasBytes: bytes !== undefined })),
  );
  if (set.count() !== head.count || Buffer.compare(set.digest(), head.digest) !== 0)
    return { kind: 'refused', detail: 'the stored records do not give the digest of the stored head' };
  const good = { set: [] as SetRecord[], nacks: [] as Nack[] };
  const refusedBefore = { set: [] as SetRecord[], nacks: [] as Nack[] };
  const wasRefused = new Set(stored.refused.map((nack) => keyOf(nack)));
  const gateway = { fleet: trust.fleet, tags: tagsOf(stored, trust.fleet) };
  for (const record of stored.records) {
    const { header, bytes, previous } = record;
    if (bytes === undefined) {
      if (header.isDeleted || !isRecordEntitled(gateway, header)) continue;
      return {
        kind: 'refused',
        detail: `the stored record ${header.kind} ${header.id} has lost its content`,
      };
    }
    if (Buffer.compare(hash('sha256', bytes, 'buffer'), header.sha256) !== 0)
      return { kind: 'refused', detail: `the stored record ${header.kind} ${header.id} has another hash` };
    const hasPredecessor =
      previous !== undefined && wasRefused.has(keyOf(header)) && trust.predecessors.holds(record);
    const judged =
      header.kind === 'api'
        ? trust.judgements?.read(trust.at.environment, header, stored.judged.get(header.id))
        : undefined;
    readInto(hasPredecessor ? refusedBefore : good, { at: trust.at, header, bytes, judged });
    if (hasPredecessor) readPredecessor(good.set, { at: trust.at, header, bytes: previous });
  }
  return {
    kind: 'ok',
    set,
    head,
    lastGood: inOrder(good.set),
    refusedBefore: inOrder(refusedBefore.set),
    nacks: [...good.nacks, ...refusedBefore.nacks],
  };
}

/** Of our fleet's own record, which the head proves; what the file says beside it counts only where there is none, as a bridge's word does. */
function tagsOf({ records, tags }: LoadedEnvironment, fleet: string): readonly string[] {
  const own = records.find(({ header: { kind, id } }) => kind === 'gateway-settings' && id === fleet);
  if (own?.bytes === undefined) return tags;
  try {
    return decodeGatewaySettings(decodeRecord(own.bytes).payload).tags;
  } catch {
    // Settings of a later version: those before stayed in force.
    return tags;
  }
}

/** The predecessor's header line is gone, so its seq is read from itself. */
function readPredecessor(set: SetRecord[], { at, header, bytes }: Parameters<typeof readInto>[1]): void {
  try {
    readInto({ set, nacks: [] }, { at, header: { ...header, seq: decodeRecord(bytes).seq }, bytes });
  } catch (error) {
    // It is a courtesy; without it the record answers 503 until its next revision.
    if (!(error instanceof Fault)) throw error;
  }
}
