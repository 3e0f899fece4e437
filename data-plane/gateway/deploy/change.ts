import type { Nack, RecordKind } from '../../../proto/wire/published.ts';
import type { JudgedApi } from './judged.ts';

/** A path of a record that begins with `from` stands in its file at `to` and what follows. */
export interface PlaceInFile {
  readonly from: string;
  readonly to: string;
}

/** Where a path of a record stands in its file. */
export function pathInFile(path: string, { from, to }: PlaceInFile = { from: '', to: '' }): string {
  if (path === '') return to;
  if (!path.startsWith(from)) return path;
  const rest = path.slice(from.length);
  return `${to}${to === '' || rest === '' || /^[.[]/.test(rest) ? '' : '.'}${rest}`;
}

/** A record to serve from now on, already proven by a verified head. */
export interface SetRecord {
  readonly kind: RecordKind;
  readonly id: string;
  readonly seq: number;
  /** What people call this state, e.g. '3' for the third deployment of an API. */
  readonly revision: string;
  /** Encoded message of this kind (proto/wire/payloads.ts). */
  readonly payload: Uint8Array;
  /** The file that says it, in a gateway of files: what its operator knows it by. */
  readonly file?: string | undefined;
  /** Where in that file it stands, so that what is told of it names places that are there. */
  readonly at?: PlaceInFile | undefined;
  /** What an earlier start of this program found out of it; undefined has it compiled at once. */
  readonly judged?: JudgedApi | undefined;
  /** Secrets that stand open in the payload: nothing that is said of the record repeats them. */
  readonly secrets?: readonly string[] | undefined;
  /** Why it is refused whatever it says, known before it is read. */
  readonly refusal?: Pick<Nack, 'code' | 'reason'> | undefined;
}

/** A record that is served no more: deleted, or no longer for this gateway. */
export interface RemovedRecord {
  readonly kind: RecordKind;
  readonly id: string;
}

/**
 * What changed in one environment between two verified heads; the gateway compiles it aside and swaps it in whole.
 *
 * Shape:  set and removed come in the order of recordKinds, then by seq; no record is in both.
 *         isFull: set is everything there is, and whatever is not in it is gone; removed is then empty.
 */
export interface ConfigChange {
  readonly organization: string;
  readonly environment: string;
  /** The seq of the head that proves this state. */
  readonly seq: number;
  readonly isFull: boolean;
  readonly set: readonly SetRecord[];
  readonly removed: readonly RemovedRecord[];
}

/**
 * Takes a change into service and returns the records it refused.
 *
 * A refused record keeps its previous revision in service; without one its API answers 503. Only records of this
 * change are returned, also one that APIs can no longer be built of; a refusal stands until the record is set again or
 * removed.
 */
export type ApplyChange = (change: ConfigChange) => readonly Nack[];

/** What of a change about to be applied can be done before and by and by, so that applying it holds nobody up. Never rejects. */
export type ReadAhead = (records: readonly SetRecord[]) => Promise<void>;

/**
 * Records that were refused since another API, perhaps of another environment, had one of their paths, which are all free by now: each as
 * the change that takes it in, whoever was refused first before the others.
 */
export type FreedRecords = () => readonly ConfigChange[];

/** Hears of a record that is in service by now although `apply` had refused it. */
export type HearTakenLate = (environment: string, record: Pick<Nack, 'kind' | 'id' | 'seq'>) => void;

/**
 * Resolves once everything applied so far in an environment is in service in every process of this gateway, with the
 * records that one of them refused although `apply` had taken them. Never rejects, and never waits for ever: a process
 * that does not answer in time is replaced.
 */
export type ConfirmChange = (environment: string) => Promise<readonly Nack[]>;

/** What may be kept of a record that is in service, see {@link JudgedApi}; undefined when it is not, or has to be compiled at every start. */
export type JudgedOf = (environment: string, record: Pick<SetRecord, 'id' | 'seq'>) => JudgedApi | undefined;

/** Hears of a record that was in service by what was kept of it, and does not compile all the same. */
export type HearRefusedLate = (environment: string, nack: Nack) => void;
