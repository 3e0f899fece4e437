import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { HeadRefusal } from '../../proto/trust/heads.ts';
import type { HeldEnvironment } from '../../proto/wire/frames.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef, Nack, RecordHeader } from '../../proto/wire/published.ts';
import type {
  ApplyChange,
  ConfirmChange,
  ReadAhead,
  RemovedRecord,
  SetRecord,
} from '../gateway/deploy/change.ts';
import { type Predecessors, unprovenOf } from '../store/predecessors.ts';
import type { LoadedEnvironment, SeenHead, Store } from '../store/store.ts';
import type { Certificates } from './certificates.ts';
import { readStored } from './cold-start.ts';
import { Freshness } from './freshness.ts';
import { Gathering, type Repair } from './gathering.ts';
import { Heads } from './heads.ts';
import type { Judgements } from './judgements.ts';
import { RecordSet } from './record-set.ts';
import { Refusals } from './refusals.ts';
import type { SecretOpener } from './secret-opener.ts';
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
  /** Our set differs, or what came does not verify. */
  | Repair
  /** Only the whole set helps; the next hello says that we hold nothing. */
  | { readonly kind: 'resync'; readonly detail: string };

/** What one environment needs of its surroundings. */
export interface EnvironmentOptions {
  readonly at: EnvironmentRef;
  readonly fleet: string;
  readonly secrets: Pick<SecretOpener, 'open'>;
  readonly rootKey: Uint8Array;
  readonly store: Store;
  readonly apply: ApplyChange;
  /** Not asked the first time: nobody is served yet. */
  readonly readAhead?: ReadAhead | undefined;
  /** Several processes serve: an acknowledgement waits for all of them. */
  readonly confirm?: ConfirmChange | undefined;
  /** Undefined has every API compiled at every start. */
  readonly judgements?: Judgements | undefined;
  readonly predecessors: Predecessors;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was stored; see savedRootKey. */
  readonly onSaved?: (() => void) | undefined;
  readonly onRefused: (environment: string, reason: RefusalReason) => void;
}

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
  /** What comes for it and is not proven yet. */
  readonly gathering = new Gathering();
  /** Counts sets taken into service. */
  appliedCount = 0;
  /** A whole set is fetched as one file once; after that the stream sends it. */
  hasTriedSnapshot = false;
  readonly #options: EnvironmentOptions;
  #current = RecordSet.empty;
  #head: SignedHead | undefined;
  #tags: readonly string[] | undefined;
  #grantedTags: readonly string[] | undefined;
  #nacks: readonly Nack[] = [];
  readonly #heads: Heads;
  readonly #freshness: Freshness;
  #savedIssuedAtMs = 0;
  readonly #refusals: Refusals;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.at = options.at;
    this.#heads = new Heads(options);
    this.#refusals = new Refusals(options.at.environment, options);
    this.#freshness = new Freshness(options.clock);
  }

  get certificates(): Certificates {
    return this.#heads.certificates;
  }

  /** Takes what the store holds into service if it still verifies; says what is wrong otherwise. */
  load(stored: LoadedEnvironment | undefined, seen: SeenHead | undefined): string | undefined {
    this.#heads.saw(seen);
    if (stored === undefined) return undefined;
    const read = readStored(stored, {
      ...this.#options,
      nowMs: this.#options.clock.now(),
      judgements: this.#options.judgements,
    });
    if (read.kind === 'refused') return read.detail;
    const unproven = unprovenOf(stored.records, this.#options.predecessors);
    if (unproven.length > 0) this.#options.store.forgetPrevious(this.at.environment, unproven);
    this.#current = read.set;
    this.#head = read.head;
    this.#freshness.stored(read.head);
    this.#tags = stored.tags;
    this.#grantedTags = stored.tags;
    this.#savedIssuedAtMs = read.head.issuedAtMs;
    this.certificates.load(stored.certificates);
    this.#heads.saw(seen, read.head);
    const meta = { ...this.at, seq: read.head.seq };
    const good = this.#options.secrets.open({ set: read.lastGood, removed: [], nacks: read.nacks });
    const refused = this.#options.apply({ ...meta, isFull: true, set: good.set, removed: [] });
    this.#nacks = standingNacks([], [], [...good.nacks, ...refused]);
    if (read.refusedBefore.length > 0) {
      // After what was served before, so that a record refused again finds its predecessor in service.
      const { set } = this.#options.secrets.open({ set: read.refusedBefore, removed: [], nacks: [] });
      const again = this.#options.apply({ ...meta, isFull: false, set, removed: [] });
      this.#nacks = standingNacks(this.#nacks, set, again);
    }
    this.#keepJudged(read.lastGood, []);
    return undefined;
  }

  /** What to say of it in the hello. */
  held(): HeldEnvironment {
    const { environment } = this.at;
    const head = this.gathering.mustResync ? undefined : this.#head;
    if (head === undefined)
      return { environment, epoch: 0, seq: 0, digest: new Uint8Array(), refused: this.#nacks };
    return { environment, epoch: head.epoch, seq: head.seq, digest: head.digest, refused: this.#nacks };
  }

  /** What the bridge says we may see; believed only while no settings of our fleet are published. */
  granted(tags: readonly string[]): void {
    this.#grantedTags = tags;
  }

  /** Judges a head in the midst of a batch: it says how many header lines there are, and proves those that came. */
  announce(bytes: Uint8Array): HeadOutcome {
    const verdict = this.#heads.judge(bytes);
    if (verdict.kind === 'refused') return this.refuse(verdict.reason, verdict.detail);
    this.gathering.batch.announce(verdict.head, this.#current);
    return { kind: 'announced' };
  }

  /** Judges a head and, when it proves what was gathered, stores and serves it. */
  async takeHead(bytes: Uint8Array): Promise<HeadOutcome> {
    const verdict = this.#heads.judge(bytes);
    if (verdict.kind === 'refused') return this.refuse(verdict.reason, verdict.detail);
    const { head } = verdict;
    if (this.#isServing(head) && this.gathering.batch.isEmpty()) {
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
      ...this.#refusals.state(),
      nacks: this.#nacks,
    };
  }

  /** Counts and reports something that is not taken; what is served stays. */
  refuse(reason: RefusalReason, detail: string): HeadOutcome {
    this.#refusals.count(reason, detail);
    this.gathering.begin();
    // A refused head says nothing about our set; refused records do: start over from everything.
    this.gathering.mustResync ||= !headRefusals.has(reason);
    return { kind: 'refused', reason, detail };
  }

  /** Digest, count, records and entitlement of the candidate against a verified head. */
  async #prove(head: SignedHead, bytes: Uint8Array): Promise<HeadOutcome> {
    const { batch } = this.gathering;
    const candidate = batch.candidate(this.#current);
    if (this.#head !== undefined && head.epoch > this.#head.epoch && !batch.isFull && !candidate.isOf(head)) {
      this.gathering.mustResync = true;
      return { kind: 'resync', detail: `epoch ${head.epoch} begins` };
    }
    if (!candidate.isOf(head)) {
      const repair = this.gathering.repair(head, this.#current);
      return repair.kind === 'refused' ? this.refuse(repair.reason, repair.detail) : repair;
    }
    if (
      this.#grantedTags === undefined &&
      candidate.get('gateway-settings', this.#options.fleet) === undefined
    ) {
      // Nothing says yet what this fleet may see, so nothing can be called withheld; the welcome will say it.
      return { kind: 'resync', detail: 'nothing is known of our fleet yet' };
    }
    const strays = batch.strays(candidate);
    const transition = planTransition({
      at: this.at,
      fleet: this.#options.fleet,
      current: this.#current,
      currentTags: this.#tags,
      grantedTags: this.#grantedTags ?? [],
      candidate,
      bytesOf: (header) => batch.bytesOf(header),
    });
    if (transition.withheld.length > 0) return this.#refuseWithheld(transition, strays.length);
    if (strays.length > 0)
      this.#refusals.count('hash_mismatch', `${strays.length} records that no header names`);
    if (transition.unentitled > 0)
      this.#refusals.count('not_entitled', `${transition.unentitled} records of other fleets`);
    return this.#adopt(transition, head, bytes);
  }

  #refuseWithheld({ withheld, tags }: Transition, strays: number): HeadOutcome {
    const [first] = withheld;
    const named = first === undefined ? '' : `, e.g. ${first.kind} ${first.id}`;
    if (strays > 0)
      return this.refuse('hash_mismatch', `${strays} records do not have the hash of their header${named}`);
    // When our fleet's tags have just widened, an honest bridge sends the rest to whoever starts over.
    if (this.#tags !== undefined && tags.join() !== this.#tags.join() && !this.gathering.batch.isFull) {
      this.gathering.mustResync = true;
      return { kind: 'resync', detail: 'the tags of our fleet have changed' };
    }
    return this.refuse(
      'withheld',
      `${withheld.length} records that our fleet is entitled to did not come${named}`,
    );
  }

  async #adopt(transition: Transition, head: SignedHead, bytes: Uint8Array): Promise<HeadOutcome> {
    const { store, apply, confirm, predecessors } = this.#options;
    const isFirst = this.#head === undefined;
    const { set, removed, nacks } = this.#options.secrets.open(transition);
    const hasChanges = transition.changed.length > 0 || transition.gone.length > 0 || !this.#isServing(head);
    if (hasChanges) await this.#save(head, bytes, transition);
    if (!isFirst) await this.#options.readAhead?.(set);
    const mayChangeService = isFirst || set.length > 0 || removed.length > 0;
    const refused = mayChangeService
      ? [
          ...apply({ ...this.at, seq: head.seq, isFull: isFirst, set, removed }),
          ...((await confirm?.(this.at.environment)) ?? []),
        ]
      : [];
    this.#nacks = standingNacks(this.#nacks, [...transition.set, ...set, ...removed], [...nacks, ...refused]);
    if (hasChanges) await store.settle(this.at.environment, this.#nacks, predecessors.proofOf);
    this.#current = transition.next;
    this.#keepJudged(set, removed);
    this.#tags = transition.tags;
    this.#head = head;
    this.gathering.taken();
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

  /** A record is refused that was in service by what was kept of it; the next heartbeat says so. */
  refuseLate(nack: Nack): void {
    if (this.#current.get(nack.kind, nack.id)?.header.seq !== nack.seq) return;
    this.#nacks = standingNacks(this.#nacks, [], [nack]);
    this.#options.judgements?.forget(this.at.environment, nack);
  }

  /** A record is in service that was refused for a path of another; the next heartbeat says so. */
  takenLate({ kind, id }: Pick<Nack, 'kind' | 'id'>): void {
    this.#nacks = standingNacks(this.#nacks, [{ kind, id }], []);
  }

  #keepJudged(set: readonly SetRecord[], removed: readonly RemovedRecord[]): void {
    const headerOf = (id: string): RecordHeader | undefined => this.#current.get('api', id)?.header;
    this.#options.judgements?.keep(this.at.environment, { set, removed, refused: this.#nacks, headerOf });
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
