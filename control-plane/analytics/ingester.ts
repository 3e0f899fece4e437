import type { Metrics } from '../../proto/process/metrics.ts';
import { streams } from '../../proto/spool/folder.ts';
import { landingFolder } from '../../proto/wire/landing.ts';
import { createRecurring, type Recurring } from '../storage/recurring.ts';
import type { Duck } from './duck.ts';
import type { Lake, LakeParts } from './lake.ts';
import { tenantFolder } from './landed.ts';
import type { LakeCache } from './lake-cache.ts';
import { nothingReconciled, type Reconciled, type Reconciler } from './reconcile/reconcile.ts';
import { Merger } from './merging/merger.ts';
import { Retention } from './retention/retention.ts';
import { Roller } from './rollups/roller.ts';
import type { BesideCaches } from './rollups/rows.ts';
import { Turns, type Turn } from './turns.ts';

/** What an ingester works with. */
export interface IngesterOptions
  extends
    Pick<LakeParts, 'storage' | 'blobs' | 'settings' | 'log' | 'clock'>,
    Pick<Lake, 'store' | 'manifest' | 'workDir'> {
  readonly cache: LakeCache;
  /** The same for what lies beside them. */
  readonly caches: BesideCaches;
  readonly duck: Duck;
  readonly reconciler: Reconciler;
  readonly metrics: Metrics;
  /** Called between the steps, for tests that kill the process there or hold it up. */
  readonly onStep?: ((step: IngestStep) => void | Promise<void>) | undefined;
}

/** Where a crash can fall between two steps. */
export type IngestStep =
  | 'named'
  | 'converted'
  | 'durable'
  | 'committed'
  | 'deleted'
  | `merge ${'named' | 'written' | 'durable' | 'committed' | 'deleted'}`
  | 'retired'
  | `rewrite ${'noted' | 'named' | 'written' | 'durable' | 'committed'}`
  | `rollup ${'written' | 'durable' | 'committed'}`;

const lakePrefix = 'lake/v1/';
const deletionsPerRoundMax = 1_000;
/** Each may be read whole, and ingesting waits for it. */
const missingPerRoundMax = 4;
const pauseMsMin = 500;

/**
 * Moves records from the landing folder into the lake, each exactly once.
 *
 * Environments take turns, each of a bounded size, and whatever is wrong with one of them pauses that one and no other.
 *
 * Order of destruction: the file is named in the manifest as pending; the Parquet is durable in the bucket; ranges and manifest
 * commit in one transaction; after a grace the landing object is deleted, again and again until that succeeds. A crash
 * between any two leaves either a pending name, whose file is then taken in or removed, or a landing object that is covered already.
 */
export class Ingester {
  readonly #options: IngesterOptions;
  readonly #turns: Turns;
  readonly #merger: Merger;
  readonly #retention: Retention;
  readonly #roller: Roller;
  #mergeAtMs: number;
  #retireAtMs = 0;
  #rollAtMs: number;
  /** What is under way beside the rounds. */
  #rolling: Promise<void> | undefined;
  readonly #waiting = new Map<string, Turn>();
  /** Whether what somebody has begun may still lie about: after a take-over, or after a turn that failed. */
  #isTidy = false;
  /** Whether the bucket was asked since the lease was taken: the database may be an older one. */
  #isReconciled = false;
  #sweptUpTo = lakePrefix;
  #sweepAtMs = 0;
  readonly #deletions: Recurring;
  readonly #comparisons: Recurring;
  readonly #merges: Recurring;
  readonly #ends: Recurring;
  readonly #rollups: Recurring;

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#turns = new Turns(options);
    this.#merger = new Merger(options, this.#turns.meters);
    this.#retention = new Retention(options);
    this.#roller = new Roller(options, this.#turns.meters);
    this.#mergeAtMs = options.clock.monotonicMs() + options.settings.mergeEveryMs;
    this.#rollAtMs = this.#mergeAtMs;
    this.#deletions = createRecurring(options, {
      lasts: 'a landing object could not be deleted; it is tried again',
      over: 'landing objects can be deleted again',
    });
    this.#comparisons = createRecurring(options, {
      lasts: 'bucket and manifest could not be compared; it is tried again',
      over: 'bucket and manifest can be compared again',
    });
    this.#merges = createRecurring(options, {
      lasts: 'files of the lake could not be merged; it is tried again later',
      over: 'files of the lake can be merged again',
    });
    this.#ends = createRecurring(options, {
      lasts: 'what has had its time could not be deleted; it is tried again later',
      over: 'what has had its time can be deleted again',
    });
    this.#rollups = createRecurring(options, {
      lasts:
        'figures of files of the lake could not be written; questions read the files, and it is tried again later',
      over: 'figures of files of the lake can be written again',
    });
  }

  /** A turn for each stream of each environment, records before logs; true when more is waiting. */
  async round(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#hold())) return false;
    await this.#tidy();
    await this.#sweep();
    await this.#deleteDue();
    let isMore = false;
    const present = new Set<string>();
    for (const stream of streams)
      for await (const folder of this.#options.blobs.folders(landingFolder(stream), 2)) {
        const name = `${stream}/${folder}`;
        present.add(name);
        if (signal.aborted || !(await this.#hold())) return false;
        const [, organization, environment] = tenantFolder.exec(folder) ?? [];
        if (organization === undefined || environment === undefined) continue;
        const turn = this.#waiting.get(name) ?? {
          stream,
          at: { organization, environment },
          failures: 0,
          notBeforeMs: 0,
        };
        this.#waiting.set(name, turn);
        isMore = (await this.#take(turn, signal)) || isMore;
      }
    await this.#merge(signal);
    await this.#retire(signal);
    this.#rollUp(signal);
    for (const folder of this.#waiting.keys()) if (!present.has(folder)) this.#waiting.delete(folder);
    return isMore;
  }

  async #take(turn: Turn, signal: AbortSignal): Promise<boolean> {
    const { store, clock, settings, log } = this.#options;
    if (turn.notBeforeMs > clock.monotonicMs()) return false;
    try {
      const isMore = await store.whileHeld(clock, () => this.#turns.take(turn));
      turn.failures = 0;
      return isMore;
    } catch (error) {
      if (signal.aborted) return false;
      this.#isTidy = false;
      const pauseMs = Math.min(settings.pauseMsMax, pauseMsMin * 2 ** Math.min(turn.failures, 16));
      turn.failures += 1;
      turn.notBeforeMs = clock.monotonicMs() + pauseMs;
      log.warn({ ...turn.at, pauseMs, err: error }, 'a turn of an environment failed; the others go on');
      return false;
    }
  }

  /** One merge now and then, so that nobody's records wait long for it. */
  async #merge(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options;
    if (clock.monotonicMs() < this.#mergeAtMs) return;
    await this.#beside(signal, this.#merges, async () => {
      await this.#merger.take();
      await this.#merger.deleteRetired();
    });
    this.#mergeAtMs = clock.monotonicMs() + settings.mergeEveryMs;
  }

  /**
   * The figures of one file now and then, beside the rounds: they take seconds, and name no file, so that no turn has to wait for them but for the one
   * statement that DuckDB is at.
   */
  #rollUp(signal: AbortSignal): void {
    const { clock, settings } = this.#options;
    if (signal.aborted || this.#rolling !== undefined || clock.monotonicMs() < this.#rollAtMs) return;
    this.#rolling = this.#rollOne(signal).finally(() => {
      this.#rolling = undefined;
      this.#rollAtMs = clock.monotonicMs() + settings.mergeEveryMs;
    });
  }

  /** The lease is kept meanwhile, and never taken: what was begun under a lost one commits nothing. */
  async #rollOne(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.store.whileHeld(this.#options.clock, async () => {
        await this.#roller.take();
        await this.#roller.sweep();
      });
      this.#rollups.worked();
    } catch (error) {
      if (!signal.aborted) this.#rollups.failed({ err: error });
    }
  }

  /** Resolves when nothing is under way beside the rounds. */
  async settled(): Promise<void> {
    await this.#rolling;
  }

  /** Work under the lease that holds up nobody's records when it fails. */
  async #beside(signal: AbortSignal, recurring: Recurring, work: () => Promise<void>): Promise<void> {
    if (signal.aborted || !(await this.#hold())) return;
    try {
      await this.#options.store.whileHeld(this.#options.clock, work);
      recurring.worked();
    } catch (error) {
      if (signal.aborted) return;
      this.#isTidy = false;
      recurring.failed({ err: error });
    }
  }

  /** What has had its time or was asked to be deleted goes, now and then, a turn of it each time. */
  async #retire(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options;
    if (clock.monotonicMs() < this.#retireAtMs) return;
    await this.#beside(signal, this.#ends, () => this.#retention.take());
    this.#retireAtMs = clock.monotonicMs() + settings.retireEveryMs;
  }

  async #hold(): Promise<boolean> {
    const held = await this.#options.store.hold();
    if (held === 'taken') this.#isTidy = this.#isReconciled = false;
    return held !== undefined;
  }

  /**
   * What an ingester before us, or before a restore, has left: first the bucket tells what counts, then ingesting goes on.
   *
   * Only the holder of the lease writes, one file at a time, so between two turns every pending file is dead.
   */
  async #tidy(): Promise<void> {
    const { cache } = this.#options;
    // Before the bucket is asked: what a restored database still names, and whose time is over, is not missed there.
    if (!this.#isReconciled) await this.#retention.retire();
    if (!this.#isTidy) {
      await this.#reconcile((reconciler, found) => reconciler.settlePending(found));
      this.#isTidy = true;
    }
    if (!this.#isReconciled) {
      await this.#reconcile((reconciler, found) => reconciler.recent(found));
      this.#isReconciled = true;
    }
    for (const file of cache.takeMissing(missingPerRoundMax))
      await this.#reconcile((reconciler, found) => reconciler.missing(file, found));
  }

  /** A page per round of the comparison of everything, now and then from the beginning. */
  async #sweep(): Promise<void> {
    const { clock, settings } = this.#options;
    if (clock.monotonicMs() < this.#sweepAtMs) return;
    try {
      const after = this.#sweptUpTo;
      await this.#reconcile(async (reconciler, found) => {
        this.#sweptUpTo = (await reconciler.step(found, { prefix: lakePrefix, after })) ?? lakePrefix;
      });
      this.#comparisons.worked();
    } catch (error) {
      this.#comparisons.failed({ err: error });
    }
    if (this.#sweptUpTo !== lakePrefix) return;
    this.#sweepAtMs = clock.monotonicMs() + settings.reconcileEveryMs;
    this.#roller.beginSweep();
  }

  async #reconcile(work: (reconciler: Reconciler, found: Reconciled) => Promise<void>): Promise<void> {
    const { store, clock, reconciler } = this.#options;
    const found = nothingReconciled();
    await store.whileHeld(clock, () => work(reconciler, found));
    for (const outcome of ['adopted', 'trimmed', 'doubled', 'unreadable', 'missing', 'ended'] as const)
      if (found[outcome] > 0) this.#turns.meters.reconciled.inc({ outcome }, found[outcome]);
  }

  /** What cannot be deleted now is due again in the next round, and holds up nothing. */
  async #deleteDue(): Promise<void> {
    const { store, blobs, clock, onStep } = this.#options;
    for (const key of await store.due(clock.now(), deletionsPerRoundMax)) {
      try {
        await blobs.delete(key);
        await onStep?.('deleted');
        await store.forget(key);
      } catch (error) {
        this.#deletions.failed({ object: key, err: error });
        return;
      }
    }
    this.#deletions.worked();
  }
}
