import { isRecordEntitled } from '../../proto/trust/entitlement.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { isKnownKind } from '../../proto/wire/fields.ts';
import { decodeGatewaySettings } from '../../proto/wire/payloads.ts';
import {
  recordKinds,
  type EnvironmentRef,
  type Nack,
  type RecordHeader,
} from '../../proto/wire/published.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import type { RemovedRecord, SetRecord } from '../gateway/deploy/change.ts';
import type { StoredRecord } from '../store/store.ts';
import { keyOf, type Entry, type RecordSet } from './record-set.ts';

/** What a proven candidate would do to this gateway. */
export interface Transition {
  /** The candidate, without the records that this gateway may not have. */
  readonly next: RecordSet;
  readonly tags: readonly string[];
  readonly set: readonly SetRecord[];
  readonly removed: readonly RemovedRecord[];
  /** Records that this gateway can make nothing of; they are refused alone. */
  readonly nacks: readonly Nack[];
  /** For the store: every header that changed, with its record when it is ours. */
  readonly changed: readonly StoredRecord[];
  readonly gone: readonly RemovedRecord[];
  /** Records this gateway is entitled to by its own fleet's settings, but did not get. */
  readonly withheld: readonly RecordHeader[];
  /** Records that came without being ours. */
  readonly unentitled: number;
}

/** What a transition starts from. */
export interface TransitionInput {
  readonly at: EnvironmentRef;
  readonly fleet: string;
  readonly current: RecordSet;
  readonly currentTags: readonly string[] | undefined;
  /** What the bridge says we may see; used only while no settings of our fleet are published. */
  readonly grantedTags: readonly string[];
  readonly candidate: RecordSet;
  /** The record's bytes as they came, undefined when they did not. */
  readonly bytesOf: (header: RecordHeader) => Uint8Array | undefined;
}

/** Compares a proven candidate with what is served; pure, nothing happens yet. */
export function planTransition(input: TransitionInput): Transition {
  const { current, candidate, bytesOf, at } = input;
  const tags = ownTags(input);
  const gateway = { fleet: input.fleet, tags };
  const haveTagsChanged = input.currentTags === undefined || !isSameList(tags, input.currentTags);
  const withheld: RecordHeader[] = [];
  const dropped: Entry[] = [];
  const judge = (entry: Entry): void => {
    const isOurs = !entry.header.isDeleted && isRecordEntitled(gateway, entry.header);
    if (isOurs && !entry.hasBytes) withheld.push(entry.header);
    if (!isOurs && entry.hasBytes) dropped.push({ ...entry, hasBytes: false });
  };
  // Our own tags decide over every record, so when they change every record is judged again.
  if (haveTagsChanged) for (const entry of candidate.entries()) judge(entry);
  else for (const { after } of candidate.differences(current)) if (after !== undefined) judge(after);
  const next = dropped.length === 0 ? candidate : candidate.with(dropped);

  const set: SetRecord[] = [];
  const removed: RemovedRecord[] = [];
  const nacks: Nack[] = [];
  const changed: StoredRecord[] = [];
  const gone: RemovedRecord[] = [];
  for (const { before, after } of next.differences(current)) {
    if (after === undefined) {
      if (before !== undefined) gone.push(nameOf(before.header));
    } else {
      const bytes = after.hasBytes ? bytesOf(after.header) : undefined;
      changed.push({ header: after.header, bytes });
      if (bytes !== undefined) readInto({ set, nacks }, { at, header: after.header, bytes });
    }
    if (before?.hasBytes === true && after?.hasBytes !== true) removed.push(nameOf(before.header));
  }
  const unentitled = dropped.filter(
    ({ header }) => !header.isDeleted && bytesOf(header) !== undefined,
  ).length;
  return { next, tags, set: inOrder(set), removed, nacks, changed, gone, withheld, unentitled };
}

/** Reads one record for service, or says why not. */
export function readInto(
  into: { readonly set: SetRecord[]; readonly nacks: Nack[] },
  {
    at,
    header,
    bytes,
    judged,
  }: {
    readonly at: EnvironmentRef;
    readonly header: RecordHeader;
    readonly bytes: Uint8Array;
    readonly judged?: SetRecord['judged'];
  },
): void {
  const { kind, id, seq } = header;
  const refuse = (code: string, reason: string): number => into.nacks.push({ kind, id, seq, code, reason });
  if (!isKnownKind(kind)) {
    refuse('record.unknown_kind', `this version does not know records of kind ${String(kind)}`);
    return;
  }
  try {
    const record = decodeRecord(bytes);
    // The hash is proven; a record that contradicts its own header is the publisher's fault and refused alone.
    const isItself = record.kind === kind && record.id === id && record.seq === seq;
    if (!isItself || record.organization !== at.organization || record.environment !== at.environment)
      refuse('record.mismatch', 'the record is not the one that its header names');
    else into.set.push({ kind, id, seq, revision: record.revision, payload: record.payload, judged });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    refuse('record.malformed', error.detail);
  }
}

/** In the order of kinds, then as published: settings before APIs before their subscriptions and keys. */
export function inOrder(records: readonly SetRecord[]): readonly SetRecord[] {
  const byKind = Map.groupBy(records, ({ kind }) => kind);
  return recordKinds.flatMap((kind) => byKind.get(kind)?.toSorted((a, b) => a.seq - b.seq) ?? []);
}

/** The tags that our fleet's own record gives us: proven by the head, so the bridge cannot narrow them. */
function ownTags({
  candidate,
  current,
  currentTags,
  fleet,
  bytesOf,
  grantedTags,
  at,
}: TransitionInput): readonly string[] {
  const settings = candidate.get('gateway-settings', fleet);
  if (settings === undefined || settings.header.isDeleted) return grantedTags;
  if (settings === current.get('gateway-settings', fleet) && currentTags !== undefined) return currentTags;
  const bytes = bytesOf(settings.header);
  const read = { set: [] as SetRecord[], nacks: [] as Nack[] };
  if (bytes !== undefined) readInto(read, { at, header: settings.header, bytes });
  const payload = read.set[0]?.payload;
  if (payload === undefined) return currentTags ?? grantedTags;
  try {
    return decodeGatewaySettings(payload).tags;
  } catch {
    // Settings of a later version: what was in force stays in force.
    return currentTags ?? grantedTags;
  }
}

function nameOf({ kind, id }: RecordHeader): RemovedRecord {
  return { kind, id };
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** They travel in one hello, which a bridge takes up to a few MiB. */
const nacksMax = 2_000;
const reasonCharsMax = 500;

/** Refusals that still stand after a change: what was set again or removed has cleared. */
export function standingNacks(
  before: readonly Nack[],
  touched: readonly RemovedRecord[],
  added: readonly Nack[],
): readonly Nack[] {
  const isTouched = new Set([...touched, ...added].map((each) => keyOf(each)));
  return [...before.filter((nack) => !isTouched.has(keyOf(nack))), ...added]
    .slice(0, nacksMax)
    .map((nack) =>
      nack.reason.length > reasonCharsMax ? { ...nack, reason: nack.reason.slice(0, reasonCharsMax) } : nack,
    );
}
