import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { verifyHead, type HeadRefusal, type HeadVerdict } from '../../proto/trust/heads.ts';
import type { HeldEnvironment } from '../../proto/wire/frames.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef, Nack, RecordHeader } from '../../proto/wire/published.ts';
import type { ApplyChange, ConfirmChange } from '../gateway/deploy/change.ts';
import type { LoadedEnvironment, SeenHead, Store } from '../store/store.ts';
import { Batch, type Excess } from './batch.ts';
import { Certificates } from './certificates.ts';
import { readStored } from './cold-start.ts';
import { Freshness } from './freshness.ts';
import { RecordSet } from './record-set.ts';
import type { EnvironmentState, RefusalReason } from './state.ts';
import { planTransition, standingNacks, type Transition } from './transition.ts';

/** What came of a head. */
export type HeadOutcome =
  /** Serving it; say so to the bridge. */
  | {
      readonly kind: 'applied';
      readonly epoch: number;
      readonly seq: number;
      readonly nacks: readonly Nack[];
    }
  /** More of the batch follows. */
  | { readonly kind: 'announced' }
  /** The same set under a fresh signature. */
  | { readonly kind: 'unchanged' }
  /** Our set differs: these are our bucket hashes. */
  | { readonly kind: 'buckets'; readonly hashes: Uint8Array }
  /** The answer to our buckets is still to come. */
  | { readonly kind: 'waiting' }
  /** Only the whole set helps; the next hello says that we hold nothing. */
  | { readonly kind: 'resync'; readonly detail: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string };

/** What one environment needs of its surroundings. */
export interface EnvironmentOptions {
  readonly at: EnvironmentRef;
  readonly fleet: string;
  readonly rootKey: Uint8Array;
  readonly store: Store;
  readonly apply: ApplyChange;
  /** Several processes serve: an acknowledgement waits for all of them. */
  readonly confirm?: ConfirmChange | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was stored; see savedRootKey. */
  readonly onSaved?: (() => void) | undefined;
  readonly onRefused: (environment: string, reason: RefusalReason) => void;
}

/** How many heads may pass while the answer to our buckets is awaited; each comes with a change or every 30 s. */
const headsWhileWaitingMax = 3;
/** How old the stored signature may be while newer ones come. */
const headSavedMsMax = 5 * 60_000;

/**
 * Follows one environment: gathers aside what the bridge sends, proves it by a signed head, stores it, applies it.
 *
 * What is served changes only in `takeHead` and `load`; whatever a bridge sends, the old set stays until a new one is
 * proven whole. Frames of one environment must be given one after another: await takeHead.
 */
export class Environment {
  readonly at: EnvironmentRef;
  readonly certificates: Certificates;
  /** Counts sets taken into service. */
  appliedCount = 0;
  /** A whole set is fetched as one file once; after that the stream sends it. */
  hasTriedSnapshot = false;
  readonly #options: EnvironmentOptions;
  #current = RecordSet.empty;
  #head: SignedHead | undefined;
  #seen: Pick<SeenHead, 'epoch' | 'seq' | 'digest'> | undefined;
  #tags: readonly string[] | undefined;
  #grantedTags: readonly string[] | undefined;
  #nacks: readonly Nack[] = [];
  #batch = new Batch();
  #headsWhileWaiting: number | undefined;
  #mustResync = false;
  readonly #freshness: Freshness;
  #savedIssuedAtMs = 0;
  readonly #refused: Partial<Record<RefusalReason, number>> = {};
  #lastRefusal: string | undefined;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.at = options.at;
    this.certificates = new Certificates(options);
    this.#freshness = new Freshness(options.clock);
  }

  /** Takes what the store holds into service if it still verifies; says what is wrong otherwise. */
  load(stored: LoadedEnvironment | undefined, seen: SeenHead | undefined): string | undefined {
    this.#seen = seen;
    if (stored === undefined) return undefined;
    const read = readStored(stored, {
      at: this.at,
      rootKey: this.#options.rootKey,
      nowMs: this.#options.clock.now(),
    });
    if (read.kind === 'refused') return read.detail;
    this.#current = read.set;
    this.#head = read.head;
    this.#freshness.stored(read.head);
    this.#tags = stored.tags;
    this.#grantedTags = stored.tags;
    this.#savedIssuedAtMs = read.head.issuedAtMs;
    this.certificates.load(stored.certificates);
    if (
      seen === undefined ||
      read.head.epoch > seen.epoch ||
      (read.head.epoch === seen.epoch && read.head.seq > seen.seq)
    )
      this.#seen = read.head;
    const meta = { ...this.at, seq: read.head.seq };
    const refused = this.#options.apply({ ...meta, isFull: true, set: read.lastGood, removed: [] });
    this.#nacks = standingNacks([], [], [...read.nacks, ...refused]);
    if (read.refusedBefore.length > 0) {
      // After what was served before, so that a record refused again finds its predecessor in service.
      const again = this.#options.apply({ ...meta, isFull: false, set: read.refusedBefore, removed: [] });
      this.#nacks = standingNacks(this.#nacks, read.refusedBefore, again);
    }
    return undefined;
  }

  /** What to say of it in the hello. */
  held(): HeldEnvironment {
    const { environment } = this.at;
    const head = this.#mustResync ? undefined : this.#head;
    if (head === undefined)
      return { environment, epoch: 0, seq: 0, digest: new Uint8Array(), refused: this.#nacks };
    return { environment, epoch: head.epoch, seq: head.seq, digest: head.digest, refused: this.#nacks };
  }

  /** A new connection: what the last one left unproven is dropped. */
  begin(): void {
    this.#batch = new Batch();
    this.#headsWhileWaiting = undefined;
  }

  /** What the bridge says we may see; believed only while no settings of our fleet are published. */
  granted(tags: readonly string[]): void {
    this.#grantedTags = tags;
  }

  addHeaders(headers: readonly RecordHeader[], isFull: boolean): void {
    this.#batch.addHeaders(headers, isFull);
  }

  addPayloads(records: readonly Uint8Array[]): void {
    this.#batch.addPayloads(records);
  }

  addBuckets(answer: {
    readonly buckets: readonly number[];
    readonly headers: readonly RecordHeader[];
    readonly isLast: boolean;
  }): void {
    this.#batch.addBuckets(answer.buckets, answer.headers, answer.isLast);
    if (answer.isLast) this.#headsWhileWaiting = undefined;
  }

  /** The next hello says that we hold nothing, so that everything comes. */
  startOver(): void {
    this.#mustResync = true;
  }

  /** What came beyond what announced heads cover, or our own bounds. */
  excess(): Excess | undefined {
    return this.#batch.excess();
  }

  /** Judges a head in the midst of a batch: it says how many header lines there are, and proves those that came. */
  announce(bytes: Uint8Array): HeadOutcome {
    const verdict = this.#judge(bytes);
    if (verdict.kind === 'refused') return this.refuse(verdict.reason, verdict.detail);
    this.#batch.announce(verdict.head, this.#current);
    return { kind: 'announced' };
  }

  /** Judges a head and, when it proves what was gathered, stores and serves it. */
  async takeHead(bytes: Uint8Array): Promise<HeadOutcome> {
    const verdict = this.#judge(bytes);
    if (verdict.kind === 'refused') return this.refuse(verdict.reason, verdict.detail);
    const { head } = verdict;
    if (this.#isServing(head) && this.#batch.isEmpty()) {
      if (this.#freshness.came(head, verdict.isExpired)) this.#head = head;
      // So that a restart does not call a configuration old that was proven a moment ago.
      const isOld = head.issuedAtMs - this.#savedIssuedAtMs > headSavedMsMax;
      if (isOld || !this.certificates.isSaved) await this.#save(head, bytes);
      return { kind: 'unchanged' };
    }
    const outcome = await this.#prove(head, bytes);
    if (outcome.kind === 'applied') this.#freshness.came(head, verdict.isExpired);
    return outcome;
  }

  state(): EnvironmentState {
    return {
      environment: this.at.environment,
      epoch: this.#head?.epoch ?? 0,
      seq: this.#head?.seq ?? 0,
      ageMs: this.#freshness.ageMs(),
      isComplete: this.#head !== undefined,
      isHeadExpired: this.#freshness.isExpired(),
      records: this.#current.sizes().records,
      recordsHeld: this.#current.sizes().held,
      refused: { ...this.#refused },
      lastRefusal: this.#lastRefusal,
      nacks: this.#nacks,
    };
  }

  /** Counts and reports something that is not taken; what is served stays. */
  refuse(reason: RefusalReason, detail: string): HeadOutcome {
    this.#count(reason, detail);
    this.#batch = new Batch();
    this.#headsWhileWaiting = undefined;
    // A refused head says nothing about our set; refused records do: start over from everything.
    this.#mustResync ||= !headRefusals.has(reason);
    return { kind: 'refused', reason, detail };
  }

  #judge(bytes: Uint8Array): HeadVerdict {
    const { clock, rootKey, store } = this.#options;
    const verdict = verifyHead(bytes, {
      rootKey,
      certificates: this.certificates.all,
      lastSeen: this.#seen,
      environment: this.at,
      nowMs: clock.now(),
    });
    if (verdict.kind === 'refused') return verdict;
    const { epoch, seq, digest } = verdict.head;
    if (this.#seen === undefined || epoch > this.#seen.epoch || seq > this.#seen.seq) {
      this.#seen = verdict.head;
      store.saveSeen({ environment: this.at.environment, epoch, seq, digest });
    }
    return verdict;
  }

  /** Digest, count, records and entitlement of the candidate against a verified head. */
  async #prove(head: SignedHead, bytes: Uint8Array): Promise<HeadOutcome> {
    const candidate = this.#batch.candidate(this.#current);
    if (
      this.#head !== undefined &&
      head.epoch > this.#head.epoch &&
      !this.#batch.isFull &&
      !candidate.isOf(head)
    ) {
      this.#mustResync = true;
      return { kind: 'resync', detail: `epoch ${head.epoch} begins` };
    }
    if (!candidate.isOf(head)) return this.#repair(head);
    if (
      this.#grantedTags === undefined &&
      candidate.get('gateway-settings', this.#options.fleet) === undefined
    ) {
      // Nothing says yet what this fleet may see, so nothing can be called withheld; the welcome will say it.
      return { kind: 'resync', detail: 'nothing is known of our fleet yet' };
    }
    const strays = this.#batch.strays(candidate);
    const transition = planTransition({
      at: this.at,
      fleet: this.#options.fleet,
      current: this.#current,
      currentTags: this.#tags,
      grantedTags: this.#grantedTags ?? [],
      candidate,
      bytesOf: (header) => this.#batch.bytesOf(header),
    });
    if (transition.withheld.length > 0) return this.#refuseWithheld(transition, strays.length);
    if (strays.length > 0) this.#count('hash_mismatch', `${strays.length} records that no header names`);
    if (transition.unentitled > 0)
      this.#count('not_entitled', `${transition.unentitled} records of other fleets`);
    return this.#adopt(transition, head, bytes);
  }

  #refuseWithheld({ withheld, tags }: Transition, strays: number): HeadOutcome {
    const [first] = withheld;
    const named = first === undefined ? '' : `, e.g. ${first.kind} ${first.id}`;
    if (strays > 0)
      return this.refuse('hash_mismatch', `${strays} records do not have the hash of their header${named}`);
    // When our fleet's tags have just widened, an honest bridge sends the rest to whoever starts over.
    if (this.#tags !== undefined && tags.join() !== this.#tags.join() && !this.#batch.isFull) {
      this.#mustResync = true;
      return { kind: 'resync', detail: 'the tags of our fleet have changed' };
    }
    return this.refuse(
      'withheld',
      `${withheld.length} records that our fleet is entitled to did not come${named}`,
    );
  }

  /** Our headers do not give the digest: compare buckets, then start over, then refuse. */
  #repair(head: SignedHead): HeadOutcome {
    if (this.#batch.isFull || this.#batch.isRepaired())
      return this.refuse(
        'digest_mismatch',
        `the records do not give the digest of head ${head.epoch}/${head.seq}`,
      );
    // The records of lines that were not proven were not taken: the answer begins from what is really here.
    this.#batch = new Batch();
    if (this.#headsWhileWaiting === undefined) {
      this.#headsWhileWaiting = 0;
      return { kind: 'buckets', hashes: this.#current.bucketHashes() };
    }
    this.#headsWhileWaiting += 1;
    if (this.#headsWhileWaiting <= headsWhileWaitingMax) return { kind: 'waiting' };
    return this.refuse(
      'digest_mismatch',
      `the bridge does not say how head ${head.epoch}/${head.seq} comes about`,
    );
  }

  async #adopt(transition: Transition, head: SignedHead, bytes: Uint8Array): Promise<HeadOutcome> {
    const { store, apply, confirm } = this.#options;
    const isFirst = this.#head === undefined;
    const { set, removed } = transition;
    const hasChanges = transition.changed.length > 0 || transition.gone.length > 0 || !this.#isServing(head);
    if (hasChanges) await this.#save(head, bytes, transition);
    const mayChangeService = isFirst || set.length > 0 || removed.length > 0;
    const refused = mayChangeService
      ? [
          ...apply({ ...this.at, seq: head.seq, isFull: isFirst, set, removed }),
          ...((await confirm?.(this.at.environment)) ?? []),
        ]
      : [];
    this.#nacks = standingNacks(this.#nacks, [...set, ...removed], [...transition.nacks, ...refused]);
    if (hasChanges) await store.settle(this.at.environment, this.#nacks);
    this.#current = transition.next;
    this.#tags = transition.tags;
    this.#head = head;
    this.#batch = new Batch();
    this.#headsWhileWaiting = undefined;
    this.#mustResync = false;
    this.appliedCount += 1;
    return { kind: 'applied', epoch: head.epoch, seq: head.seq, nacks: this.#nacks };
  }

  /** Everything the first time, then what changed; without a transition the fresh head alone. */
  async #save(head: SignedHead, bytes: Uint8Array, transition?: Transition): Promise<void> {
    const isFull = this.#head === undefined;
    this.#savedIssuedAtMs = head.issuedAtMs;
    const { rootKey, all: certificates } = this.certificates;
    await this.#options.store.save({
      state: {
        ...this.at,
        epoch: head.epoch,
        seq: head.seq,
        head: bytes,
        certificates,
        tags: transition?.tags ?? this.#tags ?? [],
        refused: this.#nacks,
        appliedAtMs: this.#options.clock.now(),
      },
      isFull,
      records: transition?.changed ?? [],
      gone: isFull ? [] : (transition?.gone ?? []),
    });
    this.certificates.saved(rootKey);
    this.#options.onSaved?.();
  }

  #count(reason: RefusalReason, detail: string): void {
    // oxlint-disable-next-line house/foreign-keys -- the reasons are our own, RefusalReason
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    this.#lastRefusal = `${reason}: ${detail}`;
    this.#options.onRefused(this.at.environment, reason);
    this.#options.log.warn(
      { environment: this.at.environment, reason, detail },
      'refused what the bridge sent',
    );
  }

  #isServing(head: SignedHead): boolean {
    return this.#head?.epoch === head.epoch && this.#head.seq === head.seq;
  }
}

const headRefusals: ReadonlySet<RefusalReason> = new Set<HeadRefusal>([
  'malformed',
  'wrong_environment',
  'unknown_key',
  'epoch_not_signed',
  'bad_signature',
  'rollback',
]);
